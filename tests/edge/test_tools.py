"""Outside tools: what they see, what they can do, and that nothing of them stays, as root and as an ordinary user."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.box_user import choose_box_user
from gitops_hooks.edge.forbidden_calls import rules
from gitops_hooks.edge.sandbox_child import write_maps
from gitops_hooks.edge.sandbox_root import user_home
from gitops_hooks.edge.tool_box import Passwd, View, box_command, find_tool, visible_folders
from gitops_hooks.edge.tool_run import Bounds, run_boxed
from gitops_hooks.edge.tools import probe_tools, tool_version
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.tool import Tool
from gitops_hooks.testing import EXECUTABLE, SYMLINK, MemoryTree
from tests.edge.boxes import LIMITS, ORDINARY, WHO, Tools, tools_of
from tests.waiting import wait_until

MARK = "31.00457"  # seconds that only tools of these tests sleep


@pytest.fixture(params=WHO)
def tools(request: pytest.FixtureRequest) -> Iterator[Tools]:
    with tools_of(request.param) as found:
        yield found


def asleep() -> list[int]:
    return [one.pid for one in living.list_living() if MARK in one.argv]


def test_a_tool_answers_with_its_code_and_all_that_it_wrote(tools):
    ran = tools("sh", "-c", "cat; echo wrong >&2; exit 7", stdin=b"words\n")
    assert (ran.status, ran.stdout, ran.stderr, ran.cut, ran.timed_out) == (7, b"words\n", b"wrong\n", "", False)


def test_a_tool_that_is_killed_tells_the_signal(tools):
    assert tools("sh", "-c", "kill -9 $$").status == 128 + 9


def test_a_large_input_is_read_while_much_is_written(tools):
    ran = tools("cat", stdin=b"x" * 99_000)
    assert ran.stdout == b"x" * 99_000
    assert tools("sh", "-c", "exit 3", stdin=b"x" * 10**6).status == 3


def test_a_tool_sees_the_paths_that_were_given_and_no_others(tools):
    assert tools("sh", "-c", "pwd; ls -R", files=("roles/web", "gone")).stdout.split() == [
        *(b"/tree", b".:", b"roles", b"./roles:", b"web", b"./roles/web:", b"tasks", b"./roles/web/tasks:"),
        b"main.yml",
    ]
    assert tools("ls").stdout == b""


def test_the_whole_tree_with_its_modes_is_read_and_not_written(tools):
    ran = tools(
        "sh", "-c", "ls; bin/run; echo x > new || echo x > site.yml || rm site.yml || cat site.yml", files=(".",)
    )
    assert ran.stdout == b"bin\nroles\nsite.yml\nran\na: 1\n"


def test_a_copy_of_the_tree_may_be_written_to(tools):
    ran = tools("sh", "-c", "echo x > roles/new; rm site.yml; ls . roles", files=(".",), writable=True)
    assert ran.stdout.split() == [b".:", b"bin", b"roles", b"roles:", b"new", b"web"]
    assert tools("ls", files=(".",)).stdout.split() == [b"bin", b"roles", b"site.yml"]


def test_symlinks_that_leave_the_tree_submodules_and_names_that_are_none_are_left_out(tools):
    modes = dict.fromkeys(("in", "a/up", "out", "a/out", "etc"), SYMLINK) | {"sub": 0o160000, "x": EXECUTABLE}
    files = {"in": b"a/f", "a/up": b"../x", "out": b"../f", "a/out": b"../../f", "etc": b"/etc", "sub": b"", "x": b""}
    tree = MemoryTree({**files, "a/f": b"f", ".git/config": b"[core]", "a/.GIT/x": b""}, modes)
    ran = tools("sh", "-c", "ls -A . a; cat in", files=(".",), tree=tree)
    assert ran.stdout.split() == [b".:", b"a", b"in", b"x", b"a:", b"f", b"up", b"f"]


def test_files_that_a_check_gives_lie_beside_the_tree(tools):
    ran = tools("sh", "-c", "cat /given/a /given/b/c; echo x > /given/a", given=(("a", b"1"), ("b/c", b"2")))
    assert (ran.stdout, ran.status != 0) == (b"12", True)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "", ".git/hooks"])
def test_a_given_file_cannot_lie_elsewhere(tools, name):
    assert tools.ask("ls", given=((name, b""),)).refusal.endswith("is no name of a file that can be given to a tool")


def test_its_environment_holds_nothing_but_what_it_needs(tools):
    words = tools("A=b", "PATH=/bin:/usr/bin", "sh", "-c", "env").stdout.decode().split("\n")
    assert sorted(word for word in words if word and not word.startswith(("PWD=", "OLDPWD=", "_=", "SHLVL="))) == [
        *("A=b", "HOME=/tmp", "LANG=C.UTF-8", "PATH=/bin:/usr/bin", "TMPDIR=/tmp", "USER=tool"),
    ]


def test_it_is_nobody_in_particular_and_has_no_rights(tools):
    ran = tools("sh", "-c", "id -u; id -un; grep -E 'Cap(Eff|Bnd|Prm)|NoNewPrivs' /proc/self/status")
    number, name, *rights = ran.stdout.decode().split("\n")[:-1]
    assert name == "tool"
    if tools.who == "root":
        assert int(number) >= 0x7000_0000 and number != tools("id", "-u").stdout.decode().strip()
    else:
        assert int(number) == (ORDINARY if os.geteuid() == 0 else os.geteuid())
    assert [line.split()[1].strip("0") for line in rights if line.startswith("Cap")] == ["", "", ""]
    assert "NoNewPrivs:\t1" in rights


def test_it_has_no_network(tools):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        ran = tools("bash", "-c", f"echo x > /dev/tcp/127.0.0.1/{port} && echo reached; cat /proc/net/dev")
    assert b"reached" not in ran.stdout
    assert [line.split(b":")[0].strip() for line in ran.stdout.split(b"\n")[2:-1]] == [b"lo"]


def test_it_sees_no_home_no_other_program_and_no_file_of_the_server(tools, tmp_path):
    (tmp_path / "key").write_text("secret")
    places = f"{tmp_path}/key {Path.home()} /etc/shadow /etc/ssh /var /run {tools.scratch}"
    ran = tools("sh", "-c", f"cat {tmp_path}/key; ls -d {places}; ls /proc | grep -c '^[0-9]'")
    assert b"secret" not in ran.stdout
    assert ran.stdout.split(b"\n")[:-2] == []
    assert int(ran.stdout.split(b"\n")[-2]) < 8


def test_a_tool_that_hangs_is_ended_in_time_and_said_so(tools):
    began = time.monotonic()
    answer = tools.ask("sleep", MARK, seconds=0.5)
    assert (answer.ran.cut, answer.ran.timed_out) == ("took longer than 0.5 s", True)
    assert answer.faults == ("sleep: took longer than 0.5 s",)
    assert time.monotonic() - began < 4
    assert asleep() == []


def test_what_it_leaves_running_ends_with_it(tools):
    ran = tools("sh", "-c", f"setsid sleep {MARK} & (setsid sh -c 'sleep {MARK}' &) ; exit 4")
    assert ran.status == 4
    assert asleep() == []


def test_it_cannot_end_what_it_did_not_start(tools):
    ran = tools("sh", "-c", "kill -9 $PPID; kill -9 1; kill -9 -1; echo alive")
    assert (ran.stdout, ran.status) == (b"alive\n", 0)


def test_a_gigabyte_of_output_ends_it(tools):
    answer = tools.ask("yes")
    assert answer.faults == ("yes: said more than 100000 bytes",)
    assert len(answer.ran.stdout) == 100_000
    assert tools.ask("sh", "-c", "yes >&2").faults == ("sh: said more than 100000 bytes",)


def test_what_one_program_may_hold_is_bounded(tools):
    """By the kernel, which refuses it more, or by us, whoever comes first."""
    began = time.monotonic()
    answer = tools.ask("sh", "-c", "tail /dev/zero || echo ended")
    assert answer.faults == ("sh: used more than 134217728 bytes of memory",) or answer.ran.stdout == b"ended\n"
    assert time.monotonic() - began < 5


def test_what_many_programs_hold_together_is_bounded(tools):
    """Each stays below the limit of one; and holds it, since a subshell becomes its last command."""
    eat = f"a=$(head -c 20000000 /dev/zero | tr '\\0' x); sleep {MARK}; :"
    answer = tools.ask("bash", "-c", f"for i in 1 2 3 4 5 6 7 8; do ({eat}) & done; wait")
    assert answer.faults == ("bash: used more than 134217728 bytes of memory",), answer
    assert asleep() == []


def test_a_fork_bomb_ends_with_its_limit_and_is_gone(tools):
    began = time.monotonic()
    answer = tools.ask("bash", "-c", f"b() {{ b | b & sleep {MARK}; }}; b; wait", seconds=2.0)
    assert answer.ran.status != 0
    assert time.monotonic() - began < 10
    assert asleep() == []


def test_a_fork_bomb_leaves_the_tool_beside_it_what_it_may_start(tools):
    many = f"while :; do sleep {MARK} & done"
    bomb = threading.Thread(target=tools.ask, args=("bash", "-c", many), kwargs={"seconds": 60.0})
    bomb.start()
    try:
        wait_until(lambda: len(asleep()) >= LIMITS.tool_tasks // 2)
        assert tools("sh", "-c", "for i in 1 2 3; do cat /dev/null & done; wait; ls | cat; echo all").stdout == b"all\n"
    finally:
        living.end([one for one in living.list_living() if one.argv == ("bash", "-c", many)], gentle_seconds=0)
        bomb.join()
    assert asleep() == []


def test_it_cannot_fill_the_disk(tools):
    ran = tools(
        "sh", "-c", "for i in 1 2 3; do head -c 9000000 /dev/zero > /tmp/$i; done; du -skx /tmp /dev/shm; touch /x"
    )
    assert int(ran.stdout.split()[0]) <= 4096
    assert ran.status != 0
    full = tools("sh", "-c", "head -c 30000000 /dev/zero > /dev/shm/x; head -c 9000 /dev/zero > /dev/x")
    assert full.status != 0


@pytest.mark.parametrize(
    ("limits", "files"), [({"tool_tree": 10}, (".",)), ({"tool_files": 2}, (".",)), ({"tool_files": 1}, ("roles",))]
)
def test_a_tree_over_the_limits_is_not_given(tools, limits, files):
    answer = tools.ask("ls", files=files, limits=replace(LIMITS, **limits))
    assert "raise tool_tree or tool_files in server.toml" in answer.refusal


def test_a_tool_that_the_check_does_not_declare_is_not_run(tools):
    words = "is no tool that this check declares, or this server has none of that name"
    assert tools.ask("env", "ls").refusal == f"env: {words}"
    assert tools.ask("nosuch").refusal == f"nosuch: {words}"


def test_nothing_is_left_behind_on_the_disk(tools):
    answer = tools.ask("sh", "-c", "ls; touch /tmp/x", files=(".",), given=(("a", b""),))
    assert (answer.ran.status, answer.left) == (0, ())


def test_what_a_killed_process_left_is_swept_by_the_next(tools):
    def killed():
        from gitops_hooks.edge.scratch import open_scratch

        (open_scratch(tools.scratch).folder / "big").write_bytes(b"x")

    tools.do(killed)
    assert [path.name for path in tools.scratch.rglob("big")] == ["big"]
    assert tools.ask("ls", files=(".",)).left == ()


def test_a_box_that_outlived_its_killed_process_ends_with_its_folder(tools):
    """As where that was killed while bubblewrap was setting up, and not tied to it yet."""

    def killed():
        from gitops_hooks.edge.scratch import open_scratch

        shown = ("--ro-bind", "/", "/", "--ro-bind", str(open_scratch(tools.scratch).folder / "alive"), "/etc/passwd")
        user = ["--unshare-user"] if os.geteuid() else []
        box = [find_tool("bwrap", ()), *user, "--unshare-pid", *shown, "sleep", MARK]
        subprocess.Popen(box, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(asleep)

    tools.do(killed)
    left = [one for one in living.list_living() if MARK in one.argv]
    assert tools.ask("ls", files=(".",)).left == ()
    stayed = living.wait_gone(left, 10)
    living.end(stayed, gentle_seconds=0)
    assert left and stayed == ()


def in_namespaces_of_its_own() -> None:
    """Where it may mount and forbid what it likes, and nobody else sees it."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    write_maps(Path("/proc/self"), f"{user} {user} 1\n", f"{group} {group} 1\n")


