"""Who brings an environment's hosts there, as the policy says it."""

import pytest

from gitops_hooks.model.policy import Mode
from tests.core.test_policy_file import faults, parse
from tests.core.test_policy_gates import entry, policy


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ((), (Mode.PUSH, 900)),
        (("mode: push",), (Mode.PUSH, 900)),
        (("mode: pull",), (Mode.PULL, 900)),
        (("mode: both", "agents: {silent: 5s}"), (Mode.BOTH, 5)),
        (("mode: pull", "agents: {silent: 30d}"), (Mode.PULL, 30 * 86400)),
        (("mode: pull", "agents: {}"), (Mode.PULL, 900)),
    ],
)
def test_both_keys_are_read(lines, read):
    environment = parse(policy(entry("staging", *lines))).environments[0]
    assert (environment.mode, environment.silent) == read


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("mode: agent",), "mode: 'agent' is not push, pull or both"),
        (("mode: pull", "agents: {silent: 4s}"), "silent: 4s is shorter than 5s"),
        (("mode: pull", "agents: {silent: 31d}"), "silent: 31d is longer than 30d"),
        (("mode: pull", "agents: {silent: often}"), "silent: 'often' is not a time such as 30m, 24h or 7d"),
        (("mode: pull", "agents: {quiet: 5m}"), "unknown key 'quiet'; allowed here: silent"),
        (("mode: pull", "agents: web"), "agents must be a mapping, not text"),
        (("agents: {silent: 5m}",), "agents: needs mode: pull or mode: both; take it out"),
        (("mode: push", "agents: {silent: 5m}"), "agents: needs mode: pull or mode: both; take it out"),
    ],
)
def test_a_fault_says_what_is_wrong(lines, told):
    assert [words for _, words in faults(policy(entry("staging", *lines)))] == [told]


def test_agents_know_two_deployers():
    lines = ("deployer: terraform", "module: infra", "mode: pull")
    text = policy("\n".join(("- name: dns", "  branch: main", *(f"  {line}" for line in lines))) + "\n")
    told = "mode: pull: agents do not know the deployer terraform; they know ansible and kubernetes"
    assert [words for _, words in faults(text)] == [told]
    assert parse(text.replace("mode: pull", "mode: push")).environments[0].mode is Mode.PUSH


def test_a_plan_cannot_be_required_where_the_server_sees_no_host():
    text = policy(entry("staging", "mode: pull")).replace("- match: main\n", "- match: main\n  require: plan\n", 1)
    assert "require: plan" in text
    told = (
        "mode: pull: its branch has require: plan (policy.yaml:3), and the server sees no host of a pulled "
        "environment; take one of them out"
    )
    assert [words for _, words in faults(text)] == [told]
    both = "mode: both: its branch has require: plan (policy.yaml:3), and agents know no plan; take one of them out"
    assert [words for _, words in faults(text.replace("mode: pull", "mode: both"))] == [both]
