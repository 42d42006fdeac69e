"""The reconciler dies at each write of a rollback: the next one rolls back once, and opens one revert change."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.environments.conftest import ENVIRONMENT, Site
from tests.environments.test_rolls_back_by_itself import PLAYBOOK
from tests.faults.failpoints import Failpoint, Faults, lay_git, no_reconciler
from tests.hosts import inventory
from tests.world import POLICY, Template, World

LOG = "refs/environments/staging/log"
# In the log: the bad commit's start and end, the rollback, the start of the way back, what became of the revert change.
POINTS = (
    Failpoint("after", LOG, 2),
    Failpoint("before", LOG, 3),
    Failpoint("inside", LOG, 3),
    Failpoint("after", LOG, 3),
    Failpoint("after", LOG, 4),
    Failpoint("before", "refs/changes/*/1"),
    Failpoint("after", "refs/changes/*/1"),
    Failpoint("inside", "refs/changes/*/meta"),
    Failpoint("after", "refs/changes/*/meta"),
    Failpoint("after", "refs/changes/*/head"),
    Failpoint("before", LOG, 5),
    Failpoint("after", LOG, 5),
)


@dataclass(frozen=True, slots=True)
class Killing:
    site: Site
    faults: Faults


@pytest.fixture(scope="module")
def killing() -> Iterator[Killing]:
    template = Template.build(POLICY.replace("yaml, secrets", "yaml") + ENVIRONMENT + "    on_failure: rollback\n")
    world = World.copied_from(template)
    template.remove()
    try:
        lay_git(world.folder / "faults", world.home)
        server = world.home.server_file
        server.write_text(server.read_text().replace("[limits]\n", "[limits]\nfollow_seconds = 0.1\n", 1))
        yield Killing(Site(world, world.add_hosts("web1")), Faults(world.folder / "faults"))
    finally:
        world.close()


def land(site: Site, page: str) -> str:
    """Land a page that nobody brings to the hosts yet; the commit."""
    with no_reconciler(site.world):
        files = {"site.yml": PLAYBOOK, "page": page, "inventories/staging/hosts.yml": inventory(site.hosts)}
        site.land(files)
    return site.tip()


def kinds(site: Site) -> list[str]:
    return [event.fact("Event") or "" for event in site.world.events(LOG)] if LOG in site.world.refs() else []


def changes(site: Site) -> set[str]:
    return {ref for ref in site.world.refs() if ref.startswith("refs/changes/") and ref.endswith("/meta")}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_rollback_is_ended_by_the_next_reconciler(killing: Killing, point: Failpoint) -> None:
    site, world = killing.site, killing.site.world
    good = land(site, f"good, {point}\n")
    world.reconcile_once()
    assert site.ref("deployed") == good
    bad = land(site, f"bad, {point}\n")
    before, others = len(kinds(site)), changes(site)

    killing.faults.arm(point)
    assert world.reconcile_once().code not in (0, 1)
    assert killing.faults.fired()
    deadline = time.monotonic() + 150
    while site.ref("deployed") != good or "reverted" not in kinds(site)[before:]:
        assert time.monotonic() < deadline, kinds(site)[before:]
        world.reconcile_once()
    world.reconcile_once()

    events = world.events(LOG)[before:]
    found = [event.fact("Event") for event in events]
    assert [found.count(kind) for kind in ("rolled-back", "reverted")] == [1, 1]
    assert found.count("started") == found.count("finished")
    begun = [event.fact("Commit") for event in events if event.fact("Event") == "started"]
    assert begun == [bad, *[good] * (len(begun) - 1)]
    number = next(event.fact("Change") for event in events if event.fact("Event") == "reverted")
    assert changes(site) - others == {f"refs/changes/{number}/meta"}
    assert world.show(f"refs/changes/{number}/head:page") == f"good, {point}\n"
    assert site.pages() == [f"good, {point}\n"]
    assert site.ref("desired") == good
