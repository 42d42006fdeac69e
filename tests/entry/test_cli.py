"""The administrator's command: words, exit codes and facts, as typed on the server's shell."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.keys import make_key

ROOT = Path(__file__).resolve().parents[2]


class Admin:
    """Types `gitops-hooks …` for one home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, Home(folder / "home")

    def __call__(self, *words: str, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "gitops_hooks.entry.cli", *words],
            env=base | {"GITOPS_HOOKS_HOME": str(self.home.path)} | env,
            cwd=self.folder,
            input=text,
            text=True,
            capture_output=True,
            timeout=60,
        )

    def key(self, name: str) -> str:
        path = self.folder / f"{name}.key"
        if not path.exists():
            make_key(path, name)
        return str(path.with_suffix(".key.pub"))

    def add(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self("user", "add", name, self.key(name), "--email", f"{name}@example.org", *more)


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Admin]:
    yield Admin(tmp_path)


def test_users_are_added_listed_and_removed(admin):
    done = admin.add("alice")
    fingerprint = load_people(admin.home).named("alice").keys[0].fingerprint
    assert (done.returncode, done.stdout, done.stderr) == (0, f"added alice  alice@example.org  {fingerprint}\n", "")
    assert json.loads(admin.add("ci", "--bot", "--json").stdout)["kind"] == "bot"
    assert admin("user", "list").stdout.splitlines()[0] == f"alice  alice@example.org  {fingerprint}"
    assert [row["name"] for row in json.loads(admin("user", "list", "--json").stdout)] == ["alice", "ci"]
    done = admin("user", "remove", "alice")
    assert (done.returncode, done.stdout) == (0, "removed alice\n")
    assert load_people(admin.home).names == {"ci"}


def test_a_key_may_come_by_the_input(admin):
    done = admin("user", "add", "alice", "-", "--email", "a@b", text=Path(admin.key("alice")).read_text())
    assert done.returncode == 0


def test_a_user_without_an_address_is_warned_about(admin):
    done = admin("user", "add", "alice", admin.key("alice"))
    assert done.returncode == 0
    assert done.stderr == (
        "alice has no address: commits by alice are nobody's and are refused. "
        "Add one:  gitops-hooks user email add alice ADDRESS\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("user", "add", "Alice", "KEY"), "gitops: users.toml:9: 'name' has a value that cannot be used: 'Alice'\n"),
        (("user", "add", "alice", "absent.pub"), "gitops: absent.pub: cannot be read as a public key; "),
        (("user", "add", "alice", "KEY", "--email", "x"), "gitops: users.toml:11: 'addresses' has an item that "),
        (("user", "remove", "nobody"), "gitops: users.toml: there is no user 'nobody'\n"),
        (("user", "key", "add", "nobody", "KEY"), "gitops: users.toml: there is no user 'nobody'\n"),
        (("user", "key", "list", "nobody"), "gitops: users.toml: there is no user 'nobody'\n"),
        (("user", "email", "remove", "bob", "x@y"), "gitops: users.toml: 'bob' has no address 'x@y'\n"),
        (("verify",), "Usage: gitops-hooks verify [OPTIONS] PATH\n"),
        (("nonsense",), "Usage: gitops-hooks [OPTIONS] COMMAND [ARGS]...\n"),
        (("repo", "add", "site"), "Usage: gitops-hooks repo add [OPTIONS] PLACE\n"),
        (
            ("repo", "add", "site", "--admin", "zoe"),
            "gitops: site: nobody here is called 'zoe':  gitops-hooks user add\n",
        ),
        (("repo", "add", "a b", "--admin", "bob"), "gitops: 'a b': cannot be a repository's name: "),
        (("repo", "remove", "site"), "gitops: server.toml: there is no repository 'site'\n"),
        (("policy", "check", "absent"), "gitops: absent: cannot be read: No such file or directory\n"),
    ],
)
def test_wrong_use_is_exit_code_2_with_the_reason(admin, words, message):
    admin.add("bob")
    done = admin(*(admin.key("new") if word == "KEY" else word for word in words))
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


