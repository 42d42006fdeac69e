"""Between deployments agents tell how their hosts stand, and why they refuse what they are given."""

import json
import os
from collections.abc import Iterator

import pytest

from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.agent_desk import AgentDesk
from tests.environments.pulled import Pulled, pulled
from tests.waiting import so_far
from tests.world import Template

# The first test of the file pays for the server.
pytestmark = pytest.mark.timeout(300)
ALL = "web1 web2 web3"


@pytest.fixture(scope="module")
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        desk = found.agent("web-agent", "web1", "web2", "web3")
        found.begin("drift: 1m")
        found.tell(desk, found.await_released(ALL), web1="ok", web2="ok", web3="ok")
        found.await_end("successful")
        yield found


def tell_sync(site: Pulled, alarm: str = "", **syncs: Sync) -> AgentDesk:
    """The agent reports how hosts compare with what it brought them to."""
    desk, commit = site.agents["web-agent"], site.tip()
    hosts = [
        HostReport(name, HostState.OK, sync, 0, "site.yml:4: Page" if sync is Sync.OUT else "", 1, commit)
        for name, sync in syncs.items()
    ]
    desk.push(desk.report(*hosts, generation=1, commit=commit, alarm=alarm)).must()
    return desk


def test_what_drifts_is_recorded_once_and_what_is_back_too(site: Pulled):
    before = site.kinds().count("drifted")
    tell_sync(site, web2=Sync.OUT)
    site.await_that(lambda: site.kinds().count("drifted") == before + 1)
    drifted = site.newest("drifted")
    assert (drifted.fact("Hosts"), drifted.fact("Out"), drifted.fact("Clean")) == ("web2", "1", "2")
    facts = site.facts()
    assert (facts["sync"], facts["health"]) == ("OutOfSync", "Healthy")
    assert facts["drift"]["out_of_sync"] == ["web2"]
    shown = site.show()
    assert "  drift      1 out of sync" in shown
    assert any(line.endswith("UTC; web1 web3 Synced; web2 OutOfSync") for line in shown), shown

    tell_sync(site, web2=Sync.OUT)
    tell_sync(site, web2=Sync.SYNCED)
    site.await_that(lambda: site.kinds().count("drifted") == before + 2)
    assert site.newest("drifted").fact("Hosts") == "none"
    assert site.facts()["sync"] == "Synced"
    site.world.admin("reconcile", "--stop")
    assert site.world.reconcile_once().code == 0
    assert site.kinds().count("drifted") == before + 2


def test_an_agent_that_was_not_seen_for_long_is_silent_and_its_hosts_are_unknown(site: Pulled):
    desk = tell_sync(site, web1=Sync.SYNCED)
    seen = site.world.home.state(desk.repository_id()) / "agents" / "web-agent.seen"
    os.utime(seen, (1_700_000_000, 1_700_000_000))
    facts = site.facts()
    assert facts["agents"][0]["last_seen"] == "2023-11-14T22:13:20+00:00"
    assert facts["agents"][0]["silent"] is True
    assert [host["sync"] for host in facts["agents"][0]["hosts"]] == ["Unknown"] * 3
    assert facts["sync"] == "Unknown"
    line = "  agents     web-agent: silent, last seen 2023-11-14 22:13:20 UTC; web1 web2 web3 Unknown"
    assert line in site.show()
    desk.poll()
    assert site.facts()["sync"] == "Synced"


def test_an_agent_that_refuses_what_it_is_given_raises_an_alarm_once(site: Pulled):
    words = "the log is shorter than \x1b[31mwhat was seen"
    told = "production: the agent web-agent refuses what it is given: the log is shorter than \\x1b[31mwhat was seen"

    def journal() -> list[str]:
        lines = [json.loads(line) for line in so_far(site.world.home.journal).splitlines()]
        return [line["alarm"] for line in lines if line["kind"] == "alarm"]

    tell_sync(site, words, web1=Sync.SYNCED)
    site.await_that(lambda: told in journal())
    tell_sync(site, words, web1=Sync.SYNCED)
    site.await_that(lambda: any("it refuses what it is given: the log is shorter" in line for line in site.show()))
    assert journal().count(told) == 1
    assert site.facts()["agents"][0]["alarm"] == words
    tell_sync(site, web1=Sync.SYNCED)
    assert site.facts()["agents"][0]["alarm"] == ""


def test_a_ref_of_an_agents_that_holds_no_report_is_an_alarm_and_the_next_report_ends_it(site: Pulled):
    desk = site.agents["web-agent"]
    site.world.server_git("update-ref", desk.ref, site.tip())
    site.world.admin("reconcile", "--stop")
    assert site.world.reconcile_once().code == 1
    assert "refs/agents/web-agent holds no report: its commit has a parent" in site.world.home.journal.read_text()
    assert [host["sync"] for host in site.facts()["agents"][0]["hosts"]] == ["Unknown"] * 3
    tell_sync(site, web1=Sync.SYNCED)
    assert site.facts()["agents"][0]["hosts"][0]["sync"] == "Synced"
