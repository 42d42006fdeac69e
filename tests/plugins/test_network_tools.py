"""What FRR's and ifupdown's own programs say of files that the check `network` gives them, in their box."""

from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.network_check import gitops_checks
from gitops_hooks.plugins.network_tools import read_by_tools
from gitops_hooks.testing import SYMLINK, MemoryTree, a_change, run_check
from tests.unpacked import TOOLS

(CHECK,) = gitops_checks()
GLOBS = {"frr": ("frr/*.conf",), "interfaces": ("interfaces/*",)}
ROUTER = b"""frr version 8.4
hostname r1
interface eth0
 ip address 10.0.0.2/24
exit
!
router bgp 65001
 neighbor 10.0.0.1 remote-as 65002
exit
!
end"""


def findings(files: dict[str, bytes], changed=None, modes=None, **options) -> list[str]:
    found = run_check(CHECK, files, changed=changed, modes=modes, options=GLOBS | options, tool_folders=[TOOLS])
    return [f"{finding.path}:{finding.line}: {finding.message}" for finding in found]


def test_files_that_are_right_pass():
    interfaces = b"auto eth0\niface eth0 inet static\n    address 10.0.0.2/24\n"
    assert findings({"frr/r1.conf": ROUTER, "interfaces/web1": interfaces, "interfaces/b": b""}) == []


def test_faults_are_told_with_their_lines():
    router = ROUTER.replace(b"neighbor", b"nieghbor").replace(b"10.0.0.2/24", b"10.0.0.300/24")
    interfaces = b"auto eth0\niface eth0 inett static\n"
    assert findings({"frr/r1.conf": router, "interfaces/web1": interfaces}) == [
        "frr/r1.conf:4: Unknown command: ip address 10.0.0.300/24; vtysh",
        "frr/r1.conf:8: Unknown command: nieghbor 10.0.0.1 remote-as 65002; vtysh",
        "interfaces/web1:2: unknown or no address type and no inherits keyword specified; ifquery",
    ]


@pytest.mark.parametrize("early", [b"exit\nexit\nquit\nnonsense\n", b"end\nend\nexit\nexit\nnonsense"])
def test_a_file_that_ends_the_program_early_does_not_pass(early):
    assert findings({"frr/r1.conf": early}) == [
        "frr/r1.conf:0: was not read to its end, as after one exit too many; vtysh"
    ]


def test_what_the_programs_would_not_see_is_told():
    assert findings({"frr/a.conf": b"hostname a\0 nonsense\n", "interfaces/b": b"\0"}) == [
        "frr/a.conf:0: holds a NUL; what is not read cannot be judged",
        "interfaces/b:0: holds a NUL; what is not read cannot be judged",
    ]
    assert findings({"frr/a.conf": b"../x"}, modes={"frr/a.conf": SYMLINK}) == [
        "frr/a.conf:0: a symbolic link or a submodule; put the file itself here; what is not read cannot be judged"
    ]


def test_only_changed_files_that_the_options_name_are_read():
    files = {"frr/a.conf": b"nonsense\n", "b.conf": b"nonsense\n"}
    assert findings(files, changed=["b.conf"]) == []
    assert findings(files, frr=()) == []


def test_it_runs_confined_as_on_a_server():
    tree = MemoryTree({"frr/a.conf": b"nonsense\n", "frr/b.conf": ROUTER, "interfaces/a": b"nonsense\n"})
    asked = [Asked(CHECK, {option.name: option.default for option in CHECK.options} | GLOBS)]
    grounds = Grounds("c" * 40, tree, tree, tree, (), Path("/nowhere"), (TOOLS,))
    (verdict,) = run_checks(asked, a_change(tree), grounds, Limits())
    assert [(each.path, each.line, each.message) for each in verdict.findings] == [
        ("frr/a.conf", 1, "Unknown command: nonsense; vtysh"),
        ("interfaces/a", 1, "misplaced option; ifquery"),
    ]


class BareBench:
    """A workbench of a server that has neither program."""

    options = GLOBS

    def tool(self, name: str) -> None:
        return


def test_programs_that_are_not_there_are_told_once_each():
    tree = MemoryTree({"frr/a.conf": b"a\n", "frr/b.conf": b"a\n", "interfaces/a": b"a\n"})
    words = "this and other files of {} were not read: this server has no {} for its checks"
    assert list(read_by_tools(a_change(tree), tree, BareBench())) == [
        Finding("frr/a.conf", 0, words.format("frr", "vtysh"), Severity.WARNING),
        Finding("interfaces/a", 0, words.format("interfaces", "ifquery"), Severity.WARNING),
    ]