def test_a_fault_in_the_servers_file_is_told_to_the_administrator_with_its_line(admin):
    admin.add("bob")
    admin.home.server_file.write_text("gti = 1\n[limits]\nrefs = true\n")
    done = admin("repo", "list")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "gitops: server.toml:1: unknown key 'gti'; known: "
        "authorized_keys, credential, deploy_as, exec_check, floor, git, limits, notify, own_network, plugins, "
        "repository, tool_folders",
        "gitops: server.toml:3: 'refs' must be a whole number above 0, not True",
    ]


def test_our_own_bug_is_exit_code_3_and_its_traceback_goes_to_the_journal(admin):
    admin.add("bob")
    admin.home.users_file.unlink()
    admin.home.users_file.symlink_to(admin.home.users_file)
    done = admin("user", "add", "alice", admin.key("alice"))
    assert done.returncode == 3
    assert done.stderr == "gitops: our bug: RuntimeError (details in the server journal)\n"
    assert "Traceback" in admin.home.journal.read_text()


def test_a_repository_is_added_listed_and_removed(admin):
    admin.add("bob")
    admin.add("alice")
    done = admin("repo", "add", "site", "--admin", "bob", "--read", "alice")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "site is served. Clone it:  git clone git@HOST:site"
    (row,) = json.loads(admin("repo", "list", "--json").stdout)
    assert (row["name"], row["read"], row["write"]) == ("site", ["alice"], ["bob"])
    path = admin.home.repositories / "site.git"
    config = subprocess.run(
        ["git", "--git-dir", str(path), "config", "--get-all", "receive.procReceiveRefs"],
        capture_output=True,
        text=True,
    )
    assert {"refs/for", "refs/heads", "refs/tags"} < set(config.stdout.split())
    done = admin("repo", "remove", "site")
    assert done.stdout.splitlines() == [
        "closed it to everybody",
        f"the repository and its record stay at {path}",
        "removed site",
    ]
    assert load_server(admin.home).repositories == ()
    assert "hooksPath" not in (path / "config").read_text()


def test_a_repository_that_was_removed_comes_back_under_its_own_id(admin):
    admin.add("bob")
    first = json.loads(admin("repo", "add", "site", "--admin", "bob", "--json").stdout)[0]["id"]
    admin("repo", "remove", "site")
    path = str(admin.home.repositories / "site.git")
    assert json.loads(admin("repo", "add", path, "--admin", "bob", "--json").stdout)[0]["id"] == first


def test_adding_it_again_mends_settings_and_adds_rights(admin):
    admin.add("bob")
    admin.add("alice")
    admin("repo", "add", "site", "--admin", "bob", "--write", "alice")
    config = admin.home.repositories / "site.git" / "config"
    config.write_text(config.read_text().replace("refs/for\n", "refs/elsewhere\n"))
    done = admin("repo", "add", "site", "--admin", "bob", "--read", "*")
    assert done.returncode == 0, done.stderr
    assert "refs/for\n" in config.read_text()
    (row,) = json.loads(admin("repo", "list", "--json").stdout)
    assert (row["read"], row["write"]) == (["*"], ["bob", "alice"])


def test_a_copy_of_a_served_repository_is_refused(admin):
    admin.add("bob")
    admin("repo", "add", "site", "--admin", "bob")
    copy = admin.folder / "copy.git"
    source = str(admin.home.repositories / "site.git")
    subprocess.run(["git", "clone", "-q", "--mirror", source, str(copy)], check=True, capture_output=True, timeout=20)
    done = admin("repo", "add", str(copy), "--admin", "bob")
    assert done.returncode == 2
    assert "is a copy of the repository 'site' of this server; one of them can be served" in done.stderr
    assert len(load_server(admin.home).repositories) == 1


