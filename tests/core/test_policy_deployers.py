"""Each deployer has keys of its own in an environment, and reads no other's."""

import pytest

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.kubernetes import Kubernetes, Prune

START = "version: 1\nbranches:\n- match: main\nenvironments:\n- name: staging\n  branch: main\n"
DEPLOYERS = {"ansible": True, "command": True, "terraform": True, "kubernetes": True, "acme": False}


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
            [(9, "playbook: the deployer command does not read it; it has run, drift_run, plan_run")],
        ),
        (
            ["playbook: b", "inventory: c", "module: infra"],
            [(9, "module: the deployer ansible does not read it; it has playbook, inventory")],
        ),
        (
            ["deployer: command", "run: [a]", "limit: all"],
            [(9, "limit: the deployer command does not read it; it has run, drift_run, plan_run")],
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
        (
            ["deployer: command", "run: [a]", "drift_run: [/a]"],
            [(9, "drift_run: '/a' must be relative to the repository")],
        ),
        (
            ["deployer: command", "run: [a]", "plan_run: [../a]"],
            [(9, "plan_run: '../a' may not leave the repository by ..")],
        ),
        (
            ["deployer: command", "run: [a]", "drift: 1h"],
            [(9, "drift: a script is looked at with drift_run, which this environment does not have")],
        ),
        (
            ["deployer: acme", "playbook: a", "inventory: b", "drift: 1h", "self_heal: true"],
            [
                (10, "drift: the deployer acme cannot look at what it deployed; take it out"),
                (11, "self_heal: the deployer acme cannot look at what it deployed; take it out"),
            ],
        ),
        (["deployer: kubernetes"], [(5, "manifests is missing in this environment")]),
        (["deployer: kubernetes", "manifests: ../a"], [(8, "manifests: '../a' may not leave the repository by ..")]),
        (
            ["deployer: kubernetes", "manifests: a", "namespace: A_b"],
            [(9, "namespace: 'A_b' is not a name of a-z, 0-9 and -, at most 63 long")],
        ),
        (["deployer: kubernetes", "manifests: a", "prune: some"], [(9, "prune: is one of true, false, all")]),
        (["deployer: kubernetes", "manifests: a", "wait: 2d"], [(9, "wait: 2d is longer than 1d")]),
        (
            ["deployer: kubernetes", "manifests: a", "force_conflicts: 1"],
            [(9, "force_conflicts must be yes or no, not a number")],
        ),
        (
            ["deployer: kubernetes", "manifests: a", "playbook: b"],
            [
                (
                    9,
                    "playbook: the deployer kubernetes does not read it; it has manifests, namespace, "
                    "force_conflicts, prune, wait",
                )
            ],
        ),
        (
            ["playbook: b", "inventory: c", "prune: true"],
            [(9, "prune: the deployer ansible does not read it; it has playbook, inventory")],
        ),
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


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["manifests: k8s"], Kubernetes("k8s")),
        (["manifests: .", "namespace: shop"], Kubernetes(".", "shop")),
        (
            ["manifests: a/b", "force_conflicts: true", "prune: all", "wait: 10m"],
            Kubernetes("a/b", "", True, Prune.ALL, 600),
        ),
        (["manifests: a", "prune: false"], Kubernetes("a", prune=Prune.NONE)),
        (["manifests: a", "prune: yes"], Kubernetes("a", prune=Prune.SAFE)),
    ],
)
def test_what_goes_to_a_cluster_is_read(lines, found):
    assert parse("deployer: kubernetes", *lines).kubernetes == found


def test_a_script_may_have_another_one_that_looks():
    one = parse("deployer: command", "run: [a]", "drift_run: [./b, --check]", "drift: 1h")
    assert (one.run, one.drift_run, one.drift) == (("a",), ("b", "--check"), 3600)
    assert parse("deployer: command", "run: [a]", "plan_run: [./c, --plan]").plan_run == ("c", "--plan")