def test_without_bubblewrap_it_says_the_line_that_cures_it():
    def hidden():
        in_namespaces_of_its_own()
        kernel.bind(Path("/dev/null"), Path(shutil.which("bwrap") or ""))
        return probe_tools((), LIMITS)

    with tools_of("ordinary") as tools:
        said = tools.do(hidden)
    assert said == "bubblewrap: not installed, and no tool runs without it; run: apt-get install bubblewrap"


def test_where_user_namespaces_are_forbidden_it_says_the_line_that_cures_it():
    def forbidden():
        in_namespaces_of_its_own()
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
        return probe_tools((), LIMITS)

    with tools_of("ordinary") as tools:
        said = tools.do(forbidden)
    assert said.startswith("tools: no sandbox for tools here: bwrap: ")
    assert said.endswith(
        "Run as root: echo user.max_user_namespaces=15000 > /etc/sysctl.d/60-gitops-hooks.conf && sysctl --system"
    )


def test_where_tools_can_be_run_there_is_nothing_to_say(tools):
    assert tools.do(lambda: probe_tools((), LIMITS)) == ""


def program(folder: Path, text: str) -> Path:
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / "acme"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_tool_of_the_servers_own_folders_comes_first_and_tells_its_version(tmp_path):
    folder = tmp_path / "acme"
    program(folder, "echo; echo acme $1 1.2; echo more")
    assert find_tool("acme", (folder,)) == str(folder / "acme")
    assert tool_version(Tool("acme", ("-V",)), (folder,), LIMITS) == "acme -V 1.2"
    program(folder, "echo acme 1.3 >&2")
    assert tool_version(Tool("acme", ("-V",)), (folder,), LIMITS) == "acme 1.3"
    assert tool_version(Tool("nosuch"), (folder,), LIMITS) == ""


