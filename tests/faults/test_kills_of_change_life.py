"""Edits, comments, reopening, rebases, stacks: killed between any two of their writes, put right by the next push."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

import pytest

from tests.faults.acts import LOG, META
from tests.faults.conftest import FAULTY_POLICY, faulty
from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.world import Template

# Who pushes what, with which options.
Act = tuple[str, ...]


def _edit(scene: Scene) -> Act:
    _, topic, head = scene.proposed()
    return "alice", "-o", "draft", "-o", "r=bob", f"{head}:refs/for/main/{topic}"


def _comment(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    return "bob", "-o", "m=why?", f"{head}:refs/comment/{number}"


def _reopening(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    scene.push("alice", f"{head}:refs/close/{number}").must()
    return "alice", f"{head}:refs/reopen/{number}"


def _rebase(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    other, _, landed = scene.proposed()
    scene.push("bob", f"{landed}:refs/approve/{other}").must()
    return "carol", f"{head}:refs/rebase/{number}"


def _stack(scene: Scene) -> Act:
    topic, low = scene.fresh()
    top = scene.desk.commit("alice", {f"{topic}-top.yml": "name: top\n"}, "top", onto=low)
    return "alice", "-o", "stack", f"{top}:refs/for/main/{topic}"


def _asked_landing(scene: Scene) -> Act:
    """Approved, and a draft: what is missing is that it is made ready."""
    topic, head = scene.fresh()
    scene.push("alice", "-o", "draft", "-o", "auto-land", f"{head}:refs/for/main/{topic}").must()
    scene.push("bob", f"{head}:refs/approve/{scene.desk.newest()}").must()
    return "alice", "-o", "ready", f"{head}:refs/for/main/{topic}"


_REVISE = (("refs/changes/*/2", 1), (META, 1), ("refs/changes/*/head", 1))
ACTS: dict[str, tuple[Callable[[Scene], Act], tuple[tuple[str, int], ...]]] = {
    "an edit": (_edit, ((META, 1),)),
    "a comment": (_comment, ((META, 1),)),
    "a reopening": (_reopening, ((META, 1),)),
    "a rebase": (_rebase, _REVISE),
    "a stack": (_stack, (("refs/changes/*/1", 1), (META, 1), ("refs/changes/*/head", 1), ("refs/changes/*/head", 2))),
    "a landing that was asked for": (_asked_landing, ((META, 1), (LOG, 1), (MAIN, 1), (LOG, 2), (META, 2))),
}


def _failpoints() -> Iterator[tuple[str, Failpoint]]:
    for name, (_, writes) in ACTS.items():
        yield name, Failpoint("before", *writes[0], ends="session")
        for place, write in enumerate(writes):
            turns = ("session", "judge") if place % 2 else ("judge", "session")
            yield name, Failpoint("inside", *write, ends=turns[0])
            yield name, Failpoint("after", *write, ends=turns[1])


@pytest.mark.parametrize("name", ACTS)
def test_the_failpoints_name_every_write(scene, name):
    make, writes = ACTS[name]
    with no_reconciler(scene.world):
        act = make(scene)
        scene.faults.written()
        scene.push(*act).must()
        written = scene.faults.written()
    # A transaction of a stack writes several refs at once.
    assert all(any(fnmatchcase(ref, pattern) for pattern, _ in writes) for ref in written), written
    assert all(any(fnmatchcase(ref, pattern) for ref in written) for pattern, _ in writes), written


@pytest.mark.parametrize(("name", "point"), list(_failpoints()), ids=str)
def test_what_is_killed_at_any_write_is_put_right_by_the_next(scene, name, point):
    make, _ = ACTS[name]
    with no_reconciler(scene.world):
        act = make(scene)
        scene.faults.arm(point)
        killed = scene.push(*act)
        assert scene.faults.fired(), killed
        scene.check(settled=False)
        again = scene.push(*act)
        scene.check(settled=False)
        if again.code:
            # It was done before the kill: a good push of another kind succeeds.
            scene.proposed()
    scene.settle()
    scene.check(settled=True)
    head = act[-1].partition(":")[0]
    assert len(scene.changes_at(head)) == 1
    if name == "a landing that was asked for":
        assert scene.desk.ask("merge-base", head, scene.desk.tip(MAIN)) == head


@pytest.fixture(scope="module")
def squashing() -> Iterator[Scene]:
    template = Template.build(FAULTY_POLICY.replace("land_method: merge", "land_method: squash"))
    with faulty(template) as scene:
        yield scene
    template.remove()


@pytest.mark.parametrize("write", [(MAIN, 1), (LOG, 2), (META, 2)])
def test_a_squashed_head_is_not_in_the_branch_and_still_never_lands_twice(squashing, write):
    scene = squashing
    with no_reconciler(scene.world):
        topic, first = scene.fresh()
        head = scene.desk.commit("alice", {f"{topic}.yml": "name: two\n"}, "two", onto=first)
        scene.push("alice", f"{head}:refs/for/main/{topic}").must()
        number = scene.desk.newest()
        scene.faults.arm(Failpoint("after", *write))
        scene.push("bob", f"{head}:refs/approve/{number}")
        assert scene.faults.fired()
        assert scene.push("carol", f"{head}:refs/land/{number}").code
        # Whoever speaks of it next finds out, under the lock, that it has landed.
        late = scene.push("carol", "-o", "m=late", f"{head}:refs/comment/{number}")
        assert f"Change {number} is landed." in late.remote
    scene.settle()
    landings = [fact for fact in scene.facts(LOG, "landing") if fact["Change"] == str(number)]
    assert len(landings) == 1
