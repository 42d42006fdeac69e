"""A branch or tag that is created, forced or deleted: killed between any two writes, the next push puts it right."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import FAULTY_POLICY, faulty
from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.push.rules_desk import judged
from tests.world import Template

ONE, TAG = "refs/heads/release/1", "refs/tags/v1"
LOG, KEPT = "refs/gitops/log", "refs/gitops/kept/*"
POLICY = (
    FAULTY_POLICY
    + """\
  - match: 'release/**'
    push: [alice]
    propose: ['*']
    land: ['@ops']
    create: [alice]
    delete: [alice]
    force: [alice]
tags:
  - match: 'v*'
    create: [alice]
    delete: [alice]
    force: [alice]
"""
)


@pytest.fixture(scope="module")
def moving() -> Iterator[Scene]:
    template = Template.build(POLICY)
    with faulty(template) as scene:
        yield scene
    template.remove()


def _points() -> Iterator[tuple[str, str, Failpoint]]:
    """Each write of each way; a tag goes the same way as a branch, so it meets the two in the middle."""
    for ref, way in ((ONE, "create"), (ONE, "force"), (ONE, "delete"), (TAG, "force"), (TAG, "delete")):
        kept = [(KEPT, 1)] if way != "create" and ref == ONE else []
        writes = [*kept, (LOG, 1), (ref, 1), *([(LOG, 2)] if ref == ONE else [])]
        for place, write in enumerate(writes):
            yield way, ref, Failpoint("after", *write, ends=("judge", "session")[place % 2])


@pytest.mark.parametrize(("way", "ref", "point"), list(_points()), ids=str)
def test_a_move_killed_at_any_write_is_put_right_by_the_next(
    moving: Scene, way: str, ref: str, point: Failpoint
) -> None:
    desk = moving.desk
    with no_reconciler(moving.world):
        _lay(moving, way, ref)
        target = {"create": desk.tip(MAIN), "force": _something(moving, ref), "delete": ""}[way]
        moving.faults.arm(point)
        killed = moving.push("alice", f"+{target}:{ref}")
        assert moving.faults.fired(), killed
        if desk.refs().get(ref, "") != target:
            moving.push("alice", f"+{target}:{ref}").must()
        else:
            moving.proposed()
    moving.settle()
    assert desk.refs().get(ref, "") == target and moving.leftovers() == []
    if ref == ONE and target:
        assert judged(desk, ref) == ""
    last = [event.fact("Event") for event in desk.log()[-2:]]
    assert last[-1] == "landed", last
    if target and ref == ONE:
        with no_reconciler(moving.world):
            moving.push("alice", f"{desk.commit('alice', {'a.yml': 'a: 1'}, onto=ref)}:{ref}").must()


def _something(scene: Scene, ref: str) -> str:
    """A commit beside all others, or a tag object unlike all others: each is kept on its own."""
    topic, commit = scene.fresh()
    if ref == ONE:
        return commit
    lines = [
        f"object {scene.desk.tip(MAIN)}",
        "type commit",
        "tag v1",
        "tagger a <alice@example.org> 0 +0000",
        "",
        topic,
    ]
    return scene.desk.ask("hash-object", "-t", "tag", "-w", "--stdin", text="\n".join(lines) + "\n")


def _lay(scene: Scene, way: str, ref: str) -> None:
    """The ref as the story finds it: not there, or at something of its own."""
    if ref in scene.desk.refs():
        scene.push("alice", f":{ref}").must()
    if way == "create":
        return
    if ref == ONE:
        scene.push("alice", f"{scene.desk.tip(MAIN)}:{ref}").must()
    scene.push("alice", f"{_something(scene, ref)}:{ref}").must()