def test_a_tool_that_does_not_tell_its_version_is_an_error(tmp_path):
    folder = tmp_path / "acme"
    program(folder, "exit 0")
    with pytest.raises(EdgeError, match="acme: does not tell its version: it says nothing"):
        tool_version(Tool("acme"), (folder,), LIMITS)


def test_programs_in_a_folder_named_bin_are_found_too(tmp_path):
    program(tmp_path / "bin", "exit 0")
    assert find_tool("acme", (tmp_path,)) == str(tmp_path / "bin" / "acme")


def test_no_folder_that_holds_a_home_is_shown():
    assert Path("/") not in visible_folders((Path("/"), user_home()))
    assert user_home() not in visible_folders((Path("/"), user_home()))


def test_a_tool_whose_time_is_over_at_once_never_goes_on(tools):
    for _ in range(5):
        assert tools.ask("sh", "-c", f"setsid sleep {MARK} & sleep {MARK}", seconds=0.001).ran.timed_out
        assert asleep() == []


def test_what_bubblewrap_says_names_no_place_of_the_server(tools, tmp_path):
    def gone():
        bounds = Bounds(time.monotonic() + 5, 5.0, LIMITS.tool_memory, 1000)
        view = View(Passwd(tmp_path / "no" / "such", choose_box_user()))
        try:
            run_boxed(lambda ends: [*box_command(view, (), LIMITS, ends), "true"], b"", bounds)
        except EdgeError as error:
            return error.what
        return ""

    said = tools.do(gone)
    assert said.startswith("no sandbox for tools here: bwrap: Can't find source path …")
    assert "/pytest" not in said


