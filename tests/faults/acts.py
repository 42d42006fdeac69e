"""Every kind of push that is recorded, with the refs that it writes in their order."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.scene import MAIN, Scene

META, LOG = "refs/changes/*/meta", "refs/gitops/log"
_PROPOSE = (("refs/changes/*/1", 1), (META, 1), ("refs/changes/*/head", 1))
_REVISE = (("refs/changes/*/2", 1), (META, 1), ("refs/changes/*/head", 1))
_LAND = ((LOG, 1), (MAIN, 1), (LOG, 2), (META, 1))
_APPROVE = ((META, 1), (LOG, 1), (MAIN, 1), (LOG, 2), (META, 2))


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


def approval(scene: Scene) -> Act:
    number, _, head = scene.proposed()
    return Act("bob", f"{head}:refs/approve/{number}", head)


def _approval_of_an_older_one(scene: Scene) -> Act:
    act = approval(scene)
    other = approval(scene)
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
    "an approval that lands": (approval, _APPROVE),
    "an approval that merges": (_approval_of_an_older_one, _APPROVE),
    "a push of an approved head": (_push_of_an_approved_head, _LAND),
    "a rejection": (_rejection, ((META, 1),)),
    "a closing": (_closing, ((META, 1),)),
}
PROPOSALS = ("a new change", "a new revision")
LANDINGS = ("an approval that lands", "an approval that merges", "a push of an approved head")
