"""A push that is killed between any two of its writes leaves nothing that the next push does not put right."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase as fnmatch

import pytest

from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN, Scene

_META, _LOG = "refs/changes/*/meta", "refs/gitops/log"
_PROPOSE = (("refs/changes/*/1", 1), (_META, 1), ("refs/changes/*/head", 1))
_REVISE = (("refs/changes/*/2", 1), (_META, 1), ("refs/changes/*/head", 1))
_LAND = ((_LOG, 1), (MAIN, 1), (_LOG, 2), (_META, 1))
_APPROVE = ((_META, 1), (_LOG, 1), (MAIN, 1), (_LOG, 2), (_META, 2))


@dataclass(frozen=True, slots=True)
class Act:
    """One push that is about to be made: by whom, and the commit whose change it is about."""

    who: str
    refspec: str
    head: str


def _new_change(scene: Scene) -> Act:
    topic, head = scene.fresh()
    return Act("alice", f"{head}:refs/for/main/{topic}", head)


def _new_revision(scene: Scene) -> Act:
    _, topic, first = scene.proposed()
    second = scene.desk.commit("alice", {f"{topic}.yml": "name: second\n"}, onto=first)
    return Act("alice", f"{second}:refs/for/main/{topic}", second)


def _approval(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    return Act("bob", f"{head}:refs/approve/{number}", head)


def _approval_of_an_older_one(scene: Scene) -> Act:
    act = _approval(scene)
    other = _approval(scene)
    scene.push(other.who, other.refspec).must()
    return act


def _push_of_an_approved_head(scene: Scene) -> Act:
    """dave's approval counts, and he may not land: the change waits for somebody who may."""
    number, _, head = scene.proposed()
    scene.push("dave", f"{head}:refs/approve/{number}").must()
    return Act("carol", f"{head}:{MAIN}", head)


def _rejection(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    return Act("bob", f"{head}:refs/reject/{number}", head)


def _closing(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    return Act("alice", f"{head}:refs/close/{number}", head)


ACTS: dict[str, tuple[Callable[[Scene], Act], tuple[tuple[str, int], ...]]] = {
    "a new change": (_new_change, _PROPOSE),
    "a new revision": (_new_revision, _REVISE),
    "an approval that lands": (_approval, _APPROVE),
    "an approval that merges": (_approval_of_an_older_one, _APPROVE),
    "a push of an approved head": (_push_of_an_approved_head, _LAND),
    "a rejection": (_rejection, ((_META, 1),)),
    "a closing": (_closing, ((_META, 1),)),
}
PROPOSALS = ("a new change", "a new revision")
LANDINGS = ("an approval that lands", "an approval that merges", "a push of an approved head")


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
    with no_reconciler(scene.world.home):
        act = make(scene)
        scene.faults.written()
        scene.push(act.who, act.refspec).must()
        written = scene.faults.written()
    fitting = [fnmatch(ref, pattern) for ref, (pattern, _) in zip(written, writes, strict=True)]
    assert all(fitting), written


@pytest.mark.parametrize(("name", "point"), list(_failpoints()), ids=str)
def test_a_push_killed_at_any_write_is_put_right_by_the_next(scene, name, point):
    make, _ = ACTS[name]
    with no_reconciler(scene.world.home):
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
