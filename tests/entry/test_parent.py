"""Whatever happens to the judge, the hook refuses unless a whole verdict of acceptance came."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.entry import parent
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
REAL_WAIT = select.select
DOCTOR = "Ask the administrator to run: gitops-hooks doctor"
NOTHING_MOVED = f"remote: gitops: the judge ended without a verdict; nothing was moved. {DOCTOR}"

# The judge is a stand-in, put where the real one is looked up; everything around it is real.
HOOK = """\
#!{python} -IS
import sys, types
sys.path.append({root!r})
judge = types.ModuleType("gitops_hooks.entry.{name}")
exec({body!r}, judge.__dict__)
sys.modules["gitops_hooks.entry.{name}"] = judge
from gitops_hooks.entry.parent import run
run("{name}")
"""


class World:
    """A bare repository with one hook, and a clone with one commit to push."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare, self.clone, self.hooks = folder / "site.git", folder / "clone", folder / "hooks"
        self.hooks.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITOPS_HOOKS_HOME": str(folder),
        }
        self.git("init", "-q", "--bare", str(self.bare), where=folder)
        self.git("-C", str(self.bare), "config", "core.hooksPath", str(self.hooks), where=folder)
        self.git("init", "-q", "-b", "main", str(self.clone), where=folder)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        self.git(*who, "commit", "-q", "--allow-empty", "-m", "one")

    def git(self, *words: str, where: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words],
            cwd=where or self.clone,
            env=self.env,
            text=True,
            capture_output=True,
            timeout=30,
            check=check,
        )

    def judge(self, body: str, name: str = "pre_receive") -> None:
        hook = self.hooks / name.replace("_", "-")
        hook.write_text(HOOK.format(python=sys.executable, root=str(ROOT), name=name, body=body))
        hook.chmod(0o755)

    def push(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.git("push", *options, str(self.bare), "HEAD:refs/heads/main", check=False)

    def moved(self) -> bool:
        return (
            self.git("-C", str(self.bare), "rev-parse", "-q", "--verify", "refs/heads/main", check=False).returncode
            == 0
        )

    def remote_lines(self, done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line.rstrip() for line in done.stderr.splitlines() if line.startswith("remote:")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)


def main(body: str) -> str:
    return f"def main(protocol_in, protocol_out):\n    {body}\n"


def test_a_whole_verdict_of_acceptance_lets_the_push_through(world):
    world.judge(main("return True"))
    done = world.push()
    assert (done.returncode, world.moved(), world.remote_lines(done)) == (0, True, [])


def test_a_refusal_refuses_and_says_only_what_the_judge_said(world):
    world.judge("import sys\n" + main("sys.stderr.write('gitops: no\\n'); return False"))
    done = world.push()
    assert (done.returncode, world.moved()) == (1, False)
    assert world.remote_lines(done) == ["remote: gitops: no"]
    assert "! [remote rejected] HEAD -> main (pre-receive hook declined)" in done.stderr


@pytest.mark.parametrize(
    "body",
    [
        "import os\n" + main("os._exit(0)"),
        "import os\n" + main("os.kill(os.getpid(), 9)"),
        "import os, ctypes\n" + main("ctypes.string_at(0)"),
        main("raise SystemExit(0)"),
        "import sys\n" + main("sys.exit(0)"),
        main("raise KeyboardInterrupt"),
        "import os\n" + main("os.closerange(3, 200); return True"),
        "import os\n" + main("os.execv('/bin/true', ['true'])"),
        "import atexit, os\natexit.register(os._exit, 0)\n" + main("raise SystemExit(0)"),
        main("""
        try: raise SystemExit(1)
        finally: raise SystemExit(0)"""),
    ],
    ids=["exit", "kill", "crash", "system-exit", "sys-exit", "interrupt", "closed", "exec", "atexit", "finally"],
)
def test_a_judge_that_ends_without_a_verdict_refuses(world, body):
    world.judge(body)
    done = world.push()
    assert (done.returncode, world.moved()) == (1, False)
    assert world.remote_lines(done)[-1] == NOTHING_MOVED
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("answer", ["None", "1", "'accept'", "object()"])
def test_an_answer_that_is_not_true_itself_refuses(world, answer):
    world.judge(main(f"return {answer}"))
    assert world.push().returncode == 1
    assert not world.moved()


@pytest.mark.parametrize("garbage", ["accept", "\\n", "accept\\n", "x" * 500, "\\0accept\\n"])
def test_garbage_on_every_descriptor_is_no_verdict(world, garbage):
    body = f"""
        for fd in range(3, 64):
            try:
                if fd != protocol_out: os.write(fd, b'{garbage}')
            except OSError: pass
        os._exit(0)"""
    world.judge("import os\n" + main(body))
    done = world.push()
    assert (done.returncode, world.moved()) == (1, False)
    assert world.remote_lines(done)[-1] == NOTHING_MOVED


def test_garbage_before_a_true_verdict_spoils_it(world):
    body = """
        for fd in range(3, 64):
            try:
                if fd not in (protocol_in, protocol_out): os.write(fd, b'x')
            except OSError: pass
        return True"""
    world.judge("import os\n" + main(body))
    assert world.push().returncode == 1
    assert not world.moved()


def test_a_judge_that_hangs_is_ended_with_everything_it_started(world):
    world.env["GITOPS_HOOKS_JUDGE_SECONDS"] = "1"
    body = f"""
        child = subprocess.Popen(['sleep', '600'])
        open({str(world.folder / "pids")!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)"""
    world.judge("import os, signal, subprocess, time\n" + main(body))
    begun = time.monotonic()
    done = world.push()
    assert time.monotonic() - begun < 10
    assert (done.returncode, world.moved()) == (1, False)
    assert world.remote_lines(done) == [
        "remote: gitops: no verdict within 1 s; nothing was moved. Push again, or in smaller parts."
    ]
    pids = (world.folder / "pids").read_text().split()
    wait_until(lambda: not [pid for pid in pids if running(pid)])


def test_a_judge_that_was_cut_off_is_marked_and_one_that_answered_is_not(world):
    mark = world.folder / "unclean"
    world.env["GITOPS_HOOKS_UNCLEAN"] = str(mark)
    for answer in ("True", "False"):
        world.judge(main(f"return {answer}"))
        world.push()
        assert not mark.exists()
    world.judge("import os\n" + main("os._exit(0)"))
    world.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "two")
    world.push()
    assert mark.exists()


