"""Whoever deploys judges each landing again, also one that was written while it looked."""

from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.recovery import open_bench
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.event import Landed
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.request import Refusal
from tests.push.desk import MAIN, Desk
from tests.push.test_verify import _forge, unapproved


def _look(desk: Desk) -> Refusal | None:
    return judge_tip(open_sitting(desk.world.home, "site"), MAIN)


def test_a_landing_that_begins_before_the_look_and_ends_after_it_is_judged_by_the_next(desk: Desk) -> None:
    desk.land({"a.yml": "a: 1\n"})
    head = desk.propose("alice", {"b.yml": "b: 1\n"})
    with hold(open_bench(desk.world.home, "site").state, MAIN, 30.0):
        _forge(desk, unapproved(desk, head, change=desk.newest()))
        intent = Oid(desk.tip(LOG))
        assert _look(desk) is None  # nothing has moved yet
        desk.world.server_git("update-ref", MAIN, head)
        _forge(desk, Landed(intent, Word(MAIN), Oid(head)), "server")
    refused = _look(desk)
    assert refused is not None and "0 of 1 approval by @senior" in refused.reason


def test_what_is_carried_out_and_not_closed_is_judged_at_once_and_stays_refused(desk: Desk) -> None:
    head = desk.propose("alice", {"b.yml": "b: 1\n"})
    with hold(open_bench(desk.world.home, "site").state, MAIN, 30.0):
        _forge(desk, unapproved(desk, head, change=desk.newest()))
        desk.world.server_git("update-ref", MAIN, head)
        for _ in range(2):
            refused = _look(desk)
            assert refused is not None and "0 of 1 approval by @senior" in refused.reason
