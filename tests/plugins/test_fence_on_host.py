"""The fence as a host runs it, in both of its forms: they let through, refuse and hold alike."""

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.model.deployment import Deployment
from gitops_hooks.model.policy import Environment
from gitops_hooks.plugins.ansible import fence as fence_of_run
from gitops_hooks.plugins.ansible import on_host_fence, on_host_take
from gitops_hooks.plugins.ansible.events import Listener
from tests.waiting import wait_until

HERE = Path(on_host_fence.__file__).parent
FORMS = {
    "python": (sys.executable, "-I", "-S", (HERE / "on_host_fence.py").read_text()),
    "shell": ("/bin/sh", (HERE / "on_host_fence.sh").read_text()),
}
HELD = "gitops-hooks: the lock of this host is held or missing; another run takes the host\n"


@pytest.fixture(params=FORMS)
def fence(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """What each command of the run `r-1` begins with; its host belongs to that run."""
    *reader, text = FORMS[request.param]
    (tmp_path / "lock").touch()
    (tmp_path / "current").write_text("r-1")
    (tmp_path / "fence-r-1").write_text(text)
    return [*reader, str(tmp_path / "fence-r-1")]


def passes(fence: list[str], command: str, shell: str = "/bin/sh") -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "SHELL": shell}
    return subprocess.run([*fence, command], capture_output=True, text=True, env=environ, timeout=20)


def test_a_command_of_the_run_goes_to_the_login_shell_as_it_is(fence: list[str]) -> None:
    done = passes(fence, 'echo "it\'s $((1 + 1))"; exit 3')

    assert (done.returncode, done.stdout, done.stderr) == (3, "it's 2\n", "")


ASKED = "printf '[%s]' \"a  b\" 'c\\d' \"e'f\" $((1 + 1)); exit 3"
# Each is read by a shell, and by nothing that only looks like one: as a login shell reads it, or not at all.
COMMANDS = {
    "one word": "/bin/sh -c 'echo on && exit 3'",
    "as Python quotes it": f"/bin/sh -c {shlex.quote(ASKED)}",
    "quoted twice, as for another user": f"/bin/sh -c {shlex.quote(f'/bin/sh -c {shlex.quote(ASKED)}')}",
    "lines": "/bin/sh -c 'echo a\necho \"b\n c\"\n'",
    "an empty word": "/bin/sh -c ''",
    "a quote at its end": "/bin/sh -c " + shlex.quote("echo 'a'"),
    "two words": "/bin/sh -c 'echo $0' 'b'",
    "two commands": "/bin/sh -c 'echo a' && echo 'b'",
    "what looks quoted outside of quotes": "/bin/sh -c 'echo a' \"x\"'\"'\"'b'",
    "a word that goes on": "/bin/sh -c 'echo a'b'c'",
    "a quote that does not end": "/bin/sh -c 'echo a",
    "a quote alone": "/bin/sh -c '",
    "another program": "/bin/echo -c 'a'",
    "before it": "X=1 /bin/sh -c 'echo a'",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_what_it_says_without_a_fence(fence: list[str], command: str) -> None:
    environ = {"PATH": os.environ["PATH"]}
    bare = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, env=environ, timeout=20)
    done = passes(fence, command)

    assert (done.returncode, done.stdout, bool(done.stderr)) == (bare.returncode, bare.stdout, bool(bare.stderr))


def test_the_light_one_starts_no_second_login_shell_for_what_ansible_sends(tmp_path: Path) -> None:
    """The login shell has started the fence; where the command is one for /bin/sh, it would only take quotes off."""
    shell, text = FORMS["shell"]
    fence = tmp_path / "fence-r-1"
    (tmp_path / "lock").touch()
    (tmp_path / "current").write_text("r-1")
    fence.write_text(text)

    once = [passes([shell, str(fence)], COMMANDS[name], "/bin/false").returncode for name in LIGHT]
    assert once == [3, 3, 3]
    assert passes([shell, str(fence)], COMMANDS["two commands"], "/bin/false").returncode == 1


LIGHT = ("one word", "as Python quotes it", "quoted twice, as for another user")


