"""Batches, agents that are silent, and agents that come back: the policy's rollout holds for pulled hosts too."""

import os
from collections.abc import Iterator

import pytest

from tests.environments.pulled import Pulled, pulled
from tests.world import Template

# Each story has a server of its own.
pytestmark = pytest.mark.timeout(300)
LONG_AGO = "2023-11-14 22:13:20 UTC"


@pytest.fixture
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        yield found


def test_the_next_batch_is_released_when_the_one_before_it_is_well(site: Pulled):
    desks = [site.agent(f"agent-{number}", f"web{number}") for number in (1, 2, 3)]
    site.begin("batches: [1, 100%]")
    first = site.await_released("web1")
    site.tell(desks[0], first, web1="changed")
    second = site.await_released("web2 web3")
    assert second.fact("Generation") == first.fact("Generation")
    site.tell(desks[1], second, web2="ok")
    site.tell(desks[2], second, web3="ok")
    assert site.await_end("successful").fact("Detail") == '""'
    assert site.kinds() == ["started", "released", "released", "finished"]


def test_after_a_bad_batch_nothing_more_is_released(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin("batches: [1]")
    site.tell(desk, site.await_released("web1"), web1="failed health: http answered 500")
    end = site.await_end("failed")
    words = "failed: web1; stopped after batch 1: 1 of its 1 hosts failed, and max_failed is 0; not begun: web2 web3"
    assert end.fact("Detail") == f'"{words}"'
    assert site.kinds() == ["started", "released", "finished"]
    skipped = '["web2", "skipped", 0, "nothing was run on it: the rollout stopped after batch 1", true]'
    assert skipped in (end.fact("Hosts") or "")


def test_more_bad_hosts_may_be_in_a_batch_where_the_policy_says_so(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin("batches: [2]", "max_failed: 1")
    site.tell(desk, site.await_released("web1 web2"), web1="failed x", web2="ok")
    site.tell(desk, site.await_released("web3"), web3="ok")
    assert site.await_end("failed").fact("Detail") == '"failed: web1"'


def test_what_failed_by_its_own_fault_is_rolled_back_from_where_the_policy_says_so(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin("on_failure: rollback")
    good = site.tip()
    site.tell(desk, site.await_released("web1 web2 web3"), web1="ok", web2="ok", web3="ok")
    site.await_end("successful")
    site.land({"page": "broken\n"})
    site.tell(desk, site.await_released("web1 web2 web3", above=1), web1="failed x", web2="ok", web3="ok")
    site.await_that(lambda: site.kinds()[-1] == "released" and "rolled-back" in site.kinds())
    back = site.newest("released")
    assert back.fact("Commit") == good
    names = (back.fact("Hosts") or "").split(" ")
    site.tell(desk, back, **dict.fromkeys(names, "ok"))
    site.await_that(lambda: site.facts()["state"] == "rolled_back" and site.ref("deployed") == good)


def test_a_silent_agent_is_unreachable_and_when_it_has_caught_up_its_host_counts(site: Pulled):
    here, away = site.agent("here-agent", "web1", "web2"), site.agent("away-agent", "web3")
    away.poll()
    seen = site.world.home.state(away.repository_id()) / "agents" / "away-agent.seen"
    os.utime(seen, (1_700_000_000, 1_700_000_000))
    site.begin()
    release = site.await_released("web1 web2 web3")
    site.tell(here, release, web1="ok", web2="ok")
    end = site.await_end("failed")
    assert end.fact("Detail") == '"unreachable: web3"'
    assert f"             web3: unreachable: its agent away-agent is silent: last seen {LONG_AGO}" in site.show()
    facts = site.facts()
    assert facts["retry_at"] is not None
    assert [(agent["name"], agent["silent"]) for agent in facts["agents"]][1] == ("away-agent", True)
    assert f"             away-agent: silent, last seen {LONG_AGO}; web3 Unknown" in site.show()

    # It acts on the newest release that names its host, whenever it comes; then nobody waits for the retry.
    site.tell(away, release, web3="changed")
    end = site.await_end("successful", above=1)
    assert (end.fact("Commit"), end.fact("Hosts")) == (release.fact("Commit"), '[["web3", "ok", 0, ""]]')
    # It is there: nothing is released, and run, once more.
    assert site.kinds()[-2:] == ["started", "finished"]
    assert site.ref("deployed") == site.tip()
