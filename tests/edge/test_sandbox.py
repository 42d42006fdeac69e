"""What confined work can and cannot do, behind each wall, as root and as nobody in particular."""

import ctypes
import errno
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.sandbox import Confined, SandboxLimits, Wall, probe, run_confined
from tests.waiting import wait_until

PACKAGE = Path(__file__).resolve().parent.parent.parent / "gitops_hooks"
QUICK = SandboxLimits(seconds=5.0, memory=64 * 1024 * 1024, output=1000)
NAMESPACES = (Wall.USER_NAMESPACE, Wall.NAMESPACES)
# Only root can build namespaces without a user namespace.
WALLS = tuple(Wall) if os.geteuid() == 0 else (Wall.USER_NAMESPACE, Wall.LANDLOCK)


def confine(work, wall=Wall.USER_NAMESPACE, readable=(), limits=QUICK):
    return run_confined(work, readable=readable, limits=limits, walls=(wall,))


def in_json(work, wall=Wall.USER_NAMESPACE, readable=(), limits=QUICK):
    confined = confine(lambda: json.dumps(work()).encode(), wall, readable, limits)
    assert confined.failure == ""
    return json.loads(confined.output)


def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"


@pytest.fixture
def private(tmp_path) -> Path:
    """A folder that nobody but its owner may enter."""
    folder = tmp_path / "repository.git"
    folder.mkdir(mode=0o700)
    (folder / "object").write_text("bytes")
    (folder / "object").chmod(0o600)
    return folder


@pytest.mark.parametrize("wall", WALLS)
def test_the_answer_of_confined_work_comes_back(wall):
    assert confine(lambda: b"answer", wall) == Confined(output=b"answer")


@pytest.mark.parametrize("wall", WALLS)
def test_what_may_be_read_is_read_even_from_a_private_folder(wall, private):
    assert confine((private / "object").read_bytes, wall, [private]).output == b"bytes"


@pytest.mark.parametrize("wall", WALLS)
def test_a_private_file_is_also_found_by_access_as_libraries_ask(wall, private):
    assert in_json(lambda: [os.access(private / "object", mode) for mode in (os.F_OK, os.R_OK)], wall, [private]) == [
        True,
        True,
    ]


@pytest.mark.parametrize("wall", WALLS)
def test_what_was_open_for_reading_below_a_readable_folder_stays_open(wall, private, tmp_path):
    (tmp_path / "secret").write_text("key")
    with (private / "object").open("rb", 0) as shown, (tmp_path / "secret").open("rb", 0) as hidden:
        numbers = (shown.fileno(), hidden.fileno())
        result = in_json(lambda: [attempt(lambda n=n: os.fstat(n)) for n in numbers], wall, [private])
    assert result == ["done", "OSError"]


@pytest.mark.parametrize("wall", WALLS)
def test_nothing_else_of_the_machine_can_be_read(wall, private, tmp_path):
    (tmp_path / "server_key").write_text("key")
    home = pwd.getpwuid(os.geteuid()).pw_dir
    places = ["/etc/passwd", "/proc/1/environ", str(tmp_path / "server_key"), "/root/.ssh", f"{home}/.ssh", "/dev/vda"]
    opened = in_json(lambda: [attempt(lambda p=p: os.open(p, os.O_RDONLY)) for p in places], wall, [private])
    assert "done" not in opened


@pytest.mark.parametrize("wall", WALLS)
def test_nothing_can_be_written_anywhere(wall, private):
    places = [private / "object", private / "new", Path("/new"), Path("/usr/new"), Path("/tmp/new")]
    written = in_json(lambda: [attempt(lambda p=p: p.write_text("x")) for p in places], wall, [private])
    assert "done" not in written
    assert (private / "object").read_text() == "bytes"


