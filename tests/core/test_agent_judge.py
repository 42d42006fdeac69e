"""Which reports an agent may push, and what it is told of the others."""

from dataclasses import replace

import pytest

from gitops_hooks.core.agent_judge import judge_agent_refs, judge_report
from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.people import Charge
from gitops_hooks.model.push import NO_OID, RefUpdate
from tests.core.records import oid
from tests.core.test_agent_report import NEW, REPORT, WEB1, WEB2

CHARGE = Charge("r" * 32, "production", ("web1", "web2", "web3"))
OWN = RefUpdate(oid("a"), oid("b"), "refs/agents/agent-web")
CURE = "agent-web is an agent: it pushes refs/agents/agent-web, and nothing else."


@pytest.mark.parametrize(
    ("updates", "options", "told"),
    [
        ((OWN,), (), None),
        ((replace(OWN, old=NO_OID),), (), None),
        ((replace(OWN, ref="refs/agents/other"),), (), "refs/agents/other is not refs/agents/agent-web"),
        ((replace(OWN, ref="refs/heads/main"),), (), "refs/heads/main is not refs/agents/agent-web"),
        ((replace(OWN, ref="refs/approve/1"),), (), "refs/approve/1 is not refs/agents/agent-web"),
        (
            (OWN, replace(OWN, ref="refs/agents/agent-web/x")),
            (),
            "refs/agents/agent-web/x is not refs/agents/agent-web",
        ),
        ((replace(OWN, new=NO_OID),), (), "refs/agents/agent-web is not taken away: a report replaces it"),
        ((OWN,), ("topic=x",), "a report takes no push options: topic=x"),
    ],
)
def test_an_agent_pushes_its_own_ref_and_nothing_else(updates, options, told):
    found = judge_agent_refs("agent-web", updates, options)
    assert (found and (found.reason, found.cure)) == (told and (told, CURE))


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (REPORT, ""),
        (replace(REPORT, hosts=()), ""),
        (replace(REPORT, agent="other"), "agent: it says other, and this key is that of agent-web"),
        (
            replace(REPORT, repository="s" * 32),
            f"repository: it says {'s' * 32}, and this key is that of {'r' * 32}",
        ),
        (
            replace(REPORT, environment="staging"),
            "environment: it says staging, and this key is that of production",
        ),
        (
            replace(REPORT, hosts=(WEB1, HostReport("db1"), WEB2, HostReport("db2"))),
            "hosts: agent-web does not answer for db1 db2; it answers for web1 web2 web3",
        ),
        (replace(REPORT, sequence=11), "sequence: 11 does not follow 11, the last one here"),
        (replace(REPORT, sequence=3), "sequence: 3 does not follow 11, the last one here"),
        (
            replace(REPORT, agent="a", environment="b"),
            "agent: it says a, and this key is that of agent-web\n"
            "environment: it says b, and this key is that of production",
        ),
    ],
)
def test_a_report_is_of_its_agent_its_hosts_and_newer_than_the_last(report, told):
    found = judge_report(report, "agent-web", CHARGE, replace(REPORT, sequence=11))
    assert (found.reason if found else "") == told


def test_the_first_report_may_have_any_number_and_one_agent_may_answer_for_every_host():
    assert judge_report(replace(REPORT, sequence=1), "agent-web", CHARGE, None) is None
    assert judge_report(replace(REPORT, hosts=(NEW,)), "agent-web", replace(CHARGE, hosts=("*",)), None) is None


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("web1", "web2"), ("web2", "db1"), ("web2",)),
        (("web1",), ("db1",), ()),
        (("*",), ("db1",), ("db1",)),
        (("*",), ("*",), ("*",)),
    ],
)
def test_two_agents_share_hosts_of_the_same_environment_only(one, other, shared):
    first, second = replace(CHARGE, hosts=one), replace(CHARGE, hosts=other)
    assert first.overlap(second) == second.overlap(first) == shared
    assert first.overlap(replace(second, environment="staging")) == ()
    assert first.overlap(replace(second, repository="s" * 32)) == ()
