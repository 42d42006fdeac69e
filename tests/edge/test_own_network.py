"""A tool with a network of its own: one right more in an empty network, and no other; as root and as somebody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_hooks.edge.diagnosis_contents import _tool_faults
from gitops_hooks.edge.tool_box import find_tools
from gitops_hooks.edge.tool_wire import Run
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.tools import probe_own_network
from gitops_hooks.edge.verdict_cache import open_memory
from gitops_hooks.edge.workbench import Bench
from gitops_hooks.model.server import ServerFile
from gitops_hooks.model.tool import Ran, Tool
from tests.edge.boxes import LIMITS, TREE, WHO, Tools, tools_of
from tests.edge.test_tools import in_namespaces_of_its_own

SHELL = Tool("sh", own_network=True)
NET_ADMIN = f"{1 << 12:016x}"
# The flags of the loopback device, read and then set: git brings perl everywhere, and `ip` is not.
_IOCTL = "socket(S, 2, 2, 0); $r = pack(q(a16 s x22), q(lo), 1); ioctl(S, {number}, $r) or die $!;"
UP = f"perl -e '{_IOCTL.format(number=0x8914)}'"
IS_UP = f"perl -e '{_IOCTL.format(number=0x8913)} print unpack(q(x16 s), $r) & 1'"


@pytest.fixture(params=WHO)
def tools(request: pytest.FixtureRequest) -> Iterator[Tools]:
    with tools_of(request.param) as found:
        yield found


def in_box(tools: Tools, script: str, own_network: tuple[str, ...] = ("sh",)) -> Ran:
    def run() -> Ran:
        found, networked = find_tools((replace(SHELL, own_network=bool(own_network)),), (), own_network)
        box = Toolbox(Bench({}, TREE, found, own_network=networked), TREE, (), tools.scratch, LIMITS, lambda text: None)
        try:
            return box.run(Run(("sh", "-c", script)), 10.0**9)
        finally:
            box.close()

    return tools.do(run)


def rights(ran: Ran) -> dict[str, str]:
    return dict(line.split(":\t") for line in ran.stdout.decode().splitlines() if line.startswith("Cap"))


def test_it_may_configure_its_network_and_has_no_other_right(tools):
    ran = in_box(tools, f"cat /proc/self/status; {UP} && echo done >&2")
    assert set(rights(ran).values()) == {NET_ADMIN, "0" * 16}
    assert rights(ran)["CapBnd"] == NET_ADMIN
    assert ran.stderr == b"done\n"


def test_without_it_a_tool_has_no_right_at_all(tools):
    ran = in_box(tools, f"cat /proc/self/status; {UP}", ())
    assert set(rights(ran).values()) == {"0" * 16}
    assert b"Operation not permitted" in ran.stderr


def test_it_is_nobody_outside_of_its_namespace_and_sees_what_every_tool_sees(tools):
    ran = in_box(tools, "cat /proc/self/uid_map; cat /etc/shadow; ls /home; touch /usr/x; mount -t tmpfs none /tmp")
    mapped, refused = ran.stdout.split(), ran.stderr.decode()
    assert [mapped[0], mapped[2]] == [b"0", b"1"] and mapped[1] != b"0"
    assert refused.count("No such file or directory") == 2
    assert "Read-only file system" in refused or "Permission denied" in refused
    assert "permission denied" in refused.lower() or "must be superuser" in refused


def test_the_network_is_empty_and_another_for_each_run(tools):
    made = in_box(tools, f"{IS_UP}; {UP}; {IS_UP}; cat /proc/net/dev")
    assert made.stdout.startswith(b"01")
    assert [line.split(b":")[0].strip() for line in made.stdout.split(b"\n")[2:-1]] == [b"lo"]
    assert in_box(tools, IS_UP).stdout == b"0"


def test_a_tool_that_wants_a_network_is_not_there_where_the_server_gives_none():
    assert find_tools((SHELL, Tool("cat")), (), ()) == ({"cat": "/usr/bin/cat"}, ())
    assert find_tools((Tool("cat"),), (), ("cat",)) == ({"cat": "/usr/bin/cat"}, ())


def test_a_server_can_tell_beforehand_whether_the_kernel_lets_it(tools):
    assert tools.do(lambda: probe_own_network((), LIMITS)) == ""


def test_a_kernel_that_gives_no_further_namespace_is_told_by_the_doctor():
    def forbidden():
        in_namespaces_of_its_own()
        Path("/proc/sys/user/max_user_namespaces").write_text("2", encoding="ascii")
        return _tool_faults(ServerFile(limits=LIMITS), probe_own_network)

    with tools_of("ordinary") as tools:
        (said,) = tools.do(forbidden)
    assert said == (
        "own_network: this kernel gives no tool a network of its own (unshare: unshare failed: "
        "No space left on device); rulesets are not read, and checks say so"
    )


def test_verdicts_are_others_where_the_switch_is_another(tmp_path):
    off, on = ServerFile(), ServerFile(own_network=("nft",))
    codes = [memory.code for server in (off, on) if (memory := open_memory(tmp_path, server))]
    assert len(set(codes)) == 2