def test_every_reason_against_a_repository_comes_at_once(admin):
    admin.add("bob")
    path = admin.folder / "work"
    subprocess.run(["git", "init", "-q", str(path)], check=True, timeout=20)
    done = admin("repo", "add", str(path), "--admin", "bob", "--read", "x", "--write", "y")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "gitops: work: nobody here is called 'x':  gitops-hooks user add",
        "gitops: work: nobody here is called 'y':  gitops-hooks user add",
    ]
    done = admin("repo", "add", str(path), "--admin", "bob")
    assert done.stderr == "gitops: work: is not a bare Git repository\n"


def test_removing_a_user_takes_the_rights_too(admin):
    admin.add("bob")
    admin.add("alice")
    admin("repo", "add", "site", "--admin", "bob", "--write", "alice")
    done = admin("user", "remove", "alice")
    assert done.stdout == "took the rights on site\nremoved alice\n"
    assert load_server(admin.home).repository("site").write == ("bob",)


def test_removing_the_last_approver_warns_and_does_nothing(admin):
    admin.add("bob")
    admin("repo", "add", "site", "--admin", "bob")
    done = admin("user", "remove", "bob")
    assert done.returncode == 1
    assert done.stderr.startswith("warning: site: ")
    assert done.stderr.endswith("Nothing was changed. If it is meant:  gitops-hooks user remove bob --yes\n")
    assert load_people(admin.home).names == {"bob"}
    assert admin("user", "remove", "bob", "--yes").returncode == 0
    assert load_people(admin.home).names == frozenset()


def test_policy_check_tells_every_fault_with_its_line(admin):
    admin.add("bob")
    set_value(admin.home, "checks", ["gitops_hooks.plugins.yaml_check"], "plugins")
    set_value(admin.home, "trusted", ["gitops_hooks.plugins.ssh_actor"], "plugins")
    policy = admin.folder / "policy.yaml"
    policy.write_text("version: 1\nbranchs: []\nbranches:\n  - match: main\n    approvals: [{count: yes}]\n")
    done = admin("policy", "check", "policy.yaml")
    assert done.returncode == 1
    assert "policy.yaml:2: " in done.stdout
    assert "policy.yaml:5: " in done.stdout
    rows = json.loads(admin("policy", "check", "policy.yaml", "--json").stdout)
    assert {row["line"] for row in rows} >= {2, 5}
    policy.write_text(
        "version: 1\nbranches:\n  - match: main\n    propose: ['*']\n    land: [bob]\n"
        "    approvals: [{count: 1, from: [bob]}]\n    checks: [yaml]\n"
    )
    done = admin("policy", "check", "policy.yaml")
    assert (done.returncode, done.stdout) == (0, "policy.yaml: 1 branch rules, 0 environments, no fault\n")


def test_the_home_folder_is_named_by_option_by_variable_or_is_the_users_own(admin):
    other = admin.folder / "other"
    assert admin("--home", str(other), "user", "add", "alice", admin.key("alice"), "--email", "a@b").returncode == 0
    assert load_people(Home(other)).names == {"alice"}
    assert not admin.home.path.exists()
    admin("user", "add", "alice", admin.key("alice"), "--email", "a@b", GITOPS_HOOKS_HOME="")
    assert load_people(Home(admin.folder / ".gitops-hooks")).names == {"alice"}


def test_another_users_server_is_not_touched(admin):
    admin.add("bob")
    if os.geteuid() == 0:
        os.chown(admin.home.path, 1, 1)
    # Without root a folder of root's stands in.
    home, owner = (admin.home.path, 1) if os.geteuid() == 0 else (Path("/etc"), 0)
    done = admin("--home", str(home), "user", "list")
    assert done.returncode == 2
    assert done.stderr == f"Error: the folder {home} belongs to user {owner}; run this as that user (sudo -u)\n"


def test_help_lists_every_word_and_loads_none(admin):
    done = admin("--help")
    words = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    known = ["agent", "change", "check", "doctor", "env", "owners", "plugin", "policy", "reconcile"]
    assert words == [*known, "recovery", "repo", "user", "verify"]
    assert admin("--version").stdout == "gitops-hooks, version 0.1.0\n"
    for word in words:
        assert admin(word, "--help").returncode == 0, word


