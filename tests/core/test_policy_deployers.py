"""Each deployer has keys of its own in an environment, and reads no other's."""

import pytest

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError

START = "version: 1\nbranches:\n- match: main\nenvironments:\n- name: staging\n  branch: main\n"
DEPLOYERS = frozenset({"ansible", "command", "terraform", "acme"})


def parse(*lines: str):
    text = START + "".join(f"  {line}\n" for line in lines)
    return parse_policy(text.encode(), commit="c" * 40, known=frozenset({"bob"}), deployers=DEPLOYERS).environments[0]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["playbook: a.yml", "inventory: hosts"], ("ansible", "a.yml", "hosts", "", ())),
        (["deployer: acme", "playbook: a", "inventory: b"], ("acme", "a", "b", "", ())),
        (["deployer: terraform", "module: infra/dns"], ("terraform", "", "", "infra/dns", ())),
        (["deployer: terraform", "module: ."], ("terraform", "", "", ".", ())),
        (["deployer: command", "run: [./a/b.sh, -x, '../y z']"], ("command", "", "", "", ("a/b.sh", "-x", "../y z"))),
    ],
)
def test_what_is_deployed_stands_in_the_keys_of_the_deployer(lines, found):
    one = parse(*lines)
    assert (one.deployer, one.playbook, one.inventory, one.module, one.run) == found


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["deployer: terraform"], [(5, "module is missing in this environment")]),
        (["deployer: command"], [(5, "run is missing in this environment")]),
        (
            ["deployer: command", "run: [a]", "playbook: b"],
            [(9, "playbook: the deployer command does not read it; it has run")],
        ),
        (
            ["playbook: b", "inventory: c", "module: infra"],
            [(9, "module: the deployer ansible does not read it; it has playbook, inventory")],
        ),
        (
            ["deployer: command", "run: [a]", "limit: all"],
            [(9, "limit: the deployer command does not read it; it has run")],
        ),
        (
            ["deployer: acme", "playbook: a", "inventory: b", "strategy: mitogen"],
            [(10, "strategy: the deployer acme does not read it; it has playbook, inventory")],
        ),
        (
            ["playbook: a", "inventory: b", "strategy: free"],
            [(9, "strategy: 'free' is not linear or mitogen")],
        ),
        (["deployer: terraform", "module: ../x"], [(8, "module: '../x' may not leave the repository by ..")]),
        (["deployer: terraform", "module: /x"], [(8, "module: '/x' must be relative to the repository")]),
        (["deployer: command", "run: a.sh"], [(8, "run must be a list, not text")]),
        (
            ["deployer: command", "run: []"],
            [(8, "run: a script of the repository and words for it, at most 64")],
        ),
        (["deployer: command", "run: [/bin/sh]"], [(8, "run: '/bin/sh' must be relative to the repository")]),
        (["deployer: command", 'run: [a, "b\\nc"]'], [(8, "run: 'b\\nc' is not a word on one line")]),
    ],
)
def test_a_key_that_is_missing_foreign_or_wrong_is_told_with_its_line(lines, said):
    with pytest.raises(PolicyError) as caught:
        parse(*lines)
    assert [(fault.line, fault.message) for fault in caught.value.faults] == said


@pytest.mark.parametrize(
    ("line", "found"), [("limit: all", "linear"), ("strategy: linear", "linear"), ("strategy: mitogen", "mitogen")]
)
def test_hosts_are_reached_by_single_commands_unless_the_policy_says_mitogen(line, found):
    assert parse("playbook: a", "inventory: b", line).strategy == found