def test_names_that_are_no_text_are_seen_as_they_are_and_one_that_no_disk_takes_is_refused(tools):
    ran = tools("sh", "-c", "ls -b; cat bad*", files=(".",), tree=MemoryTree({"bad\udcff": b"x", "a\nb": b""}))
    assert ran.stdout == b"a\\nb\nbad\\377\nx"
    answer = tools.ask("ls", files=(".",), tree=MemoryTree({"n" * 300: b""}))
    assert answer.refusal.endswith("cannot be written for a tool: File name too long")
    assert answer.left == ()


# Perl is wherever git is. Numbers of calls differ between machines; what they answer does not.
_CALLS = {"x86_64": (56, 272, 308), "aarch64": (220, 97, 268)}
_NEW_USER, _EPERM, _ENOSYS = 0x10000000, "1", "38"


_ANSWERS = {
    "unshare": ("{unshare}, {new_user}", _EPERM),
    "clone": ("{clone}, {new_user} | 17, 0, 0, 0, 0", _EPERM),
    "setns": ("{setns}, 0, 0", _EPERM),
    "clone3": ("435, 0, 0", _ENOSYS),
    # The same calls under the numbers of another way to call, which only this machine has.
    **({"x32": ("0x40000000 + {unshare}, {new_user}", _ENOSYS)} if os.uname().machine == "x86_64" else {}),
}


@pytest.mark.parametrize("call", _ANSWERS)
def test_no_call_gives_a_tool_a_user_namespace(tools, call):
    clone, unshare, setns = _CALLS[os.uname().machine]
    words, answer = _ANSWERS[call]
    numbers = words.format(clone=clone, unshare=unshare, setns=setns, new_user=_NEW_USER)
    ran = tools("sh", "-c", f"perl -e 'syscall({numbers}); print $!+0'")
    assert ran.stdout.decode() == answer


def test_a_tool_may_still_start_others_and_threads(tools):
    script = "import threading as t; one = t.Thread(target=print, args=(1,)); one.start(); one.join()"
    assert tools("sh", "-c", f"echo 0; /usr/bin/python3 -c '{script}'").stdout == b"0\n1\n"


def test_a_machine_whose_calls_are_not_known_runs_no_tool():
    with pytest.raises(EdgeError, match="nothing is run on riscv64"):
        rules("riscv64")