def test_listing_users_loads_nothing_that_costs_time(admin):
    admin.add("bob")
    script = (
        "import sys; sys.argv = ['gitops-hooks', 'user', 'list']\n"
        "import atexit; atexit.register(lambda: print(*sys.modules))\n"
        "from gitops_hooks.entry.cli import main; main()"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GITOPS_HOOKS_HOME": str(admin.home.path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=20)
    loaded = set(done.stdout.split())
    assert "gitops_hooks.entry.cli_user" in loaded
    assert not loaded & {"pygit2", "paramiko", "ansible_runner", "cryptography", "tomlkit", "pluggy", "yaml", "asyncio"}


def test_an_interrupt_is_exit_code_130(admin):
    admin.add("bob")
    child = subprocess.Popen(
        [sys.executable, "-m", "gitops_hooks.entry.cli", "user", "add", "alice", "-"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GITOPS_HOOKS_HOME": str(admin.home.path)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # More than a pipe holds: when all of it is written, somebody reads.
    assert child.stdin
    child.stdin.write(b"#" * 80_000)
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 130
    child.communicate(timeout=10)


def test_the_file_that_a_new_server_starts_with_names_every_key(admin):
    admin.add("bob")
    text = admin.home.server_file.read_text()
    assert tomllib.loads(text) == {"plugins": {}, "limits": {}}
    # What stands in comments is true once the marks are taken off.
    lines = [line for line in text.splitlines() if "=" in line or line.startswith("[") or line[2:3] in ("[", " ", "]")]
    told = "\n".join(line.removeprefix("# ") for line in lines)
    values = tomllib.loads(told)
    assert set(values) == {
        "git",
        "authorized_keys",
        "deploy_as",
        "tool_folders",
        "own_network",
        "exec_check",
        "plugins",
        "limits",
        "floor",
        "repository",
        "credential",
    }
    assert set(values["credential"][0]) >= {"repository", "environment", "branch", "hosts", "key", "known_hosts"}


def test_an_agent_is_added_with_what_it_answers_for(admin):
    admin.add("bob")
    admin("repo", "add", "site", "--admin", "bob")
    key = admin.key("web-agent")
    done = admin("user", "add", "web-agent", key, "--agent", "production", "--hosts", "web1,web2", "-R", "site")
    fingerprint = load_people(admin.home).login("web-agent").keys[0].fingerprint
    line = f"web-agent (agent of production)  web1 web2  {fingerprint}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"added {line}", "")
    site = json.loads(admin("repo", "list", "--json").stdout)[0]["id"]
    assert json.loads(admin("user", "list", "--json").stdout)[1] == {
        "name": "web-agent",
        "kind": "agent",
        "keys": [fingerprint],
        "repository": site,
        "environment": "production",
        "hosts": ["web1", "web2"],
    }
    assert admin("user", "list").stdout.splitlines()[1] == line.strip()
    done = admin("user", "key", "add", "web-agent", admin.key("spare"))
    assert done.stdout.endswith(" to web-agent, who has 2 keys\n")
    done = admin("user", "add", "other", admin.key("other"), "--agent", "production", "--hosts", "*")
    assert (done.returncode, "'web-agent' answers for web1 web2 of production already" in done.stderr) == (2, True)
    done = admin("user", "remove", "web-agent")
    assert (done.returncode, done.stdout) == (0, "removed web-agent\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--agent", "production"), "say with --hosts what the agent answers for: web1,web2 or '*'"),
        (("--hosts", "web1"), "--hosts and -R are of an agent; say with --agent of which environment"),
        (
            ("--agent", "x", "--hosts", "a", "--bot"),
            "an agent is no bot and commits nothing; leave --bot and --email out",
        ),
        (("--agent", "x", "--hosts", "a", "-R", "no"), "server.toml: there is no repository 'no'; there are: none"),
    ],
)
def test_what_is_no_agent_is_wrong_use(admin, words, told):
    done = admin("user", "add", "web-agent", admin.key("web-agent"), *words)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert "web-agent" not in admin("user", "list").stdout
