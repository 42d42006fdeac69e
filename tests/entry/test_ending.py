"""A run that is to end: who said so, and what it is recorded as."""

import pytest

from gitops_hooks.entry.ending import Ending, Watch, find_cancel
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from tests.core.test_gates import begun, canceled, paused
from tests.core.test_plan import finished, requested

HOSTS = (HostOutcome("web1", HostState.FAILED),)
BY = Ending(RunState.CANCELED, "canceled by bob: wrong")


def test_a_cancel_is_of_the_newest_start_only():
    assert find_cancel([canceled(2, why="wrong"), begun(1)]) == BY
    assert find_cancel([paused(3), canceled(2, why="wrong"), begun(1)]) == BY
    assert find_cancel([begun(4), finished(3), canceled(2), begun(1)]) is None
    assert find_cancel([requested(1)]) is None


@pytest.mark.parametrize("ending", [BY, Ending(RunState.ERROR, "said nothing for 3 s and was ended")])
def test_what_ended_on_request_is_recorded_with_the_reason(ending):
    watch = Watch(ending=ending)
    assert watch.judge(Outcome(RunState.CANCELED, HOSTS, 2.0, "ended on request")) == Outcome(
        ending.state, HOSTS, 2.0, ending.detail
    )


@pytest.mark.parametrize("state", [RunState.SUCCESSFUL, RunState.ERROR])
def test_what_came_to_an_end_of_its_own_stays_what_it_was(state):
    outcome = Outcome(state, HOSTS, 2.0, "its programs do not end: 17")
    assert Watch(ending=BY).judge(outcome) == outcome
    assert Watch().judge(outcome) == outcome


def test_silence_is_told_with_the_last_words():
    watch = Watch()
    assert watch.silent(60) is None
    watch.heard -= 61
    assert watch.silent(60) == Ending(RunState.ERROR, "said nothing for 60 s and was ended; it never said what it does")
    watch.hear("Reboot")
    watch.hear("")
    assert watch.silent(60) is None
    watch.heard -= 61
    assert watch.silent(60) == Ending(
        RunState.ERROR, "said nothing for 60 s and was ended; the last it said was: Reboot"
    )
