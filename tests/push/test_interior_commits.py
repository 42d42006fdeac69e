"""Only recorded tips are authorised: what lies between two of them was never approved as a state to be in."""

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk
from tests.world import REPOSITORY


def test_a_commit_inside_an_approved_change_is_not_deployable(desk: Desk) -> None:
    inside = desk.commit("alice", {"a.yml": "debug: everything\n"})
    head = desk.commit("alice", {"a.yml": "debug: nothing\n"}, onto=inside)
    desk.push("alice", f"{head}:refs/for/main").must()
    desk.push("bob", f"{head}:refs/approve/1").must()
    sitting = open_sitting(desk.world.home, REPOSITORY)
    assert judge_tip(sitting, MAIN) is None
    # It is part of the branch, and all the same the branch may not stand there.
    desk.world.server_git("update-ref", MAIN, inside)
    refusal = judge_tip(open_sitting(desk.world.home, REPOSITORY), MAIN)
    assert refusal is not None
    assert refusal.reason == f"{MAIN} stands at {inside[:12]}, the record says {head[:12]}"
