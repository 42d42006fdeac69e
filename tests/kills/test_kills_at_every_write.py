"""A SIGKILL before, after and inside every write of a push: nothing is lost and nothing lands twice."""

import pytest

from tests.answers import change_number
from tests.kills import invariants
from tests.kills.faulty import Faulty

PROPOSING = ("refs/changes/*/1", "refs/changes/*/meta", "refs/changes/*/head")
APPROVING = ("refs/changes/*/meta", "refs/gitops/log", "refs/heads/main")


def _good_push(faulty: Faulty) -> None:
    """I6: after any fault somebody else's whole way works, without an administrator."""
    number = faulty.proposed()
    done = faulty.world.approve("bob", number).must()
    assert "approved by bob; landing" in done.remote
    faulty.settle()
    assert faulty.state_of(number) == "change-landed"
    invariants.check(faulty.world)
    assert invariants.leftovers(faulty.world) == []


@pytest.mark.parametrize("who", ["judge", "push"])
@pytest.mark.parametrize("pattern", PROPOSING)
@pytest.mark.parametrize("when", ["before", "after", "locked"])
def test_a_proposal_that_is_killed_can_be_pushed_again(faulty: Faulty, when: str, pattern: str, who: str):
    faulty.commit()
    faulty.arm(when, who, pattern)
    assert faulty.propose().code != 0
    assert not faulty.point.exists(), "the kill did not happen"
    again = faulty.propose().must()
    number = change_number(again)
    faulty.settle()
    faulty.world.approve("bob", number).must()
    faulty.settle()
    assert faulty.state_of(number) == "change-landed"
    invariants.check(faulty.world)
    assert invariants.leftovers(faulty.world) == []


@pytest.mark.parametrize("who", ["judge", "push"])
@pytest.mark.parametrize("pattern", APPROVING)
@pytest.mark.parametrize("when", ["before", "after", "locked"])
def test_a_landing_that_is_killed_lands_exactly_once(faulty: Faulty, when: str, pattern: str, who: str):
    number = faulty.proposed()
    faulty.arm(when, who, pattern)
    assert faulty.world.approve("bob", number).code != 0
    assert not faulty.point.exists(), "the kill did not happen"
    faulty.settle()
    if faulty.state_of(number) != "change-landed":
        faulty.world.approve("bob", number).must()
    faulty.settle()
    assert faulty.state_of(number) == "change-landed"
    invariants.check(faulty.world)
    assert invariants.leftovers(faulty.world) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_landing_killed_between_intent_and_landed_is_closed_by_the_next_writer(faulty: Faulty, when: str):
    """No reconciler in between: the next push itself finds the open intent and ends it."""
    number = faulty.proposed()
    faulty.arm(when, "push", "refs/heads/main")
    assert faulty.world.approve("bob", number).code != 0
    _good_push(faulty)


def test_main_moved_and_the_server_killed_still_counts_as_one_landing(faulty: Faulty):
    number = faulty.proposed()
    before = faulty.world.refs()[invariants.MAIN]
    faulty.arm("after", "push", invariants.MAIN)
    assert faulty.world.approve("bob", number).code != 0
    assert faulty.world.refs()[invariants.MAIN] != before
    again = faulty.world.approve("bob", number)
    assert again.code != 0 and "already" in again.remote
    _good_push(faulty)
    assert faulty.state_of(number) == "change-landed"
