"""A rejection stands in the way until its own reviewer or a new revision lifts it; a closed change takes no more."""

from tests.push.desk import Desk, refusal


def test_a_rejection_blocks_the_landing_and_its_reviewers_approval_lifts_it(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    said = desk.push("bob", f"{commit}:refs/reject/1", "-o", "reason=the port is taken").must()
    assert said.remote == f"gitops: change 1 rejected by bob at {commit[:7]}"
    assert desk.world.events("refs/changes/1/meta")[1].fact("Message") == '"the port is taken"'
    carol = desk.push("carol", f"{commit}:refs/approve/1").must()
    assert carol.remote == (
        "gitops: change 1 revision 1 approved by carol\n"
        "  needs      Rejected by bob. A new revision, or their approval, lifts it."
    )
    land = desk.push("carol", f"{commit}:refs/land/1")
    assert land.remote == refusal(
        "refs/land/1", "rejected", "Rejected by bob. A new revision, or their approval, lifts it."
    )
    bob = desk.push("bob", f"{commit}:refs/approve/1").must()
    assert bob.remote_lines[0] == "gitops: change 1 revision 1 approved by bob; landing"
    assert desk.tip("refs/heads/main") == commit


def test_a_new_revision_lifts_a_rejection(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/reject/1").must()
    better = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=commit)
    desk.push("alice", f"{better}:refs/for/main").must()
    assert desk.push("carol", f"{better}:refs/approve/1").must().remote_lines[0].endswith("carol; landing")


def test_a_rejection_takes_back_the_same_reviewers_approval(desk: Desk) -> None:
    policy = desk.world.show("refs/heads/main:.gitops/policy.yaml").replace("count: 1", "count: 2")
    desk.land({".gitops/policy.yaml": policy})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    desk.push("bob", f"{commit}:refs/reject/2").must()
    land = desk.push("carol", f"{commit}:refs/land/2")
    assert land.remote_lines[2:] == [
        "  approvals",
        "    0 of 2 approvals by @senior. The author (alice) does not count. (policy.yaml:11)",
        "  rejected",
        "    Rejected by bob. A new revision, or their approval, lifts it.",
    ]


def test_only_who_could_approve_may_reject(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    result = desk.push("dave", f"{commit}:refs/reject/1")
    assert result.remote == refusal("refs/reject/1", "reject", "No rule counts dave; needed: 1 approval by @senior.")
    assert len(desk.said(1)) == 1


def test_a_change_is_closed_by_its_owner_or_who_may_land_and_takes_no_more(desk: Desk) -> None:
    commit = desk.propose("dave", {"a.yml": "a: 1\n"})
    robot = desk.push("robot", ":refs/close/1")
    assert robot.remote == refusal(
        "refs/close/1", "land", "Only @ops may land on main; robot is not among them. (policy.yaml:6)"
    )
    closed = desk.push("dave", ":refs/close/1", "-o", "reason=not now").must()
    assert closed.remote == "gitops: change 1 closed by dave"
    assert desk.said(1)[1:] == ["change 1 closed by dave"]
    for verb in ("approve", "reject", "land", "close"):
        assert desk.push("bob", f"{commit}:refs/{verb}/1").remote == refusal(
            f"refs/{verb}/1", "change", "Change 1 is closed."
        )
    again = desk.push("dave", f"{commit}:refs/for/main").must()
    assert again.remote_lines[0] == "gitops: change 2, revision 1 for main"
    # At its commit, as the other verbs, by somebody who may land.
    assert desk.push("alice", f"{commit}:refs/close/2").must().remote == "gitops: change 2 closed by alice"
