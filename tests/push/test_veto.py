"""A veto holds every revision back until its giver lifts it; who may veto is the policy's to say."""

from tests.push.desk import POLICY, Desk, refusal

VETO = POLICY.replace("    checks:", "    veto: [dave]\n    checks:")


def test_a_veto_holds_the_next_revision_too_until_it_is_taken_back(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": VETO})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    # Dave's approval counts nowhere, and still he may say no.
    assert desk.push("dave", f"{first}:refs/approve/2").code == 1
    desk.push("dave", f"{first}:refs/reject/2", "-o", "reason=opens a port").must()
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    again = desk.push("alice", f"{second}:refs/for/main").must()
    assert again.remote_lines[2:] == [
        "  needs      1 approval by @senior",
        f"  needs      Vetoed by dave at {first[:7]}. It holds every revision back until they approve one, or take",
        "             it back: refs/withdraw/<n>",
    ]
    desk.push("bob", f"{second}:refs/approve/2").must()
    land = desk.push("bob", f"{second}:refs/land/2")
    assert land.remote == refusal(
        "refs/land/2",
        "veto",
        f"Vetoed by dave at {first[:7]}. It holds every revision back until they approve one, or take it back:",
        "refs/withdraw/<n> (policy.yaml:6)",
    )
    desk.push("dave", f"{second}:refs/withdraw/2").must()
    desk.push("bob", f"{second}:refs/land/2").must()
    assert desk.tip("refs/heads/main") == second


def test_who_may_veto_is_asked_at_the_moment_of_landing(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": VETO})
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, to="main/one")
    desk.push("dave", f"{first}:refs/reject/2").must()
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{second}:refs/for/main/one").must()
    desk.land({".gitops/policy.yaml": POLICY}, to="main/other")
    assert desk.push("bob", f"{second}:refs/approve/2").must().remote_lines[0].endswith("landing")


def test_who_may_not_veto_rejects_as_before(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": VETO})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("carol", f"{first}:refs/reject/2").must()
    robot = desk.push("robot", f"{first}:refs/reject/2")
    assert robot.remote == refusal("refs/reject/2", "reject", "robot is a bot, and no rule counts bots.")
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{second}:refs/for/main").must()
    assert desk.push("bob", f"{second}:refs/approve/2").must().remote_lines[0].endswith("landing")
