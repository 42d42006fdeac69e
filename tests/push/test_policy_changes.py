"""A policy is a change like any other, judged by the one that it replaces."""

import pytest

from tests.push.desk import MAIN, POLICY, Desk, refusal

FAULTY = [
    (
        POLICY.replace("senior: [bob, carol]", "senior: []"),
        ".gitops/policy.yaml:11: from: the group @senior is empty, and nobody could approve",
    ),
    (
        POLICY.replace("count: 1", "count: 3"),
        ".gitops/policy.yaml:11: count: 3 by @senior, but only 2 people could approve",
    ),
    (
        POLICY.replace("senior: [bob, carol]", "senior: [bob, mallory]"),
        ".gitops/policy.yaml:4: the server knows nobody by the name mallory",
    ),
    (POLICY.replace("count: 1", "count: yes"), ".gitops/policy.yaml:11: "),
    (POLICY.replace("match: main", "match: other"), "main"),
    (POLICY + "    quorum: 2\n", ".gitops/policy.yaml:13: "),
    (
        POLICY + "    land_method: octopus\n",
        ".gitops/policy.yaml:13: land_method: 'octopus' is not one of merge, fast-forward, always-merge, "
        "squash, rebase",
    ),
    (POLICY.replace("checks: [yaml]", "checks: [spelling]"), ".gitops/policy.yaml:12: there is no check spelling"),
]


@pytest.mark.parametrize(("text", "words"), FAULTY)
def test_a_policy_that_could_not_be_enforced_is_refused(shared: Desk, text: str, words: str) -> None:
    commit = shared.commit("alice", {".gitops/policy.yaml": text})
    result = shared.push("alice", f"{commit}:refs/for/main")
    assert result.code == 1
    assert result.remote_lines[:3] == ["gitops: refused refs/for/main", "", "  policy"]
    assert words in result.remote.replace("\n    ", " ")


def test_a_change_of_the_policy_is_judged_by_the_policy_it_replaces(desk: Desk) -> None:
    commit = desk.propose("alice", {".gitops/policy.yaml": POLICY.replace("@senior", "dave")})
    dave = desk.push("dave", f"{commit}:refs/approve/1")
    assert dave.remote == refusal("refs/approve/1", "approve", "No rule counts dave; needed: 1 approval by @senior.")
    old = desk.tip(MAIN)
    desk.push("bob", f"{commit}:refs/approve/1").must()
    assert desk.log()[-2].fact("Policy") == old
    # From here on the new one is asked.
    later = desk.propose("alice", {"a.yml": "a: 1\n"})
    bob = desk.push("bob", f"{later}:refs/approve/2")
    assert bob.remote == refusal("refs/approve/2", "approve", "No rule counts bob; needed: 1 approval by dave.")
    said = desk.push("dave", f"{later}:refs/approve/2").must()
    assert said.remote_lines[0] == "gitops: change 2 revision 1 approved by dave"


def test_an_approval_given_under_another_policy_counts_only_where_the_new_one_counts_it(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": POLICY.replace("land: ['@ops']", "land: [alice]")})
    waiting = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/waiting")
    desk.push("bob", f"{waiting}:refs/approve/2").must()
    stricter = POLICY.replace("land: ['@ops']", "land: [alice]").replace("senior: [bob, carol]", "senior: [carol]")
    commit = desk.propose("dave", {".gitops/policy.yaml": stricter})
    desk.push("carol", f"{commit}:refs/approve/3").must()
    desk.push("alice", f"{commit}:refs/land/3").must()
    result = desk.push("alice", f"{waiting}:refs/land/2")
    assert result.remote == refusal(
        "refs/land/2",
        "approvals",
        "0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)",
    )


def test_who_may_push_without_approval_still_needs_one_for_the_policy(desk: Desk) -> None:
    free = POLICY.replace("push: []", "push: [alice]")
    desk.land({".gitops/policy.yaml": free})
    before = desk.tip(MAIN)
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    done = desk.push("alice", f"{commit}:{MAIN}").must()
    assert done.remote == (
        "gitops: refs/heads/main pushed by alice, as the policy allows without approval\n"
        f"  main       {before[:7]}..{commit[:7]} (fast-forward)"
    )
    assert [desk.log()[-2].fact(key) for key in ("Way", "Actor", "New")] == ["push", "alice", commit]
    for path in (".gitops/policy.yaml", ".gitops/notes", ".GITOPS/notes"):
        own = desk.commit("alice", {path: free.replace("@senior", "alice")})
        result = desk.push("alice", f"{own}:{MAIN}")
        assert result.remote == refusal(
            MAIN,
            "approvals",
            "0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)",
            cure="Propose it instead:  git push origin HEAD:refs/for/main",
        )
    broken = desk.commit("alice", {"b.yml": "a: [\n"})
    assert "b.yml:2" in desk.push("alice", f"{broken}:{MAIN}").remote
    assert desk.tip(MAIN) == commit


def test_a_protected_branch_is_created_with_the_right_and_at_a_recorded_tip(desk: Desk) -> None:
    rule = "  - match: 'release/*'\n    create: [alice]\n    propose: ['*']\n    land: ['@ops']\n"
    desk.land({".gitops/policy.yaml": POLICY + rule})
    main = desk.tip(MAIN)
    dave = desk.push("dave", f"{main}:refs/heads/release/1")
    assert dave.remote == refusal(
        "refs/heads/release/1", "create", "Only alice may create release/1; dave is not among them. (policy.yaml:13)"
    )
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    unknown = desk.push("alice", f"{commit}:refs/heads/release/1")
    assert unknown.remote == refusal(
        "refs/heads/release/1",
        "tip",
        f"{commit[:12]} is not the recorded tip of any protected branch; begin at one.",
    )
    desk.push("alice", f"{main}:refs/heads/release/1").must()
    assert desk.log()[-2].fact("Way") == "create"
    # And from then on it is as protected as any other.
    desk.push("alice", f"{commit}:refs/for/release/1").must()
    assert desk.newest() == 2 and "for refs/heads/release/1 by alice" in desk.said(2)[0]
    desk.push("bob", f"{commit}:refs/approve/2").must()
    assert desk.tip("refs/heads/release/1") == commit and desk.tip(MAIN) == main
    assert desk.push("alice", ":refs/heads/release/1").remote == refusal(
        "refs/heads/release/1", "delete", "Nobody may delete release/1. (policy.yaml:13)"
    )