def test_what_an_accepting_judge_left_running_is_ended_and_does_not_hold_the_client(world):
    body = f"""
        child = subprocess.Popen(['sleep', '600'])
        open({str(world.folder / "pids")!r}, 'w').write(str(child.pid))
        return True"""
    world.judge("import subprocess\n" + main(body))
    begun = time.monotonic()
    assert world.push().returncode == 0
    assert time.monotonic() - begun < 10
    wait_until(lambda: not running((world.folder / "pids").read_text()))


def test_a_child_that_holds_the_pipe_open_does_not_hold_the_hook(world):
    body = """
        if os.fork() == 0:
            os.setsid()
            os.close(2); os.close(1)
            time.sleep(3)
            os._exit(0)
        os._exit(0)"""
    world.judge("import os, time\n" + main(body))
    begun = time.monotonic()
    done = world.push()
    assert time.monotonic() - begun < 10
    assert world.remote_lines(done)[-1] == NOTHING_MOVED


def test_our_bug_is_named_and_its_traceback_goes_to_the_journal_alone(world):
    world.judge(main("return {}['secret']"))
    done = world.push()
    assert done.returncode == 1
    assert world.remote_lines(done) == ["remote: gitops: our bug: KeyError (details in the server journal)"]
    journal = (world.folder / "journal.jsonl").read_text()
    assert "Traceback (most recent call last)" in journal
    assert '"kind": "bug", "place": "pre_receive", "class": "KeyError"' in journal


def test_an_edge_error_is_told_without_the_servers_paths(world):
    world.env["GITOPS_HOOKS_ACTOR"] = "alice"
    error = f"raise EdgeError({str(world.folder / 'users.toml')!r}, 'cannot be read\\x1b[31m')"
    world.judge("from gitops_hooks.model.errors import EdgeError\n" + main(error))
    done = world.push()
    assert world.remote_lines(done) == ["remote: gitops: users.toml: cannot be read\\x1b[31m"]


def test_every_fault_of_a_policy_is_told(world):
    error = "raise PolicyError('server.toml', (Fault(3, 'one'), Fault(0, 'two')))"
    world.judge("from gitops_hooks.model.errors import Fault, PolicyError\n" + main(error))
    assert world.remote_lines(world.push()) == [
        "remote: gitops: server.toml:3: one",
        "remote: gitops: server.toml: two",
    ]


def test_a_judge_that_cannot_be_imported_refuses(world):
    hook = HOOK.replace('sys.modules["gitops_hooks.entry.{name}"]', 'sys.modules["gitops_hooks.entry.guard"]')
    (world.hooks / "pre-receive").write_text(
        hook.format(python=sys.executable, root=str(ROOT), name="pre_receive", body=main("return True"))
    )
    (world.hooks / "pre-receive").chmod(0o755)
    done = world.push()
    assert (done.returncode, world.moved()) == (1, False)
    assert world.remote_lines(done) == [NOTHING_MOVED]


