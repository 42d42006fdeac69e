"""What the server rolls back from, what its log then says that holds on, and what notices say of it."""

from dataclasses import replace

import pytest

from gitops_hooks.core.log_state import fold_log
from gitops_hooks.core.notices import rollback_words, untold
from gitops_hooks.core.own_fault import is_own_fault, to_roll_back
from gitops_hooks.core.revert_text import Occasion, Undone, description_of, title_of
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.environment_event import Canceled, Paused, Resumed, Reverted, RolledBack
from gitops_hooks.model.event import Event, Finished, Requested
from gitops_hooks.model.event_words import Hosts, Oid, Text, Word
from gitops_hooks.model.rollout import AT_ONCE, Rollout, Share
from tests.core.records import oid, stamp
from tests.core.test_gates import PRODUCTION
from tests.core.test_plan import finished, started

NAME = Word("production")
OK, CHANGED, FAILED = HostState.OK, HostState.CHANGED, HostState.FAILED
AWAY, SKIPPED = HostState.UNREACHABLE, HostState.SKIPPED
BACK = replace(PRODUCTION, rolls_back=True)


def end(*states, state=RunState.FAILED, untouched=()):
    hosts = tuple(HostOutcome(f"web{n}", each, untouched=n in untouched) for n, each in enumerate(states, 1))
    return Finished(NAME, oid("b"), 1, 1, state, 3, Hosts(hosts), Text(""))


HALVES = Rollout((Share(50, percent=True),))
LENIENT = Rollout((Share(50, percent=True),), Share(50, percent=True))


@pytest.mark.parametrize(
    ("ended", "rollout", "fault"),
    [
        (end(OK, FAILED), AT_ONCE, True),
        (end(), AT_ONCE, True),
        (end(FAILED, state=RunState.ERROR), AT_ONCE, False),
        (end(FAILED, state=RunState.CANCELED), AT_ONCE, False),
        (end(OK, state=RunState.SUCCESSFUL), AT_ONCE, False),
        (end(OK, AWAY), AT_ONCE, False),
        (end(AWAY, AWAY, untouched=(1, 2)), AT_ONCE, False),
        (end(OK, AWAY, FAILED, untouched=(2,)), AT_ONCE, True),
        (end(OK, FAILED, untouched=(2,)), AT_ONCE, False),
        (end(FAILED, CHANGED, SKIPPED, SKIPPED, untouched=(3, 4)), HALVES, True),
        (end(CHANGED, FAILED, CHANGED, CHANGED), LENIENT, False),
        (end(CHANGED, CHANGED, FAILED, FAILED), LENIENT, True),
        (end(FAILED, FAILED, SKIPPED, SKIPPED, untouched=(3, 4)), LENIENT, True),
        (end(AWAY, AWAY, SKIPPED, SKIPPED, untouched=(3, 4)), HALVES, False),
        (end(AWAY, CHANGED, FAILED, CHANGED, CHANGED, untouched=(1,)), LENIENT, False),
    ],
)
def test_a_commit_is_at_fault_where_hosts_failed_on_it_and_more_than_may(ended, rollout, fault):
    assert is_own_fault(ended, rollout) is fault


def said(number, body, who="bob"):
    return Event(stamp(number, who), body, f"{number:040x}")


def failed(number, commit="b"):
    event = finished(number, RunState.FAILED, commit)
    return replace(event, body=replace(event.body, hosts=Hosts((HostOutcome("web1", FAILED),))))


def rolled(number, commit="a", left="b", tree="e", generation=1):
    body = RolledBack(NAME, oid(commit), oid("d"), oid(left), oid(left), (), Text("it failed"), oid(tree), generation)
    return said(number, body, "server")


def by_hand(number, commit="a", left="b"):
    return said(number, RolledBack(NAME, oid(commit), oid("d"), oid(left), oid(left), (), Text(""), oid("9")))


def begun(number, *carries, commit="b", bad=""):
    event = started(number, commit)
    held = tuple(Word(word) for word in carries)
    return replace(event, body=replace(event.body, carries=held, bad=tuple(oid(tree) for tree in bad)))


def requested(number, tree="e"):
    return said(number, Requested(NAME, oid("b"), Text(""), (), oid(tree)))


def resumed(number):
    return said(number, Resumed(NAME, Text("")))


def reverted(number, rollback, change=7, reason=""):
    return said(number, Reverted(NAME, Oid(f"{rollback:040x}"), change, Text(reason)), "server")


def fold(*oldest_first):
    return fold_log(oldest_first[::-1])


