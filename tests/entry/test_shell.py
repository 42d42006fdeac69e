"""The forced command, run the way sshd runs it: by its line in authorized_keys, with what the client asked for."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.authorized_keys import read_block
from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.enrolment import Wish, enrol
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_user, remove_user
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.living import look_at
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.warm_place import stop_programs
from tests.waiting import wait_until

PEOPLE = ("alice", "bob", "carol", "dave")
DOCTOR = "Ask the administrator to run: gitops-hooks doctor"

# git runs this as its ssh: the words after the host are the client's command, as sshd would hand them on.
TRANSPORT = """\
#!/bin/sh
shift
SSH_ORIGINAL_COMMAND="$*" exec /bin/sh -c "$FORCED"
"""


class Server:
    """A server with alice (write), bob (administrator of both), carol (read) and dave (nothing)."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, Home(folder / "home")
        make_home(self.home)
        for name in PEOPLE:
            self.add(name)
        set_value(self.home, "checks", ["gitops_hooks.plugins.yaml_check"], "plugins")
        set_value(self.home, "trusted", ["gitops_hooks.plugins.ssh_actor", "gitops_hooks.plugins.journal"], "plugins")
        self.site = enrol(self.home, Wish("site", self.home.repositories / "site.git", "bob", ("carol",), ("alice",)))[
            0
        ]
        self.other = enrol(self.home, Wish("other", self.home.repositories / "other.git", "bob"))[0]
        (folder / "ssh").write_text(TRANSPORT)
        (folder / "ssh").chmod(0o755)
        self.clone = folder / "clone"
        self.git("bob", "clone", "-q", "host:site", str(self.clone), where=folder)

    def add(self, name: str) -> None:
        key = make_key(self.folder / f"{name}.key", name)
        add_user(self.home, name, key, (f"{name}@example.org",))

    def forced(self, who: str) -> str:
        (line,) = [line for line in read_block(self.home.authorized_keys) if line.endswith(f" {who}")]
        return line.removeprefix('command="').partition('",restrict ')[0].replace('\\"', '"')

    def env(self, who: str, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_SSH": str(self.folder / "ssh"),
            "GIT_SSH_VARIANT": "simple",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": who,
            "GIT_AUTHOR_EMAIL": f"{who}@example.org",
            "GIT_COMMITTER_NAME": who,
            "GIT_COMMITTER_EMAIL": f"{who}@example.org",
            "FORCED": self.forced(who),
        } | more

    def ssh(self, who: str, command: str | bytes, **more: str) -> subprocess.CompletedProcess[str]:
        env = self.env(who, **more) | {"SSH_ORIGINAL_COMMAND": os.fsdecode(command)}
        return subprocess.run(
            ["/bin/sh", "-c", env["FORCED"]], env=env, input="", text=True, capture_output=True, timeout=60
        )

    def git(self, who: str, *words: str, where: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words],
            cwd=where or self.clone,
            env=self.env(who, **more),
            text=True,
            capture_output=True,
            timeout=60,
        )

    def new_commit(self) -> None:
        self.git("alice", "commit", "-q", "--allow-empty", "-m", "more")

    def tip(self, ref: str) -> str:
        path = str(self.site.path)
        done = subprocess.run(
            ["git", "--git-dir", path, "rev-parse", "-q", "--verify", ref], capture_output=True, text=True
        )
        return done.stdout.strip()

    def use_git(self, script: str) -> None:
        """A program of the administrator's in git's place for who fetches and pushes; the reconciler has git itself."""
        others = f'case "$*" in *-pack*) ;; *) exec {shutil.which("git")} "$@";; esac'
        (self.folder / "git").write_text(f"#!/bin/sh\n{others}\n{script}\n")
        (self.folder / "git").chmod(0o755)
        set_value(self.home, "git", str(self.folder / "git"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    assert stop_programs(server.home)


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    """What a test changes in the server's files is put back."""
    kept = {
        path: path.read_bytes()
        for path in (shared.home.server_file, shared.home.users_file, shared.home.authorized_keys)
    }
    yield shared
    for path, content in kept.items():
        path.write_bytes(content)


def test_a_login_without_a_command_says_who_it_is_and_what_there_is(server):
    done = server.ssh("alice", "")
    assert done.returncode == 0
    assert done.stdout.startswith("Hello alice. There is no shell here; this is what there is:\n\nchange list ")


def test_whoami_tells_the_actor_and_the_rights(server):
    assert server.ssh("carol", "whoami").stdout.splitlines()[1:] == ["  site: read"]
    facts = json.loads(server.ssh("bob", "whoami --json").stdout)
    assert (facts["name"], facts["kind"], facts["repositories"]) == (
        "bob",
        "person",
        {"site": "write", "other": "write"},
    )
    assert server.ssh("dave", "whoami").stdout.splitlines()[1:] == ["  no repository that you may read"]


@pytest.mark.parametrize("program", ["git-upload-pack", "git-receive-pack"])
def test_a_forbidden_and_an_unknown_repository_answer_alike(server, program):
    forbidden, unknown = server.ssh("alice", f"{program} 'other'"), server.ssh("alice", f"{program} 'absent'")
    assert (forbidden.returncode, forbidden.stdout) == (unknown.returncode, unknown.stdout) == (1, "")
    assert forbidden.stderr == "gitops: no repository 'other', or you may not read it\n"
    assert unknown.stderr == "gitops: no repository 'absent', or you may not read it\n"


def test_words_about_a_forbidden_and_an_unknown_repository_answer_alike(server):
    assert (
        server.ssh("alice", "change list -R other").stderr == "gitops: no repository 'other', or you may not read it\n"
    )
    assert (
        server.ssh("alice", "change list -R absent").stderr
        == "gitops: no repository 'absent', or you may not read it\n"
    )


def test_a_reader_fetches_and_does_not_push(server):
    assert server.git("carol", "ls-remote", "host:site").returncode == 0
    done = server.git("carol", "push", "host:site", "HEAD:refs/heads/mine")
    assert done.returncode == 128
    assert done.stderr.startswith("gitops: you may read 'site' but not push to it\n")
    assert not server.tip("refs/heads/mine")


def test_a_writer_pushes_a_branch_outside_the_policy_and_not_to_a_protected_one(server):
    server.new_commit()
    done = server.git("alice", "push", "host:site", "HEAD:refs/heads/mine")
    assert done.returncode == 0, done.stderr
    assert server.tip("refs/heads/mine")
    main = server.tip("refs/heads/main")
    done = server.git("alice", "push", "host:site", "HEAD:refs/heads/main")
    assert done.returncode == 1
    assert "remote: gitops: refused refs/heads/main" in done.stderr
    assert server.tip("refs/heads/main") == main


def test_a_key_that_was_removed_is_refused_even_while_its_line_stands(server):
    forced = server.forced("dave")
    remove_user(server.home, "dave")
    done = server.ssh("alice", "whoami", FORCED=forced)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "gitops: this key is no longer known here\nAsk the administrator for: gitops-hooks user add\n"
    )


def test_a_key_counts_only_under_its_own_name(server):
    words = shlex.split(server.forced("alice"))
    words[words.index("--user") + 1] = "bob"
    assert server.ssh("alice", "whoami", FORCED=shlex.join(words)).returncode == 1


@pytest.mark.parametrize("more", [["--user", "bob"], ["--home"], ["x"]])
def test_options_that_sshd_would_not_give_are_refused(server, more):
    done = server.ssh("alice", "whoami", FORCED=server.forced("alice") + " " + shlex.join(more))
    assert done.returncode == 2
    assert done.stderr == "gitops: this program is started by sshd, with --home --user --key\n"


@pytest.mark.parametrize("damage", ["missing", "empty", "mode", "changed"])
def test_nothing_is_pushed_unless_every_hook_is_whole_and_reading_goes_on(server, damage):
    hook = server.home.hooks / "post-receive"
    content = hook.read_bytes()
    acts = {
        "missing": hook.unlink,
        "empty": lambda: hook.write_text(""),
        "mode": lambda: hook.chmod(0o644),
        "changed": lambda: hook.write_bytes(content + b"\n"),
    }
    acts[damage]()
    try:
        done = server.git("alice", "push", "host:site", "HEAD:refs/heads/unjudged")
        assert server.git("alice", "ls-remote", "host:site").returncode == 0
    finally:
        hook.write_bytes(content)
        hook.chmod(0o755)
    assert done.returncode == 128
    assert done.stderr.startswith(f"gitops: the server's hooks are not whole, so nothing can be pushed\n{DOCTOR}\n")
    assert not server.tip("refs/heads/unjudged")
    assert '"kind": "hooks", "faults": "post-receive ' in server.home.journal.read_text()


def test_git_gets_an_environment_of_its_own(server):
    server.use_git('env; echo "$@"; pwd; ls -l /proc/$$/fd | tail -n +2 | sed "s/.* -> //"')
    intruders = {
        "GITOPS_HOOKS_ACTOR": "bob",
        "GIT_DIR": "/",
        "GIT_CONFIG_PARAMETERS": "'core.hooksPath'='/dev/null'",
        "LD_LIBRARY_PATH": "/x",
        "LC_ALL": "C",
        "SSH_AUTH_SOCK": "/x",
        "BASH_ENV": "/x",
    }
    done = server.ssh("alice", "git-receive-pack 'site'", GIT_PROTOCOL="version=2", **intruders)
    lines = done.stdout.splitlines()
    found = dict(line.partition("=")[::2] for line in lines if "=" in line)
    settings = {key for key in found if key.startswith("GIT_CONFIG_")}
    assert set(found) - settings - {"PWD", "_", "SHLVL"} == {
        "PATH",
        "HOME",
        "LANG",
        "GIT_PROTOCOL",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_ATTR_NOSYSTEM",
        *(f"GITOPS_HOOKS_{name}" for name in ("HOME", "ACTOR", "KEY", "KIND", "REPOSITORY", "PUSH")),
        *(f"GITOPS_HOOKS_{name}" for name in ("JUDGE_SECONDS", "FOLLOW_SECONDS", "WARM", "UNCLEAN", "HOLD", "CLIENT")),
        "GITOPS_HOOKS_LINE",
    }
    assert "GIT_CONFIG_PARAMETERS" not in found
    assert (found["GITOPS_HOOKS_ACTOR"], found["GITOPS_HOOKS_KIND"], found["GITOPS_HOOKS_REPOSITORY"]) == (
        "alice",
        "person",
        "site",
    )
    assert found["GIT_PROTOCOL"] == "version=2"
    assert found["HOME"] == str(server.home.run / "empty")
    assert f"receive-pack {server.site.path}" in lines
    assert any(line.endswith("/use.lock") for line in lines)
    assert any(line.endswith("/alive") for line in lines)


@pytest.mark.parametrize("value", ["version=3", "version=2:x", "version=2\n", "", "2"])
def test_any_other_protocol_does_not_pass(server, value):
    server.use_git("env")
    assert "GIT_PROTOCOL" not in server.ssh("alice", "git-upload-pack 'site'", GIT_PROTOCOL=value).stdout


def test_a_repositorys_own_config_does_not_turn_the_rules_off(server):
    config = server.site.path / "config"
    kept = config.read_bytes()
    with config.open("a") as out:
        out.write("[core]\n\thooksPath = /dev/null\n[receive]\n\tfsckObjects = false\n\tprocReceiveRefs =\n")
    try:
        server.new_commit()
        done = server.git("alice", "push", "host:site", "HEAD:refs/heads/main")
        literal = server.git("alice", "push", "host:site", "HEAD:refs/for/nowhere")
    finally:
        config.write_bytes(kept)
    assert done.returncode == 1
    assert "remote: gitops: refused refs/heads/main" in done.stderr
    assert literal.returncode == 1
    assert not server.tip("refs/for/nowhere")


def test_the_servers_refs_are_fetched_and_never_pushed(server):
    path = str(server.site.path)
    oid = server.tip("refs/heads/main")
    subprocess.run(["git", "--git-dir", path, "update-ref", "refs/changes/9/head", oid], check=True, timeout=20)
    try:
        assert "refs/changes/9/head" in server.git("carol", "ls-remote", "host:site").stdout
        assert server.git("carol", "fetch", "-q", "host:site", "refs/changes/9/head").returncode == 0
        advertised = server.ssh("alice", "git-receive-pack 'site'").stdout
        assert "refs/heads/main" in advertised
        assert "refs/changes" not in advertised
        for ref in ("refs/changes/9/head", "refs/environments/live/deployed", "refs/gitops/log", "refs/agents/x"):
            done = server.git("alice", "push", "host:site", f"HEAD:{ref}", "HEAD:refs/heads/beside")
            assert done.returncode == 1, ref
            assert not server.tip("refs/heads/beside")
        assert server.tip("refs/changes/9/head") == oid
    finally:
        subprocess.run(["git", "--git-dir", path, "update-ref", "-d", "refs/changes/9/head"], check=True, timeout=20)


def test_gits_exit_status_is_handed_on(server):
    server.use_git("exit 7")
    assert server.ssh("alice", "git-upload-pack 'site'").returncode == 7
    server.use_git("kill -9 $$")
    assert server.ssh("alice", "git-upload-pack 'site'").returncode == 137


def pushes(server: Server) -> list[Path]:
    return list((server.home.state(server.site.id) / "pushes").iterdir())


def test_a_push_that_takes_too_long_is_ended_with_everything_it_started(server):
    pids = server.folder / "pids"
    server.use_git(f"sleep 600 & echo $! >{pids}; touch {server.site.path}/HEAD.lock; sh -c 'sleep 600'")
    set_value(server.home, "push_seconds", 0.5, "limits")
    begun = time.monotonic()
    done = server.ssh("alice", "git-receive-pack 'site'")
    assert time.monotonic() - begun < 15
    assert done.returncode == 143
    assert done.stderr == (
        "gitops: it took longer than 0.5 s and was ended; what is not reported as done was not done.\n"
    )
    assert look_at(int(pids.read_text())) is None
    assert not (server.site.path / "HEAD.lock").exists()
    assert pushes(server) == []


def test_after_a_killed_push_the_next_one_finds_no_lock_in_its_way(server):
    ready = server.folder / "ready"
    server.use_git(f"echo $$ >{ready}; touch {server.site.path}/refs/heads/after.lock; exec sleep 600")
    env = server.env("alice") | {"SSH_ORIGINAL_COMMAND": "git-receive-pack 'site'"}
    shell = subprocess.Popen(shlex.split(server.forced("alice")), env=env, stdin=subprocess.DEVNULL)
    wait_until(lambda: ready.exists() and ready.read_text() and (server.site.path / "refs/heads/after.lock").exists())
    shell.kill()
    shell.wait(10)
    os.kill(int(ready.read_text()), signal.SIGKILL)
    assert len(pushes(server)) == 1
    set_value(server.home, "git", "git")
    server.new_commit()
    done = server.git("alice", "push", "host:site", "HEAD:refs/heads/after")
    assert done.returncode == 0, done.stderr
    assert server.tip("refs/heads/after")
    assert pushes(server) == []


def test_a_shell_that_is_asked_to_end_ends_its_push(server):
    ready = server.folder / "asked"
    server.use_git(f"echo $$ >{ready}; exec sleep 600")
    env = server.env("alice") | {"SSH_ORIGINAL_COMMAND": "git-receive-pack 'site'"}
    shell = subprocess.Popen(shlex.split(server.forced("alice")), env=env, stdin=subprocess.DEVNULL)
    wait_until(lambda: ready.exists() and ready.read_text())
    shell.terminate()
    assert shell.wait(10) == 143
    assert look_at(int(ready.read_text())) is None
    assert pushes(server) == []


def test_a_repository_that_is_gone_is_told_without_its_path(server):
    moved = server.other.path.with_name("moved.git")
    server.other.path.rename(moved)
    try:
        done = server.ssh("bob", "git-upload-pack 'other'")
    finally:
        moved.rename(server.other.path)
    assert (done.returncode, done.stderr) == (2, "gitops: other: is not where server.toml says\n")


def test_a_fault_in_the_servers_files_is_not_the_pushers_to_read(server):
    server.home.server_file.write_text("secret = 'x'\n")
    done = server.ssh("alice", "whoami")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"gitops: the server's own files have a fault\ngitops: {DOCTOR}\n"
    assert "unknown key 'secret'" in server.home.journal.read_text()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("scp -t .", "no files are copied here\nThis account runs git and a few words:  help"),
        ("/usr/lib/openssh/sftp-server", "no files are copied here\nThis account runs git and a few words:  help"),
        ("bash", "there is no command 'bash'\nWhat there is:  help"),
        ("sh -c id", "there is no command 'sh -c'\nWhat there is:  help"),
        ("env show x; id", "a word may hold letters, digits and ._@/:,=+%- only\nWhat there is:  help"),
        ("user list", "'user' is for the administrator, on the server's own shell"),
        ("repo add x", "'repo' is for the administrator, on the server's own shell"),
        ("recovery adopt", "'recovery' is for the administrator, on the server's own shell"),
        ("doctor", "'doctor' is for the administrator, on the server's own shell"),
        ("reconcile --stop", "'reconcile' is for the administrator, on the server's own shell"),
        ("serve", "'serve' is for the administrator, on the server's own shell"),
        ("env stop", "'env stop' is for the administrator, on the server's own shell"),
        ("agent", "'agent' is for the administrator, on the server's own shell"),
        ("check run --all", "'check' runs on your own machine, without a server\ngitops-hooks check run --help"),
        ("verify /tmp", "'verify' is for the administrator, on the server's own shell"),
        ("change", "there is no command 'change'\nWhat there is:  help"),
        ("change list --home /etc", "'change list' has no option '--home' here"),
        ("change list --home=/etc", "'change list' has no option '--home=/etc' here"),
        ("whoami --help", "'whoami --help' has no option '--help' here"),
        ("change list -R", "-R needs the name of a repository"),
        ("change list -R site --repo=other", "-R names one repository, once"),
        ("-R site", "no command\nWhat there is:  help"),
        (
            "git-upload-archive 'site'",
            "this is not what git sends for a repository's name\nUse:  git clone git@HOST:NAME",
        ),
    ],
)
def test_what_is_not_listed_is_refused_with_the_reason(server, command, words):
    done = server.ssh("bob", command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"gitops: {words}\n"


def test_bytes_outside_the_grammar_are_refused(server):
    assert server.ssh("bob", b"env show \xff\xe2\x80\xa8").returncode == 1


def test_a_reader_of_several_names_one_and_a_reader_of_one_need_not(server):
    done = server.ssh("bob", "change list")
    assert (done.returncode, done.stderr) == (
        1,
        "gitops: you may read several repositories\nName one with -R: site other\n",
    )
    assert server.ssh("bob", "change list -R other").returncode == 0
    assert server.ssh("bob", "change list --repo=site.git").returncode == 0
    assert server.ssh("carol", "change list").returncode == 0
    assert server.ssh("dave", "change list").stderr == "gitops: there is no repository that you may read\n"


def test_git_is_served_without_looking_for_installed_packages(server):
    script = "import sys; sys.path.append(sys.argv[1]); import gitops_hooks.entry.shell; print(*sys.modules)"
    folder = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(folder)], capture_output=True, text=True, timeout=20
    )
    assert not set(done.stdout.split()) & {
        "click",
        "argparse",
        "tomlkit",
        "pygit2",
        "pluggy",
        "yaml",
        "cryptography",
        "asyncio",
    }
    assert "gitops_hooks.entry.shell" in done.stdout
