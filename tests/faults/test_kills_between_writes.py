"""A push that is killed between any two of its writes leaves nothing that the next push does not put right."""

from collections.abc import Iterator
from fnmatch import fnmatchcase as fnmatch

import pytest

from tests.faults.acts import ACTS, LANDINGS, PROPOSALS
from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN


def _failpoints() -> Iterator[tuple[str, Failpoint]]:
    """Before the first write, then inside and after each; who is killed takes turns.

    A lock that stays is met alike on every way to a landing, so one of them meets it.
    """
    for name, (_, writes) in ACTS.items():
        yield name, Failpoint("before", *writes[0], ends="session")
        for place, write in enumerate(writes):
            turns = ("session", "judge") if place % 2 else ("judge", "session")
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
