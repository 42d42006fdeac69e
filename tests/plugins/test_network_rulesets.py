"""What the kernel says of rulesets of nftables, in a network of its own, and what is said where nobody may ask it."""

from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Bench, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.plugin import Finding, Ran, Severity
from gitops_hooks.plugins.network_check import gitops_checks
from gitops_hooks.plugins.network_rulesets import read_rulesets
from gitops_hooks.testing import SYMLINK, MemoryTree, a_change, run_check
from tests.unpacked import TOOLS

(CHECK,) = gitops_checks()
GLOBS = {"nftables": ("fw/*.nft",)}
GOOD = b"""flush ruleset
define admins = { 10.0.0.0/8 }
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    ip saddr $admins tcp dport { ssh, 443 } accept
  }
}
"""


def findings(files: dict[str, bytes], changed=None, modes=None, **options) -> list[str]:
    found = run_check(CHECK, files, changed=changed, modes=modes, options=GLOBS | options, tool_folders=[TOOLS])
    return [f"{each.path}:{each.line}: {each.message} {each.severity.value}" for each in found]


def shortly(told: list[str]) -> list[str]:
    """What a grammar expected is another with each release of nft."""
    return [each.partition(", ")[0] for each in told]


def test_a_ruleset_that_is_right_passes():
    assert findings({"fw/a.nft": GOOD, "fw/b.nft": b"", "other.nft": b"nonsense\n"}) == []
    assert findings({"fw/a.nft": b"nonsense\n"}, nftables=()) == []


def test_faults_of_grammar_and_those_that_only_the_kernel_knows_are_told_with_their_lines():
    jump = GOOD.replace(b"tcp dport { ssh, 443 } accept", b"jump nowhere")
    told = findings({"fw/a.nft": GOOD.replace(b"policy drop", b"polcy drop"), "fw/b.nft": jump})
    assert shortly(told) == [
        "fw/a.nft:5: syntax error",
        "fw/b.nft:7: Could not process rule: No such file or directory; nft error",
    ]
    assert findings({"fw/a.nft": GOOD.replace(b"10.0.0.0/8", b"10.0.0.0/99")}) == [
        "fw/a.nft:2: Prefix length 99 is invalid for type of 32 bits width; nft error"
    ]


def test_what_lies_beside_a_ruleset_can_be_included():
    files = {
        "fw/a.nft": b'include "parts/ports.inc"\n' + GOOD.replace(b"443", b"$ports"),
        "fw/parts/ports.inc": b"define ports = 80\n",
    }
    assert findings(files) == []
    wrong = files | {"fw/parts/ports.inc": b"define ports 80\n"}
    assert shortly(findings(wrong, changed=["fw/a.nft"]))[0] == "fw/parts/ports.inc:1: syntax error"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (b"iif eth7 accept", "Interface does not exist"),
        (b"ip saddr nowhere.example accept", "Could not resolve hostname: Temporary failure in name resolution"),
        (b"meta skuid nobody-here accept", "User does not exist"),
    ],
)
def test_what_only_the_machine_that_loads_it_has_is_told_and_does_not_refuse(rule, words):
    whole = "that is for the machine that loads it, and the kernel was not asked about the whole; nft warning"
    text = GOOD.replace(b"ct state established,related accept", rule)
    assert findings({"fw/a.nft": text}) == [f"fw/a.nft:6: {words}: {whole}"]


def test_files_of_the_server_are_not_told_of():
    assert shortly(findings({"fw/a.nft": b'include "/etc/passwd"\n' + GOOD})) == ["fw/a.nft:0: syntax error"]


def test_what_is_no_file_that_can_be_read_is_told():
    assert findings({"fw/a.nft": b"../x"}, modes={"fw/a.nft": SYMLINK}) == [
        "fw/a.nft:0: a symbolic link or a submodule; put the file itself here; what is not read cannot be judged error"
    ]
    assert findings({"fw/a.nft": b"a\0b"}) == ["fw/a.nft:0: holds a NUL; what is not read cannot be judged error"]


def verdict(own_network: tuple[str, ...]) -> list[Finding]:
    tree = MemoryTree({"fw/a.nft": b"table inet t { nonsense\n", "fw/b.nft": b"nonsense\n"})
    asked = [Asked(CHECK, {option.name: option.default for option in CHECK.options} | GLOBS)]
    grounds = Grounds("c" * 40, tree, tree, tree, (), Path("/nowhere"), (TOOLS,), own_network)
    return list(run_checks(asked, a_change(tree), grounds, Limits())[0].findings)


def test_without_the_administrators_word_nothing_is_read_and_that_is_told():
    why = "this server has no nft, or own_network of its server.toml does not name it"
    words = f"this and other rulesets of nftables were not read: {why}"
    assert verdict(()) == [Finding("fw/a.nft", 0, words, Severity.WARNING)]
    told = {(each.path, each.severity) for each in verdict(("nft",))}
    assert told == {("fw/a.nft", Severity.ERROR), ("fw/b.nft", Severity.ERROR)}


class Deaf(Bench):
    """A workbench whose nft ends in one way."""

    ends = Ran(0, b"", b"")

    def run(self, command, **more) -> Ran:
        return self.ends


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        (b"unshare: unshare failed: Operation not permitted\n", "unshare: unshare failed: Operation not permitted"),
        (
            b"netlink: Error: cache initialization failed: Operation not permitted\n",
            "netlink: Error: cache initialization failed: Operation not permitted",
        ),
    ],
)
def test_a_kernel_that_lets_nobody_ask_is_told(stderr, told):
    words = f"this and other rulesets of nftables were not read: nft may not ask the kernel here ({told})"
    assert by_deaf(Ran(1, b"", stderr)) == [Finding("fw/a.nft", 0, words, Severity.WARNING)]


@pytest.mark.parametrize(
    ("ran", "told"),
    [
        (Ran(139, b"", b""), "cannot be read: it ended with 139; nft"),
        (Ran(1, b"", b"x\nunshare: forged\n"), "cannot be read: x unshare: forged; nft"),
    ],
)
def test_an_end_that_nobody_knows_refuses(ran, told):
    assert by_deaf(ran) == [Finding("fw/a.nft", 0, told), Finding("fw/b.nft", 0, told)]


def by_deaf(ran: Ran) -> list[Finding]:
    tree = MemoryTree({"fw/a.nft": b"x\n", "fw/b.nft": b"x\n"})
    bench = Deaf(GLOBS, tree, {"nft": "/usr/sbin/nft"})
    bench.ends = ran
    return list(read_rulesets(a_change(tree), tree, bench))