def test_only_the_newest_end_is_rolled_back_from_and_only_where_nobody_has_spoken_since():
    log = (begun(1), failed(2))
    assert to_roll_back(BACK, fold(*log)) == log[1].body
    assert to_roll_back(PRODUCTION, fold(*log)) is None
    assert to_roll_back(BACK, fold()) is None
    assert to_roll_back(BACK, fold(begun(1))) is None
    assert to_roll_back(BACK, fold(*log, begun(3))) is None
    assert to_roll_back(BACK, fold(*log, rolled(3))) is None
    assert to_roll_back(BACK, fold(*log, requested(3))) is None
    assert to_roll_back(BACK, fold(*log, said(3, Canceled(NAME, oid("b"), 0, Text(""))))) is None
    assert to_roll_back(BACK, fold(*log, said(3, Paused(NAME, Text(""))))) == log[1].body


def test_a_way_back_that_fails_leads_no_further_back():
    assert to_roll_back(BACK, fold(rolled(1), begun(2, "pinned", commit="a"), failed(3, "a"))) is None


def test_a_tree_stays_bad_over_any_number_of_starts_until_a_person_asks_for_it():
    assert fold(rolled(1)).bad == (oid("e"),)
    assert fold(rolled(1), begun(2, "pinned", bad="e"), finished(3), begun(4, bad="e")).bad == (oid("e"),)
    assert fold(begun(1, bad="e"), finished(2), rolled(3, tree="f")).bad == (oid("f"), oid("e"))
    assert fold(begun(1, bad="ef"), requested(2)).bad == (oid("f"),)
    assert fold(rolled(1), requested(2)).bad == ()
    assert fold(requested(1), begun(2), failed(3), rolled(4, generation=2)).bad == (oid("e"),)
    assert fold(by_hand(1)).bad == ()
    assert len(fold(*(rolled(n, tree="0123456789abcdef"[n % 16]) for n in range(1, 60))).bad) == 16


def test_the_end_of_a_pause_ends_what_people_rolled_back_and_not_what_the_server_did():
    server = rolled(1)
    assert fold(server, resumed(2)).pinned == server
    assert fold(by_hand(1), resumed(2)).pinned is None
    again = (server, begun(2, "pinned", commit="a"), by_hand(3, "f", "a"), begun(4, "pinned", commit="f"))
    assert fold(*again).pinned == again[2]
    assert fold(*again, resumed(5)).pinned == server
    assert fold(*again, requested(5)).pinned is None
    ended = (server, requested(2), begun(3), finished(4), by_hand(5), begun(6, "pinned", commit="a"), resumed(7))
    assert fold(*ended).pinned is None


def test_a_revert_change_is_owed_until_the_log_tells_of_it():
    server = rolled(1)
    assert fold(server).owed == server
    assert fold(by_hand(1)).owed is None
    assert fold(server, begun(2, "pinned", "revert", commit="a")).owed == server
    assert fold(server).carries() == ("pinned", "revert")
    told = reverted(3, 1)
    log = fold(server, begun(2, "pinned", "revert", commit="a"), told)
    assert (log.owed, log.reverted, log.carries()) == (None, told, ("pinned",))
    later = fold(server, begun(2, "pinned", "revert", commit="a"), told, finished(4), begun(5, "pinned", commit="a"))
    assert (later.owed, later.reverted) == (None, told)
    assert fold(server, begun(2, "revert", commit="c")).owed == server


def test_notices_tell_of_the_way_back_with_the_end_that_led_to_it_and_with_its_own():
    oldest = (begun(1), failed(2), rolled(3), begun(4, "pinned", commit="a"), reverted(5, 3), finished(6, commit="a"))
    events = [*oldest[::-1]]
    events[0] = replace(events[0], body=replace(events[0].body, generation=4))
    first, second = untold(events, 0)
    assert rollback_words(events, first) == "rolled back to aaaaaaa; revert change 7"
    assert rollback_words(events, second) == "rolled back from bbbbbbb; revert change 7"
    events[1] = reverted(5, 3, 0, "nothing of it is left in bbbbbbb")
    words = "rolled back to aaaaaaa; no revert change: nothing of it is left in bbbbbbb"
    assert rollback_words(events, first) == words
    assert rollback_words(events[:1] + events[3:4], second) == ""


OCCASION = Occasion("production", "b" * 40, "a" * 40, "deployment 7 of bbbbbbb failed on web1")
ONE = Undone(12, "alice", "bob", "Another page", "b" * 40)


def test_a_revert_says_what_it_undoes_and_whose_that_was():
    assert title_of((ONE,), OCCASION) == 'Revert "Another page"'
    assert title_of((replace(ONE, title="x" * 200),), OCCASION) == 'Revert "' + "x" * 62 + '…"'
    pushed = Undone(0, "", "carol", "By hand", "c" * 40)
    assert title_of((ONE, pushed), OCCASION) == "Revert what landed after aaaaaaa, up to bbbbbbb"
    assert description_of((ONE, pushed), OCCASION) == (
        "production was rolled back to aaaaaaa by the server: deployment 7 of\n"
        "bbbbbbb failed on web1.\n"
        "\n"
        "This undoes:\n"
        "- bbbbbbb Another page (change 12 of alice, landed by bob)\n"
        "- ccccccc By hand (pushed by carol)"
    )
