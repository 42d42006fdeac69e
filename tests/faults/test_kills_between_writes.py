"""A push that is killed between any two of its writes leaves nothing that the next push does not put right."""

from collections.abc import Iterator
from fnmatch import fnmatchcase as fnmatch

import pytest

from tests.faults.acts import ACTS, LANDINGS, LOG, PROPOSALS, approval
from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN


def _failpoints() -> Iterator[tuple[str, Failpoint]]:
    """Before the first write, then inside and after each; who is killed takes turns, and for an approval is either.

    A lock that stays is met alike on every way to a landing, so one of them meets it.
    """
    for name, (_, writes) in ACTS.items():
        yield name, Failpoint("before", *writes[0], ends="session")
        for place, write in enumerate(writes):
            turns = ("session", "judge") if place % 2 else ("judge", "session")
            if name == "an approval that lands":
                yield name, Failpoint("inside", *write, ends=turns[1])
                yield name, Failpoint("after", *write, ends=turns[0])
            if name not in LANDINGS[1:]:
                yield name, Failpoint("inside", *write, ends=turns[0])
            yield name, Failpoint("after", *write, ends=turns[1])


@pytest.mark.parametrize("name", ACTS)
def test_the_failpoints_name_every_write(scene, name):
    make, writes = ACTS[name]
    with no_reconciler(scene.world):
        act = make(scene)
        scene.faults.written()
        scene.push(act.who, act.refspec).must()
        written = scene.faults.written()
    fitting = [fnmatch(ref, pattern) for ref, (pattern, _) in zip(written, writes, strict=True)]
    assert all(fitting), written


@pytest.mark.parametrize(("name", "point"), list(_failpoints()), ids=str)
def test_a_push_killed_at_any_write_is_put_right_by_the_next(scene, name, point):
    make, _ = ACTS[name]
    with no_reconciler(scene.world):
        act = make(scene)
        scene.faults.arm(point)
        killed = scene.push(act.who, act.refspec)
        assert scene.faults.fired(), killed
        scene.check(settled=False)
        again = scene.push(act.who, act.refspec)
        scene.check(settled=False)
        if again.code:
            assert name not in PROPOSALS, again.err
            scene.proposed()
    scene.settle()
    scene.check(settled=True)
    assert len(scene.changes_at(act.head)) == 1
    if name in LANDINGS:
        assert scene.desk.ask("merge-base", act.head, scene.desk.tip(MAIN)) == act.head


def test_a_change_that_lands_before_its_killed_proposal_was_put_right_is_whole_as_well(scene):
    """Its record is written and its head is not; nobody proposes it again, and no reconciler comes by."""
    with no_reconciler(scene.world):
        topic, head = scene.fresh()
        scene.faults.arm(Failpoint("before", "refs/changes/*/head", ends="session"))
        scene.push("alice", f"{head}:refs/for/main/{topic}")
        assert scene.faults.fired()
        (number,) = scene.changes_at(head)
        assert f"refs/changes/{number}/head" not in scene.desk.refs()
        scene.push("bob", f"{head}:refs/approve/{number}").must()
        assert scene.desk.tip(MAIN) == head
        scene.check(settled=True)
    scene.settle()
    scene.check(settled=True)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_intent_that_a_kill_left_open_is_closed_by_whoever_lands_next(scene, when):
    """No reconciler comes by, and nobody pushes the killed one again: another change's landing ends it."""
    with no_reconciler(scene.world):
        killed, other = approval(scene), approval(scene)
        stood = scene.desk.tip(MAIN)
        scene.faults.arm(Failpoint(when, MAIN, ends="session"))
        scene.push(killed.who, killed.refspec)
        assert scene.faults.fired()
        assert (scene.desk.tip(MAIN) != stood) is (when == "after")
        scene.push(other.who, other.refspec).must()
        (intent,) = [fact.oid for fact in scene.facts(LOG, "landing") if fact["Head"] == killed.head]
        ends = scene.facts(LOG, "landed" if when == "after" else "voided")
        assert [fact["Landing"] for fact in ends].count(intent) == 1
        scene.check(settled=False)
    scene.settle()
    scene.check(settled=True)
    assert scene.desk.ask("merge-base", other.head, scene.desk.tip(MAIN)) == other.head


def test_a_landing_whose_judge_was_killed_after_the_branch_moved_is_not_approved_twice(scene):
    with no_reconciler(scene.world):
        act = approval(scene)
        scene.faults.arm(Failpoint("after", MAIN, ends="session"))
        scene.push(act.who, act.refspec)
        assert scene.faults.fired() and scene.desk.tip(MAIN) == act.head
        again = scene.push(act.who, act.refspec)
        assert again.code != 0 and "already" in again.remote
    scene.settle()
    scene.check(settled=True)
