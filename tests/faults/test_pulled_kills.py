"""The reconciler dies at each write of an awaited run: the next one goes on where it was, and says nothing twice."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.agent_desk import AgentDesk
from tests.environments.pulled import Pulled
from tests.faults.failpoints import Failpoint, Faults, lay_git, no_reconciler
from tests.world import POLICY, Template, World

LOG = "refs/environments/production/log"
# In the log: the start, a release for each of two batches, the end.
POINTS = (
    Failpoint("before", LOG, 1),
    Failpoint("after", LOG, 1),
    Failpoint("before", "refs/environments/production/attempted"),
    Failpoint("before", LOG, 2),
    Failpoint("inside", LOG, 2),
    Failpoint("after", LOG, 2),
    Failpoint("before", LOG, 3),
    Failpoint("after", LOG, 3),
    Failpoint("before", LOG, 4),
    Failpoint("inside", LOG, 4),
    Failpoint("after", LOG, 4),
    Failpoint("before", "refs/environments/production/deployed"),
)


@dataclass(frozen=True, slots=True)
class Killing:
    site: Pulled
    desk: AgentDesk
    faults: Faults


@pytest.fixture(scope="module")
def killing() -> Iterator[Killing]:
    template = Template.build(POLICY.replace("yaml, secrets", "yaml"))
    world = World.copied_from(template)
    template.remove()
    try:
        lay_git(world.folder / "faults", world.home)
        site = Pulled(world)
        site.limit(follow_seconds=0.1, retry_seconds=600)
        with no_reconciler(world):
            site.begin("batches: [1]", "limit: all", hosts=("web1", "web2"))
            desk = site.agent("web-agent", "web1", "web2")
        killing = Killing(site, desk, Faults(world.folder / "faults"))
        go_through(killing)
        yield killing
    finally:
        world.close()


def go_through(killing: Killing) -> None:
    """Reconcilers come and the agent answers whatever is released, until all of it is there."""
    site, deadline = killing.site, time.monotonic() + 90
    told = None
    while site.ref("deployed") != site.tip():
        assert time.monotonic() < deadline, site.kinds()
        site.world.reconcile_once()
        release = site.newest("released") if LOG in site.world.refs() and "released" in site.kinds() else None
        if release and release != told and release.fact("Commit") == site.tip():
            told = release
            with no_reconciler(site.world):
                site.tell(killing.desk, release, **{release.fact("Hosts") or "": "ok"})
    site.world.reconcile_once()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_an_awaited_run_is_taken_up_by_the_next_reconciler(killing: Killing, point: Failpoint) -> None:
    site = killing.site
    before = len(site.kinds())
    with no_reconciler(site.world):
        site.land({"page": f"{point}\n"})
    killing.faults.arm(point)
    go_through(killing)
    assert killing.faults.fired()
    events = site.events()[before:]
    assert [event.fact("Event") for event in events] == ["started", "released", "released", "finished"]
    assert [event.fact("Hosts") for event in events[1:3]] == ["web1", "web2"]
    assert {event.fact("Generation") for event in events[1:]} == {events[0].fact("Number")}
    assert events[3].fact("State") == "successful"
    assert site.ref("attempted") == site.ref("deployed") == site.tip()
