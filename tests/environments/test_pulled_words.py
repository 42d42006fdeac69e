"""Pause, cancel, stop, rollback, a revert and another policy: what people say holds for agents too."""

import re
from collections.abc import Iterator

import pytest

from tests.agent_desk import AgentDesk
from tests.environments.pulled import Pulled, policy, pulled
from tests.world import Template

# Each story has a server of its own.
pytestmark = pytest.mark.timeout(300)
ALL = "web1 web2 web3"


@pytest.fixture
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        yield found


def env_log(site: Pulled) -> list[str]:
    return site.world.ssh("bob", "env log production").must().out.splitlines()


def brought(site: Pulled) -> AgentDesk:
    """An agent for everybody; the first page is there."""
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin()
    site.tell(desk, site.await_released(ALL), web1="ok", web2="ok", web3="ok")
    site.await_end("successful")
    return desk


def test_a_canceled_run_ends_at_once_and_its_commit_is_not_begun_again(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin("batches: [2]")
    release = site.await_released("web1 web2")
    site.tell(desk, release, web1="ok")
    site.limit(follow_seconds=60)
    said = site.world.ssh("bob", "env cancel production --reason wrong-page")
    assert "canceled by bob: wrong-page" in said.err
    end = site.await_end("canceled")
    words = '"was released to its agent, which has not told what became of it"'
    assert f'["web2", "unreachable", 0, {words}]' in (end.fact("Hosts") or "")
    assert '["web3", "skipped", 0, "it was not released to its agent", true]' in (end.fact("Hosts") or "")
    site.world.admin("reconcile", "--stop")
    site.world.reconcile_once()
    assert site.kinds().count("started") == 1
    assert site.facts()["waits"]["gate"] == "canceled"
    site.limit(follow_seconds=1)
    site.world.ssh("bob", "env deploy production")
    site.await_released("web2 web3", above=1)


def test_under_a_pause_nothing_more_is_released_and_it_goes_on_with_the_word(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin("batches: [1, 100%]", "agents: {silent: 40s}")
    release = site.await_released("web1")
    site.world.ssh("bob", "env pause production").must()
    site.tell(desk, release, web1="ok")
    site.await_that(lambda: "  running    paused; nothing more is released" in site.show())
    site.world.ssh("bob", "env resume production").must()
    desk.poll()
    later = site.await_released("web2 web3")
    site.tell(desk, later, web2="ok", web3="ok")
    site.await_end("successful")


def test_the_stop_ends_what_is_awaited_and_nothing_is_released_until_the_start(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2", "web3")
    site.begin()
    site.await_released(ALL)
    site.world.admin("env", "stop", "--reason", "audit").must()
    end = site.await_end("canceled")
    assert (end.fact("Detail") or "").startswith('"all deployments are stopped by the administrator')
    assert site.facts()["waits"]["gate"] == "stopped"
    # Agents are told in the record, once, and before what they were released to ends.
    assert site.kinds()[-2:] == ["stopped", "finished"]
    assert (site.newest("stopped").fact("Message") or "").endswith(': audit"')
    site.world.admin("reconcile", "--stop")
    site.world.reconcile_once()
    assert site.kinds().count("stopped") == 1
    words = r"  stopped    all deployments, by the administrator since [-0-9]+ [:0-9]+ UTC: audit$"
    assert any(re.search(words, line) for line in env_log(site))
    site.world.admin("env", "start").must()
    again = site.await_released(ALL, above=1)
    assert site.kinds()[-3:] == ["let-go", "started", "released"]
    assert any(line.endswith("  let go     deployments begin again") for line in env_log(site))
    site.tell(desk, again, web1="ok", web2="ok", web3="ok")
    site.await_end("successful", above=1)


def test_a_rollback_is_released_like_any_other(site: Pulled):
    desk, first = brought(site), site.tip()
    site.land({"page": "second\n"})
    site.tell(desk, site.await_released(ALL, above=1), web1="ok", web2="ok", web3="ok")
    site.await_end("successful", above=1)
    site.world.ssh("bob", "env rollback production --reason broken")
    site.await_that(lambda: site.kinds()[-1] == "released")
    back = site.newest("released")
    assert (back.fact("Commit"), site.ref("desired")) == (first, first)
    site.tell(desk, back, web1="ok", web2="ok", web3="ok")
    assert site.await_state("rolled_back")["deployed"] == first


def test_a_revert_that_lands_ends_what_is_awaited_and_goes_out_itself(site: Pulled):
    desk = brought(site)
    site.land({"page": "broken\n"})
    site.await_released(ALL, above=1)
    site.land({"page": "first\n"})
    site.await_that(lambda: site.newest("finished").fact("State") == "canceled")
    back = site.await_released(ALL, above=int(site.newest("finished").fact("Generation") or 0))
    assert back.fact("Commit") == site.tip()
    site.tell(desk, back, web1="ok", web2="ok", web3="ok")
    site.await_end("successful", above=2)


def test_a_policy_that_pushes_again_ends_what_was_awaited(site: Pulled):
    desk = brought(site)
    site.land({"page": "second\n"})
    site.await_released(ALL, above=1)
    site.land({".gitops/policy.yaml": policy().replace("    mode: pull\n", "")})
    site.await_that(lambda: site.kinds().count("finished") >= 2)
    ends = [event for event in site.events() if event.fact("Event") == "finished"]
    assert ends[1].fact("Detail") == '"by the policy of now the server goes to its hosts itself"'
    # There is no credential to go there with, which is told like for every environment.
    site.await_that(lambda: any("the server grants it no credential" in line for line in site.show()))
    site.land({".gitops/policy.yaml": policy()})
    release = site.await_released(ALL, above=int(site.newest("finished").fact("Generation") or 0))
    site.tell(desk, release, web1="ok", web2="ok", web3="ok")
    site.await_state("successful")
