"""A revert is known by its tree: it ends the deployment of what it reverts, and begins without soaking."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.environments.gated import Gated, gated

# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)
SOAK = 12


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        found.limit(retry_seconds=1, retry_most_seconds=1)
        yield found


def events(site: Gated, environment: str) -> list[Any]:  # as the history has them, newest first
    return site.world.events(f"refs/environments/{environment}/log")[::-1]


def canceled(site: Gated, environment: str) -> list[str]:
    return [event.fact("Message") or "" for event in events(site, environment) if event.fact("Event") == "canceled"]


def at(site: Gated, environment: str, kind: str, commit: str) -> datetime:
    """When the newest such event of this commit was recorded."""
    found = (event for event in events(site, environment) if event.fact("Event") == kind)
    return datetime.fromisoformat(next(event.fact("At") for event in found if event.fact("Commit") == commit))


def test_a_revert_ends_what_it_reverts_and_skips_the_soak(site: Gated):
    site.gates(production=f"after: staging\nsoak: {SOAK}s")
    site.await_state("production", "successful")
    good = site.tip()
    site.limit(follow_seconds=1)
    with site.staying("production"):
        site.land({"page": "second\n"})
        bad = site.tip()
        site.await_that(lambda: site.page("production") == "second\n")
        assert site.facts("production")["state"] == "running"
        assert at(site, "production", "started", bad) >= at(site, "staging", "finished", bad)
        site.land({"page": "first\n"})
        revert = site.tip()
        site.await_that(lambda: len(canceled(site, "production")) == 1)
        assert canceled(site, "production") == [f'"{revert[:7]} brings it back to what {good[:7]} was"']
    site.await_page("production", "first\n")
    site.await_that(lambda: site.facts("production")["sync"] == "Synced")
    assert site.facts("production")["deployed"] == revert
    waited = at(site, "production", "started", revert) - at(site, "staging", "finished", revert)
    assert waited.total_seconds() < SOAK - 4
    ends = [event for event in events(site, "production") if event.fact("Event") == "finished"]
    ended = next(event for event in ends if event.fact("Commit") == bad)
    assert (ended.fact("State"), len(canceled(site, "staging"))) == ("canceled", 0)
    # No two runs meet: each start comes after the end before it.
    kinds = [kind for kind in site.kinds("production") if kind in ("started", "finished")]
    assert kinds == ["started", "finished"] * (len(kinds) // 2)
    site.limit(follow_seconds=30)


def test_what_is_no_revert_and_a_revert_that_would_have_to_wait_end_nothing(site: Gated):
    site.gates(production="manual: true")
    site.world.ssh("bob", "env deploy production").must()
    before = len(canceled(site, "production"))
    site.limit(follow_seconds=1)
    with site.staying("production"):
        site.land({"page": "third\n"})
        running = site.tip()
        site.world.ssh("bob", "env deploy production")
        site.await_that(lambda: site.page("production") == "third\n")
        site.land({"page": "fourth\n"})
        site.await_page("staging", "fourth\n")
        site.land({"page": "first\n"})
        site.await_page("staging", "first\n")
        facts = site.facts("production")
        assert (facts["state"], facts["attempted"]) == ("running", running)
        assert len(canceled(site, "production")) == before
    assert site.await_state("production", "waiting")["deployed"] == running
    site.limit(follow_seconds=30)


def test_a_revert_that_would_reach_more_hosts_than_one_may_unasked_ends_nothing(site: Gated):
    site.gates(production="max_changed: 50%")
    site.world.ssh("bob", "env deploy production").must()
    site.await_that(lambda: site.facts("production")["sync"] == "Synced")
    good, before = site.page("production"), len(canceled(site, "production"))
    site.limit(follow_seconds=1)
    with site.staying("production"):
        site.land({"page": "many\n"})
        running = site.tip()
        site.world.ssh("bob", "env deploy production")
        site.await_that(lambda: site.page("production") == "many\n")
        site.land({"page": good})
        site.await_page("staging", good or "")
        facts = site.facts("production")
        assert (facts["state"], facts["attempted"]) == ("running", running)
        assert len(canceled(site, "production")) == before
    assert site.await_state("production", "waiting")["deployed"] == running
    site.limit(follow_seconds=30)
