"""The reconciler dies between somebody's word and the act: the next one finishes it, and no two runs meet."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.launch_box import MODULE
from tests.environments.gated import Gated, gated
from tests.faults.test_reconciler_kills import run_processes


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        found.limit(follow_seconds=1, retry_seconds=1)
        yield found


@contextmanager
def deaf(site: Gated) -> Iterator[None]:
    """The reconciler hears nothing of what is said in here, and is killed before it could; then another comes."""
    reconciler = next(one for one in run_processes(site.world) if "--tell" not in one.argv)
    assert living.send(reconciler, signal.SIGSTOP)
    try:
        yield
    finally:
        assert living.send(reconciler, signal.SIGKILL)
    # Its run dies with it, whoever comes by.
    assert not living.wait_gone([reconciler], 10)
    site.world.admin("reconcile", "--ensure")


def begun(site: Gated, commit: str) -> int:
    events = site.world.events("refs/environments/staging/log")
    return sum(event.fact("Event") == "started" and event.fact("Commit") == commit for event in events)


def running(site: Gated, page: str) -> str:
    """A run of this page that does not end by itself; its commit."""
    site.land({"page": page})
    site.await_state("staging", "running")
    site.await_that(lambda: site.page("staging") == page)
    return site.tip()


@pytest.mark.timeout(300)
def test_a_cancel_is_carried_out_by_the_next_reconciler(site: Gated):
    with site.staying("staging"):
        commit = running(site, "second\n")
        with deaf(site):
            assert "canceled by bob" in site.world.ssh("bob", "env cancel staging").err
        facts = site.await_state("staging", "waiting")
    assert (facts["last"]["state"], facts["last"]["detail"]) == ("canceled", "canceled by bob")
    assert facts["waits"]["gate"] == "canceled"
    time.sleep(2.0)  # more than retry_seconds
    assert begun(site, commit) == 1


@pytest.mark.timeout(300)
def test_a_pause_holds_in_the_next_reconciler_whatever_landed_meanwhile(site: Gated):
    with deaf(site):
        site.world.ssh("bob", "env pause staging").must()
        site.land({"page": "third\n"})
    assert site.await_state("staging", "waiting")["waits"]["gate"] == "paused"
    site.await_that(lambda: site.page("production") == "third\n")
    assert (site.page("staging"), begun(site, site.tip())) == ("second\n", 0)
    with deaf(site):
        site.world.ssh("bob", "env resume staging").must()
    site.await_page("staging", "third\n")


@pytest.mark.timeout(300)
def test_a_stop_ends_what_the_killed_one_ran_and_nothing_begins_before_the_start(site: Gated):
    with site.staying("staging"):
        commit = running(site, "fourth\n")
        with deaf(site):
            site.world.admin("env", "stop").must()
        facts = site.await_state("staging", "waiting")
        assert (facts["waits"]["gate"], begun(site, commit)) == ("stopped", 1)
        assert not [one for one in run_processes(site.world) if MODULE in one.argv]
    with deaf(site):
        site.world.admin("env", "start").must()
    site.await_state("staging", "successful")
    assert site.facts("staging")["deployed"] == commit


@pytest.mark.timeout(300)
def test_a_rollback_is_carried_out_by_the_next_reconciler_once(site: Gated):
    good = site.tip()
    site.land({"page": "fifth\n"})
    site.await_page("staging", "fifth\n")
    with deaf(site):
        site.world.ssh("bob", f"env rollback staging {good}")
    site.await_state("staging", "rolled_back")
    assert site.page("staging") == "fourth\n"
    log = site.kinds("staging")
    assert log.count("started") == log.count("finished")
    generations = [int(event.fact("Generation") or 0) for event in site.world.events("refs/environments/staging/log")]
    assert [number for number in generations if number] == sorted(number for number in generations if number)
