"""`env log ENV N` of a pulled run: when hosts were released, and what the agent of each told of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.agent_desk import AgentDesk
from tests.answers import Event
from tests.environments.pulled import Pulled, pulled
from tests.world import Template

# The first test of the file pays for the server.
pytestmark = pytest.mark.timeout(300)
RECORDS = "/var/lib/gitops-hooks-agent/run_logs/production"
# 2026-11-26 09:00:12 UTC
BEGAN = 1_795_683_612


@pytest.fixture
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        yield found


def tell(desk: AgentDesk, release: Event, *hosts: HostReport) -> None:
    generation, commit = int(release.fact("Generation") or 0), release.fact("Commit") or ""
    told = (replace(host, generation=generation, commit=commit) for host in hosts)
    desk.push(replace(desk.report(*told, generation=generation, commit=commit), records=RECORDS)).must()


def shown(site: Pulled, words: str = "") -> list[str]:
    """Its lines, without the seconds of the server's own clock."""
    lines = site.world.ssh("bob", f"env log production {words}").must().out.splitlines()
    return [re.sub(r"^([ !]) *[0-9.]+ s  |\([0-9]+ s\)$", r"\1", line) for line in lines]


def test_releases_and_what_each_agent_told_stand_in_their_order(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2")
    site.begin("batches: [1, 100%]", "max_failed: 1", hosts=("web1", "web2"))
    first = site.await_released("web1")
    failed = HostReport(
        "web1", HostState.FAILED, Sync.UNKNOWN, 2, "site.yml:6: Disk: \x1b[31mfull", began=BEGAN, seconds=19
    )
    tell(desk, first, failed)
    second = site.await_released("web2")
    tell(desk, second, HostReport("web2", HostState.CHANGED, Sync.SYNCED, 3, "", began=BEGAN + 30, seconds=4))
    site.await_end("failed")

    kept = f"each task is in {RECORDS}/1.jsonl beside web-agent"
    began = "began 2026-11-26 09:00:12, ended 09:00:31 by its clock (19 s)"
    later = "began 2026-11-26 09:00:42, ended 09:00:46 by its clock (4 s)"
    assert shown(site, "1") == [
        f"deployment 1 of {site.tip()[:12]} to production, attempt 1",
        f" {'web1':<16} {'released':<12} to its agent",
        f"!{'web1':<16} {'failed':<12} {began}: 2 changed; site.yml:6: Disk: \\x1b[31mfull; {kept}",
        f" {'web2':<16} {'released':<12} to its agent",
        f" {'web2':<16} {'changed':<12} {later}: 3 changed; {kept}",
        "failed: ok 1, changed 1, failed 1 ",
    ]
    rows = [json.loads(line) for line in site.world.ssh("bob", "env log production 1 --json").must().out.splitlines()]
    assert [(row["state"], row.get("hosts") or row.get("host")) for row in rows] == [
        ("released", ["web1"]),
        ("failed", "web1"),
        ("released", ["web2"]),
        ("changed", "web2"),
    ]
    assert (rows[1]["task"], rows[1]["detail"]) == (began, f"2 changed; site.yml:6: Disk: \x1b[31mfull; {kept}")


def test_each_try_of_an_agent_is_told_once(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2")
    site.begin(hosts=("web1", "web2"))
    release = site.await_released("web1 web2")
    once = HostReport("web1", HostState.FAILED, Sync.UNKNOWN, 0, "site.yml:6: Disk", began=BEGAN, seconds=1)
    tell(desk, release, once)
    site.await_that(lambda: len(tries(site)) == 1)
    # A look in between says something else of the same run.
    tell(desk, release, replace(once, sync=Sync.OUT, detail="it differs"))
    tell(desk, release, replace(once, state=HostState.OK, began=BEGAN + 60))
    site.await_that(lambda: len(tries(site)) == 2)
    assert [line[:30].split()[1] for line in tries(site)] == ["failed", "ok"]
    assert shown(site, "1")[-1] == "it runs; with --follow you see the rest as it comes"


def tries(site: Pulled) -> list[str]:
    return [line for line in shown(site, "1") if "by its clock" in line]