def test_the_judge_reads_the_commands_and_a_stray_print_is_a_message(world):
    body = """
        print('stray')
        os.system('echo shell')
        line = os.read(protocol_in, 4096)
        sys.stderr.write(f'{len(line.split())} {line.split()[2].decode()} {os.read(0, 10)!r}\\n')
        return True"""
    world.judge("import os, sys\n" + main(body))
    done = world.push()
    assert done.returncode == 0
    assert sorted(world.remote_lines(done)) == ["remote: 3 refs/heads/main b''", "remote: shell", "remote: stray"]


def test_installed_packages_are_there_for_the_judge(world):
    world.judge("import sys\n" + main("import pygit2; sys.stderr.write(pygit2.__name__); return True"))
    done = world.push()
    assert (done.returncode, world.remote_lines(done)) == (0, ["remote: pygit2"])


PROC = """
import os, sys
def packet(text): return b'%04x' % (len(text) + 4) + text
def read(protocol_in):
    size = int(os.read(protocol_in, 4), 16)
    return os.read(protocol_in, size - 4) if size else b''
def talk(protocol_in, protocol_out):
    while read(protocol_in): pass
    os.write(protocol_out, packet(b'version=1\\0push-options\\n') + b'0000')
    command = read(protocol_in)
    while read(protocol_in): pass
    # The options that were asked for, none or some: git fails to write them to who has gone.
    while read(protocol_in): pass
    return command.split()[2]
"""


def test_proc_receive_has_the_protocol_for_itself(world):
    world.git("-C", str(world.bare), "config", "receive.procReceiveRefs", "refs/heads")
    body = """
        ref = talk(protocol_in, protocol_out)
        print('a stray print spoils nothing')
        os.write(protocol_out, packet(b'ok ' + ref) + packet(b'option fall-through') + b'0000')
        return True"""
    world.judge(PROC + main(body), "proc_receive")
    done = world.push()
    assert (done.returncode, world.moved()) == (0, True), done.stderr
    assert world.remote_lines(done) == ["remote: a stray print spoils nothing"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os._exit(0)", f"the judge ended without a verdict; only what is reported above was done. {DOCTOR}"),
        ("import time; time.sleep(600)", "no verdict within 1 s; only what is reported above was done. Push again."),
    ],
)
def test_proc_receive_that_dies_or_hangs_moves_nothing(world, body, words):
    world.env["GITOPS_HOOKS_JUDGE_SECONDS"] = "1"
    world.git("-C", str(world.bare), "config", "receive.procReceiveRefs", "refs/heads")
    world.judge(PROC + main(f"talk(protocol_in, protocol_out); {body}"), "proc_receive")
    done = world.push()
    assert (done.returncode, world.moved()) == (1, False)
    assert f"remote: gitops: {words}" in world.remote_lines(done)


def test_a_failing_post_receive_says_that_the_push_is_done(world):
    world.judge("import os\n" + main("os._exit(0)"), "post_receive")
    done = world.push()
    assert (done.returncode, world.moved()) == (0, True)
    assert world.remote_lines(done) == [f"remote: gitops: the push is done; only the news of it failed. {DOCTOR}"]


def test_a_verdict_that_comes_as_the_wait_for_it_runs_out_is_heard(monkeypatch):
    """Between looking at the pipe in vain and asking whether the judge lives, it writes its verdict and ends."""
    reader, writer = os.pipe()
    now, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(now, 1)
        os.write(writer, b"nonce accept\n")
        os._exit(0)
    os.close(writer)
    waits = []

    def wait(*words):
        waits.append(words)
        if len(waits) == 1:
            os.write(begin, b".")
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        return REAL_WAIT(*words) if len(waits) > 1 else ([], [], [])

    monkeypatch.setattr(parent.select, "select", wait)
    said = parent._read_verdict(child, reader, time.monotonic() + 20)
    monkeypatch.undo()
    for end in (reader, now, begin):
        os.close(end)
    os.waitpid(child, 0)
    assert (said, len(waits)) == (b"nonce accept\n", 2)


def test_the_parent_imports_nothing_that_costs_time():
    script = "import sys; sys.path.append(sys.argv[1]); import gitops_hooks.entry.parent; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-IS", "-c", script, str(ROOT)], capture_output=True, text=True, timeout=20)
    loaded = set(done.stdout.split())
    assert "gitops_hooks.entry.parent" in loaded
    assert not loaded & {"re", "site", "subprocess", "dataclasses", "typing", "pathlib", "pluggy", "json"}


def running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