@pytest.mark.parametrize("wall", NAMESPACES if os.geteuid() == 0 else NAMESPACES[:1])
def test_the_root_folder_holds_only_what_was_shown(wall, private):
    folders = set(in_json(lambda: [path.name for path in Path("/").iterdir()], wall, [private]))
    shown = (sys.prefix, sys.base_prefix, PACKAGE, private, "/usr", *sys.path)
    needed = {Path(path).absolute().parts[1] for path in shown}
    assert folders <= needed | {"lib", "lib32", "lib64", "libx32"}


@pytest.mark.parametrize("wall", WALLS)
def test_the_environment_is_empty_and_imports_still_work(wall, monkeypatch):
    monkeypatch.setenv("VAULT_PASSWORD", "hunter2")

    def look():
        import colorsys

        return [dict(os.environ), colorsys.__name__]

    assert in_json(look, wall) == [{}, "colorsys"]


@pytest.mark.parametrize("wall", WALLS)
def test_there_is_no_network(wall):
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        reached = in_json(lambda: attempt(lambda: socket.create_connection(place, 1).close()), wall)
    assert reached in ("OSError", "PermissionError")


@pytest.mark.parametrize("wall", WALLS)
def test_no_capability_but_reading_is_left_and_none_can_be_gained(wall):
    def look():
        libc = ctypes.CDLL(None, use_errno=True)
        mounts = [libc.mount(b"none", b"/", b"", 0x1000 | 0x20, None), libc.umount2(b"/usr", 2), libc.chroot(b"/usr")]
        return [mounts, libc.prctl(39, 0, 0, 0, 0), os.geteuid() != 0, attempt(lambda: os.setuid(0)) == "done"]

    assert in_json(look, wall) == [[-1, -1, -1], 1, True, os.geteuid() == 0 and False]


@pytest.mark.parametrize("wall", NAMESPACES if os.geteuid() == 0 else NAMESPACES[:1])
def test_a_further_user_namespace_does_not_make_the_folders_writable(wall, private):
    def escape():
        libc = ctypes.CDLL(None, use_errno=True)
        libc.unshare(0x10000000 | 0x00020000)
        where = os.fsencode(private)
        libc.mount(b"none", where, b"", 0x1000 | 0x20, None)
        libc.umount2(where, 2)
        return attempt(lambda: (private / "new").write_text("x"))

    assert in_json(escape, wall, [private]) != "done"
    assert not (private / "new").exists()


@pytest.mark.parametrize("wall", WALLS)
def test_a_further_user_namespace_is_not_to_be_had(wall):
    def ask():
        libc = ctypes.CDLL(None, use_errno=True)
        asked = [libc.unshare(0x10000000), libc.unshare(0x10000000 | 0x00020000), libc.setns(0, 0)]
        return [asked, ctypes.get_errno()]

    assert in_json(ask, wall) == [[-1, -1, -1], errno.EPERM]


def forever():
    while True:
        pass


def eat_memory():
    return b"".join(bytes(10 * 1024 * 1024) for _ in range(10_000))


def print_something():
    os.write(1, b"all is well")
    return b"answer"


def give_a_gigabyte():
    return bytes(20 * 1024 * 1024)


def leave_by_the_back_door():
    os._exit(0)


def crash():
    ctypes.string_at(0)


def interrupt():
    raise KeyboardInterrupt


