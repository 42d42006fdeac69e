"""A run that says nothing any more is ended, and the record says what it said last; a branch can wait for its runs."""

from collections.abc import Iterator

import pytest

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.answers import change_number
from tests.environments.gated import Gated, gated
from tests.push.desk import refusal
from tests.world import REPOSITORY

MAIN = "refs/heads/main"


# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        yield found


def test_a_run_that_says_nothing_for_too_long_is_ended_and_recorded_with_its_last_words(site: Gated):
    site.limit(follow_seconds=1)
    with site.staying("staging"):
        site.land({"page": "second\n"})
        site.await_that(lambda: "  running    staging1 Stay" in site.show("staging"))
        site.await_state("production", "successful")
        site.limit(idle_seconds=2)
        last = site.await_state("staging", "waiting")["last"]
    detail = "said nothing for 2 s and was ended; the last it said was: Stay"
    assert (last["state"], last["detail"]) == ("error", detail)
    site.limit(idle_seconds=1800, follow_seconds=30)
    site.world.ssh("bob", "env deploy staging").must()
    assert site.facts("staging")["state"] == "successful"


def test_a_branch_takes_nothing_while_its_last_deployment_has_failed_or_runs(site: Gated):
    site.gates(rule="deployed: [staging]\nbreak_glass: {by: [alice], settle: 1h}")
    site.await_state("staging", "successful")
    (site.hosts["staging"].root / "full").touch()
    site.land({"page": "third\n"})
    site.await_state("staging", "waiting")
    number = change_number(site.world.propose("alice", {"page": "fourth\n"}, to="main/fourth").must())
    approved = site.world.approve("bob", number).must()
    why = "Nothing lands on main while the last deployment to staging failed."
    assert f"  not landed {why}" in approved.remote_lines
    refused = site.world.verb("bob", "land", number)
    assert refused.remote == refusal(f"refs/land/{number}", "deployed", f"{why} (policy.yaml:6)")

    (site.hosts["staging"].root / "full").unlink()
    site.limit(follow_seconds=1)
    with site.staying("staging"):
        site.world.ssh("bob", "env deploy staging")
        site.await_state("staging", "running")
        running = site.world.verb("bob", "land", number)
        assert "while the last deployment to staging is running." in running.remote
    site.limit(follow_seconds=30)
    site.await_state("staging", "successful")
    site.world.verb("bob", "land", number).must()
    landings = [event for event in site.world.events("refs/gitops/log") if event.fact("Event") == "landing"]
    assert landings[-1].fact("Deployed") == "staging:successful"
    site.await_state("staging", "successful")


def test_break_glass_covers_it_and_the_record_stays_authorised_however_things_stand_later(site: Gated):
    (site.hosts["staging"].root / "full").touch()
    site.land({"page": "fifth\n"})
    site.await_state("staging", "waiting")
    number = change_number(site.world.propose("alice", {"page": "sixth\n"}, to="main/sixth").must())
    head = site.world.refs()[f"refs/changes/{number}/head"]
    words = ("-o", "break-glass", "-o", "reason=the disk is full")
    pushed = site.world.git("alice", "push", *words, "origin", f"{head}:refs/land/{number}").must()
    assert f"gitops: change {number} landed by alice, by break-glass" in pushed.remote_lines
    landings = [event for event in site.world.events("refs/gitops/log") if event.fact("Event") == "landing"]
    assert landings[-1].fact("Deployed") == "staging:failed"
    (site.hosts["staging"].root / "full").unlink()
    assert judge_tip(open_sitting(site.world.home, REPOSITORY), MAIN) is None
