"""What one said of a change can be taken back, at the exact commit, until the change has landed."""

from tests.push.desk import Desk, refusal


def two_approvals(desk: Desk) -> None:
    policy = desk.world.show("refs/heads/main:.gitops/policy.yaml").replace("count: 1", "count: 2")
    desk.land({".gitops/policy.yaml": policy})


def test_an_approval_is_taken_back_and_counts_no_more(desk: Desk) -> None:
    two_approvals(desk)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    back = desk.push("bob", f"{commit}:refs/withdraw/2", "-o", "reason=too early").must()
    assert back.remote == (
        f"gitops: change 2: bob takes back what was said of {commit[:7]}\n  needs      2 approvals by @senior"
    )
    event = desk.world.events("refs/changes/2/meta")[-1]
    assert (event.subject, event.fact("Message")) == (
        f"change 2 at {commit[:7]} taken back by bob",
        '"too early"',
    )
    assert desk.push("carol", f"{commit}:refs/approve/2").must().remote_lines[1:] == [
        "  needs      1 of 2 approvals by @senior"
    ]
    assert desk.push("bob", f"{commit}:refs/approve/2").must().remote_lines[0].endswith("approved by bob; landing")


def test_a_rejection_is_taken_back_and_the_change_can_land(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/reject/1").must()
    desk.push("carol", f"{commit}:refs/approve/1").must()
    back = desk.push("bob", f"{commit}:refs/withdraw/1").must()
    assert back.remote == f"gitops: change 1: bob takes back what was said of {commit[:7]}"
    desk.push("carol", f"{commit}:refs/land/1").must()
    assert desk.tip("refs/heads/main") == commit


def test_only_ones_own_word_at_that_commit_can_be_taken_back(desk: Desk) -> None:
    two_approvals(desk)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    before = desk.refs()
    other = desk.push("carol", f"{commit}:refs/withdraw/2")
    assert other.remote == refusal(
        "refs/withdraw/2",
        "withdraw",
        f"carol has said nothing of {commit[:12]} that stands.",
        cure="What was said:  ssh <host> change show 2",
    )
    foreign = desk.commit("bob", {"z.yml": "z: 1\n"})
    assert desk.push("bob", f"{foreign}:refs/withdraw/2").remote_lines[3].startswith(f"    {foreign[:12]} is not the")
    assert desk.push("bob", ":refs/withdraw/2").code == 1
    assert desk.refs() == before


def test_an_approval_of_an_earlier_revision_is_taken_back_there_or_at_the_head(desk: Desk) -> None:
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    policy = desk.world.show("refs/heads/main:.gitops/policy.yaml").replace("land: ['@ops']", "land: [alice]")
    desk.land({".gitops/policy.yaml": policy})
    for name in ("bob", "carol"):
        desk.push(name, f"{first}:refs/approve/1").must()
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{second}:refs/for/main", "-o", "change=1").must()
    desk.push("bob", f"{first}:refs/withdraw/1").must()
    desk.push("carol", f"{second}:refs/withdraw/1").must()
    refused = desk.push("alice", f"{first}:refs/land/1")
    assert refused.remote_lines[2:4] == [
        "  approvals",
        "    0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)",
    ]


def test_a_landed_change_takes_nothing_back(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/1").must()
    assert desk.push("bob", f"{commit}:refs/withdraw/1").remote == refusal(
        "refs/withdraw/1", "change", "Change 1 is landed."
    )