def leave():
    raise SystemExit(0)


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize(
    ("work", "failure"),
    [
        (eat_memory, "raised MemoryError"),
        (print_something, "wrote to standard output"),
        (give_a_gigabyte, "said more than 1000 bytes"),
        (leave_by_the_back_door, "ended without an answer"),
        (crash, "killed by signal 11 (SIGSEGV)"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (interrupt, "raised KeyboardInterrupt"),
        (leave, "raised SystemExit"),
        (lambda: "text", "raised TypeError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_work_that_misbehaves_fails_in_words(wall, work, failure):
    assert confine(work, wall) == Confined(failure=failure)


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("work", [forever, lambda: time.sleep(60)], ids=["busy", "asleep"])
def test_work_that_never_ends_is_ended_at_its_time(wall, work):
    began = time.monotonic()
    confined = confine(work, wall, limits=SandboxLimits(seconds=0.3))
    assert confined == Confined(failure="took longer than 0.3 s")
    assert time.monotonic() - began < 3


def answers_of(descriptors, said):
    """Say something on every descriptor that is open, then leave as if all were well."""
    for descriptor in descriptors:
        try:
            os.write(descriptor, said)
        except OSError:
            continue
    os._exit(0)


@pytest.mark.parametrize("said", [b"O", b"O%016d" % 2 + b"[]", b"0" * 32 + b"O%016d" % 2 + b"[]", b"\0" * 500])
def test_an_answer_without_the_nonce_is_none(said):
    assert confine(lambda: answers_of(range(3, 100), said)) == Confined(failure="ended without an answer")


NAME = f"work-of-{os.getpid()}"


def be_named():
    """Give this program, and what it starts, a name that the whole machine sees."""
    assert ctypes.CDLL(None).prctl(15, NAME.encode(), 0, 0, 0) == 0


def programs_of_ours() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text()
        except OSError:
            continue
        if f"({NAME[:15]})" in fields and fields.rsplit(")", 1)[1].split()[0] != "Z":
            found.append(folder.name)
    return found


def become_a_daemon():
    """Fork twice, leave the session and outlive the work, holding every pipe open."""
    be_named()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(300)
        os._exit(0)
    os.wait()
    return b"answer"


@pytest.mark.parametrize("wall", NAMESPACES if os.geteuid() == 0 else NAMESPACES[:1])
def test_a_daemon_fails_the_work_and_does_not_survive_it(wall):
    assert confine(become_a_daemon, wall) == Confined(failure="left a program running")
    assert programs_of_ours() == []


def test_behind_landlock_nothing_can_be_started_at_all():
    assert confine(become_a_daemon, Wall.LANDLOCK) == Confined(failure="raised BlockingIOError")


def fork_for_ever():
    be_named()
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def test_a_fork_bomb_is_bounded_and_ends_with_its_time():
    assert confine(fork_for_ever, limits=SandboxLimits(seconds=1.0)).failure == "took longer than 1 s"
    assert programs_of_ours() == []


def start_one():
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return b"started"


@pytest.mark.parametrize("wall", NAMESPACES if os.geteuid() == 0 else NAMESPACES[:1])
def test_a_fork_bomb_leaves_the_work_beside_it_what_it_may_start(wall):
    bomb = os.fork()
    if bomb == 0:
        confine(fork_for_ever, wall, limits=SandboxLimits(seconds=60.0))
        os._exit(0)
    try:
        wait_until(lambda: len(programs_of_ours()) >= SandboxLimits().tasks)
        assert confine(start_one, wall) == Confined(output=b"started")
    finally:
        os.kill(bomb, signal.SIGKILL)
        os.waitpid(bomb, 0)
    wait_until(lambda: programs_of_ours() == [])


@pytest.mark.parametrize("wall", WALLS)
def test_confined_work_cannot_signal_who_started_it(wall):
    parent, session = os.getpid(), os.getpgid(0)

    def strike():
        for target in (parent, -session, os.getppid() or parent, 0):
            attempt(lambda t=target: os.kill(t, signal.SIGTERM) if t else None)
        return b"alive"

    assert confine(strike, wall) == Confined(output=b"alive")


def open_descriptors():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_nothing_is_left_open_and_nobody_is_left_to_reap():
    descriptors = open_descriptors()
    for _ in range(20):
        confine(lambda: b"x")
    assert open_descriptors() == descriptors
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def sleep_long():
    be_named()
    time.sleep(300)
    return b""


def test_work_ends_when_the_program_that_wanted_it_is_killed():
    waiter = os.fork()
    if waiter == 0:
        confine(sleep_long, limits=SandboxLimits(seconds=300))
        os._exit(0)
    deadline = time.monotonic() + 10
    while not programs_of_ours() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert programs_of_ours()
    os.kill(waiter, signal.SIGKILL)
    os.waitpid(waiter, 0)
    while programs_of_ours() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert programs_of_ours() == []


def test_probe_is_empty_where_checks_can_be_confined():
    assert probe() == ""


@pytest.fixture
def shared_package() -> Iterator[Path]:
    """The package where everybody can read it, whatever this checkout's folder allows."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(PACKAGE, folder / "gitops_hooks", ignore=shutil.ignore_patterns("__pycache__"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def run_as_nobody(package: Path, script: str) -> list[object]:
    """Run a script without any right; by the machine's python3 where nobody may not run this interpreter."""
    body = f"import sys; sys.path.insert(0, {str(package)!r})\nimport json, os\n{script}\nprint(json.dumps(answer))"
    asked = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    readable = shutil.which(sys.executable) and all(
        folder.stat().st_mode & 0o001 for folder in Path(sys.executable).resolve().parents
    )
    python = sys.executable if readable else "/usr/bin/python3"
    ran = subprocess.run(
        [python, "-I", "-B", "-c", body], capture_output=True, timeout=60, check=False, cwd="/", env={}, **asked
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    return json.loads(ran.stdout)


def test_somebody_without_rights_gets_the_same_sandbox(shared_package):
    script = """
from pathlib import Path
from gitops_hooks.edge.sandbox import *
def look():
    out = [os.getpid(), sorted(os.listdir("/")) == [], os.path.exists("/etc"), os.path.exists("/proc")]
    try:
        Path("/usr/new").write_text("")
    except OSError:
        out.append("read-only")
    return json.dumps(out).encode()
def daemon():
    if os.fork() == 0:
        import time
        time.sleep(300)
    return b""
def hang():
    while True: pass
limits = SandboxLimits(seconds=1.0)
answer = [probe(), json.loads(run_confined(look, readable=[], walls=[Wall.USER_NAMESPACE]).output)]
answer += [run_confined(work, readable=[], limits=limits).failure for work in (daemon, hang, lambda: os._exit(0))]
"""
    assert run_as_nobody(shared_package, script) == [
        "",
        [1, False, False, False, "read-only"],
        "left a program running",
        "took longer than 1 s",
        "ended without an answer",
    ]


WITHOUT_NAMESPACES = """
from pathlib import Path
from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.sandbox_child import write_maps
from gitops_hooks.edge.sandbox import *
user, group = os.geteuid(), os.getegid()
kernel.unshare(kernel.NEW_USERS)
Path("/proc/self/setgroups").write_text("deny")
write_maps(Path("/proc/self"), f"{user} {user} 1", f"{group} {group} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
kernel.empty_bounding_set()
kernel.set_capabilities(frozenset())
def look():
    try:
        open("/etc/passwd")
    except PermissionError:
        return b"confined"
"""


def test_where_namespaces_are_forbidden_landlock_confines(shared_package):
    script = WITHOUT_NAMESPACES + "\nanswer = [probe(), run_confined(look, readable=[]).output.decode()]"
    assert run_as_nobody(shared_package, script) == ["", "confined"]


def test_without_any_wall_nothing_runs_and_the_line_that_cures_is_said(shared_package):
    script = WITHOUT_NAMESPACES + "\nanswer = [probe([Wall.USER_NAMESPACE, Wall.NAMESPACES])]"
    assert run_as_nobody(shared_package, script) == [
        "no sandbox here (user namespace: unshare: No space left on device; "
        "namespaces: unshare: Operation not permitted). Run as root: "
        "echo user.max_user_namespaces=15000 > /etc/sysctl.d/60-gitops-hooks.conf && sysctl --system"
    ]
