"""`change purge` that is killed at any of its writes: the change stays whole or goes whole, and again is enough."""

from collections.abc import Iterator

import pytest

from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import Scene
from tests.push.test_purge import there

LOG = "refs/gitops/log"
SECRET = "hunter2 is the password\n"
META, HEAD, FIRST, SECOND = (f"refs/changes/*/{name}" for name in ("meta", "head", "1", "2"))
WRITES = (LOG, META, HEAD, FIRST, SECOND)


def _points() -> Iterator[Failpoint]:
    for place, ref in enumerate(WRITES):
        yield Failpoint(("before", "inside")[place % 2], ref)
        yield Failpoint("after", ref)


def _killed(scene: Scene, point: Failpoint) -> tuple[int, tuple[str, ...]]:
    """A change of two revisions, and its purge killed; its number, and what must go."""
    topic, first = scene.fresh()
    second = scene.desk.commit("alice", {f"{topic}.txt": SECRET + topic}, onto=first)
    for commit in (first, second):
        scene.push("alice", f"{commit}:refs/for/main/{topic}").must()
    number = scene.desk.newest()
    scene.faults.arm(point)
    killed = _purge(scene, number)
    assert scene.faults.fired(), killed
    assert killed.code < 0, killed
    return number, (first, second, scene.desk.ask("rev-parse", f"{second}:{topic}.txt"))


def _purge(scene: Scene, number: int):
    return scene.world.admin("change", "purge", str(number), "--reason", "a password")


def _refs(scene: Scene, number: int) -> set[str]:
    return {name.rsplit("/", 1)[1] for name in scene.desk.refs() if name.startswith(f"refs/changes/{number}/")}


@pytest.mark.parametrize("point", list(_points()), ids=str)
def test_a_purge_killed_at_any_write_is_whole_when_it_is_run_again(scene: Scene, point: Failpoint) -> None:
    with no_reconciler(scene.world):
        number, secrets = _killed(scene, point)
        done = _purge(scene, number).must()
        assert "none of them is left on this server" in done.out
        assert _refs(scene, number) == {"meta"}
        assert there(scene.desk, *secrets) == set()
        assert scene.desk.said(number)[-1] == f"change {number} purged by server"
        assert len(scene.facts(f"refs/changes/{number}/meta", "purged")) == 1
        acts = [fact for fact in scene.facts(LOG, "administered") if fact["Ref"] == f"refs/changes/{number}"]
        # The log knows of the first attempt too where that had come so far and no farther.
        assert len(acts) == (2 if (point.ref, point.when) in ((LOG, "after"), (META, "inside")) else 1)
        scene.proposed()
    scene.settle()
    scene.check(settled=True)


@pytest.mark.parametrize(
    "point", [Failpoint("after", LOG), Failpoint("after", META), Failpoint("after", HEAD)], ids=str
)
def test_the_reconciler_takes_away_what_the_record_calls_purged_and_nothing_else(
    scene: Scene, point: Failpoint
) -> None:
    with no_reconciler(scene.world):
        number, _ = _killed(scene, point)
    scene.settle()
    assert _refs(scene, number) == ({"meta", "head", "1", "2"} if point.ref == LOG else {"meta"})
    scene.check(settled=True)