def test_it_is_held_until_the_last_program_of_the_command_has_ended(fence: list[str], tmp_path: Path) -> None:
    command = "exec 3<&0; cat <&3 >/dev/null & echo on; exit 0"
    with subprocess.Popen([*fence, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdin
        assert started.wait(20) == 0
        with (tmp_path / "lock").open() as lock:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            started.stdin.close()
            wait_until(lambda: is_free(lock.fileno()))


def is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("current", ["r-2", "r-1x", "r", ""])
def test_a_host_that_belongs_to_another_run_is_refused(fence: list[str], tmp_path: Path, current: str) -> None:
    (tmp_path / "current").write_text(current)
    done = passes(fence, "echo through")

    words = f"gitops-hooks: this host belongs to run {current} now, and run r-1 is over\n"
    assert (done.returncode, done.stdout, done.stderr) == (255, "", words)
    assert told(done.stderr) == (words.removeprefix("gitops-hooks: ").strip(), True)


def test_a_refused_command_takes_the_module_on_its_way_in_first(fence: list[str], tmp_path: Path) -> None:
    """More than a pipe holds, and sent late: Ansible hides the words of an ssh that ended before it had all."""
    (tmp_path / "current").write_text("r-2")
    with subprocess.Popen([*fence, "cat"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdin and started.stderr
        said = started.stderr.readline()
        started.stdin.write(b"x" * 1_000_000)
        started.communicate(timeout=10)

    assert (started.returncode, b"belongs to run r-2 now" in said) == (255, True)


def test_a_refused_command_that_brings_nothing_ends_by_itself_and_keeps_no_lock(
    fence: list[str], tmp_path: Path
) -> None:
    (tmp_path / "current").write_text("r-2")
    with (
        subprocess.Popen([*fence, "cat"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as started,
        (tmp_path / "lock").open() as lock,
    ):
        assert started.stderr
        assert started.stderr.readline().startswith(b"gitops-hooks: ")
        started.send_signal(signal.SIGSTOP)
        assert started.poll() is None and is_free(lock.fileno())
        started.send_signal(signal.SIGCONT)
        assert started.wait(10) == 255


def told(said: str) -> tuple[str, bool]:
    """What a person reads where Ansible passes on what the fence said, and whether it counts as the fence's word."""
    listener = Listener(Path("/project"), lambda progress: None, lambda text: "")
    message = f"Task failed: Failed to connect to the host via ssh: {said}"
    data = {"host": "web1", "task": "write", "res": {"unreachable": True, "msg": message}}
    listener.take({"event": "runner_on_unreachable", "event_data": data})
    trouble = listener.record.lost["web1"]
    return trouble.message, trouble.refused


def test_a_host_that_another_run_is_taking_is_refused(fence: list[str], tmp_path: Path) -> None:
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = passes(fence, "echo through")

    assert (done.returncode, done.stdout, done.stderr) == (255, "", HELD)
    assert told(done.stderr) == (HELD.removeprefix("gitops-hooks: ").strip(), True)


@pytest.mark.parametrize("gone", ["lock", "current"])
def test_what_is_missing_refuses(fence: list[str], tmp_path: Path, gone: str) -> None:
    (tmp_path / gone).unlink()
    done = passes(fence, "echo through")

    assert (done.returncode, done.stdout, done.stderr) == (255, "", HELD)


@pytest.fixture(params=[True, False])
def flock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, bool]]:
    """A folder that stands for PATH, and whether `flock` is there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if request.param:
        (folder / "flock").symlink_to("/usr/bin/flock")
    yield folder, request.param


def test_which_one_a_host_gets_depends_on_the_host_and_on_the_run(flock: tuple[Path, bool], tmp_path: Path) -> None:
    folder, there = flock
    for light in ("# the light one\n", ""):
        answer = take(tmp_path, folder, light)
        wanted = "/bin/sh" if there and light and usable_shell() else ""
        written = Path(answer["fence"]).read_text()

        assert (answer["state"], answer["shell"]) == ("taken", wanted)
        assert written == (light if wanted else "# the other one\n")


def take(home: Path, path: Path, light: str) -> dict[str, str]:
    job = {
        "host": "h", "environment": "e", "generation": 1, "run": "r-1", "wait": 5.0, "look": False, "silence": 5.0,
        "fence": len("# the other one\n"), "light": len(light), "pythons": ["python3.99", "python3"],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{Path(on_host_take.__file__).read_text()}\nmain({job!r})"],
        input=f"# the other one\n{light}",
        capture_output=True,
        text=True,
        env={"HOME": str(home), "PATH": str(path)},
        timeout=20,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", ["python3.99", "python3", "/usr/bin/env", "/usr/bin/absent", "absent"])
def test_a_python_is_found_as_a_shell_finds_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two, and not what cannot be run; of whole paths dash finds that too, which Ansible would fail at."""
    for place in ("first", "second"):
        (tmp_path / place).mkdir()
    for program in ("second/python3.99", "second/python3", "first/python3"):
        (tmp_path / program).touch(mode=0o755)
    (tmp_path / "first/python3.99").touch(mode=0o644)
    (tmp_path / "first/absent").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/first:{tmp_path}/second:{os.environ['PATH']}")

    told = subprocess.run(["/bin/sh", "-c", f"command -v '{name}'"], capture_output=True, text=True, timeout=20)

    assert on_host_take.found_as(name) == told.stdout.strip()
    assert on_host_take.found_as("/usr/bin") == on_host_take.found_as("/etc/passwd") == ""


@pytest.mark.parametrize("text", ["", "a b", '"\\', "\x00\t\n\x7f", "höst", "🖧 x", "\udc80", "\\u0041"])
def test_what_it_says_is_json(text: str) -> None:
    assert json.loads(on_host_take.quoted(text)) == text
    assert on_host_take.quoted(text).isascii() and on_host_take.quoted(text).isprintable()


# All that Dropbear takes for a command.
DROPBEAR = 9000


@pytest.mark.parametrize("look", [False, True])
def test_what_takes_a_host_is_no_longer_than_any_server_of_ssh_takes(look: bool) -> None:
    named = ("e" * 100, "refs/heads/main", "ansible", "site.yml", "inventory", None, "policy:1")
    deployment = Deployment("r" * 32, Environment(*named), "c" * 40, 10**9, "a" * 100, look=look)
    job = fence_of_run._job(b"key", deployment, 12345.678, fence_of_run._forms(whole=False))

    assert len(fence_of_run._command("/usr/bin/" + "python" * 20, job)) < DROPBEAR


def usable_shell() -> bool:
    return Path("/bin/sh").resolve().name in on_host_take.SHELLS
