"""What was approved counts on over a new revision only where the server's own merge gives exactly that."""

from dataclasses import replace

from gitops_hooks.edge.home import Home
from gitops_hooks.entry.authorised import judge_record, judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, POLICY, Desk, refusal
from tests.world import REPOSITORY

TWO = POLICY.replace("count: 1", "count: 2")
REBASE = TWO.replace("    checks:", "    keep: trivial-rebase\n    checks:")
MESSAGES = TWO.replace("    checks:", "    keep: no-code-change\n    checks:")


def is_authorised(home: Home) -> bool:
    """Whether the landings so far bear judging again, from objects and the record alone."""
    return judge_tip(open_sitting(home, REPOSITORY), MAIN) is None


def approved(desk: Desk, policy: str, verb: str = "approve", to: str = "main") -> str:
    """Change 2 of alice's under this policy, of which bob has said so; answers its head."""
    desk.land({".gitops/policy.yaml": policy})
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, to=to)
    desk.push("bob", f"{head}:refs/{verb}/2").must()
    return head


def move_on(desk: Desk) -> None:
    """Another change lands beside it."""
    other = desk.propose("alice", {"b.yml": "b: 1\n"}, to="main/other")
    for name in ("bob", "carol"):
        desk.push(name, f"{other}:refs/approve/3").must()


def reword(desk: Desk, who: str, head: str) -> tuple[str, list[str]]:
    """The same tree with other words becomes its next revision; answers that, and what is said of it."""
    tree = desk.ask("rev-parse", f"{head}^{{tree}}")
    again = desk.commit_tree(who, tree, [desk.tip(MAIN)], f"The words of {who}")
    return again, desk.push(who, f"{again}:refs/for/main", "-o", "change=2").must().remote_lines[2:]


def test_an_approval_is_kept_over_a_trivial_rebase_and_the_record_says_why(desk: Desk) -> None:
    approved(desk, REBASE, to="main/kept")
    move_on(desk)
    second = desk.commit("alice", {"a.yml": "a: 1\n"})
    again = desk.push("alice", f"{second}:refs/for/main/kept").must()
    assert again.remote_lines[2:] == [
        "  kept       bob's approval of revision 1 (trivial-rebase)",
        "  needs      1 of 2 approvals by @senior",
    ]
    desk.push("carol", f"{second}:refs/approve/2").must()
    assert desk.tip(MAIN) == second
    intent = desk.log()[-2]
    events = desk.world.events("refs/changes/2/meta")
    given = next(event.commit for event in events if event.subject.endswith("approved by bob"))
    assert intent.fact("Kept") == f"{given}:trivial-rebase"
    assert intent.fact("Counted") == "bob carol"
    assert is_authorised(desk.world.home)
    # A record that counts what objects do not bear out is found out.
    sitting = open_sitting(desk.world.home, REPOSITORY)
    event = sitting.record.event(intent.commit)
    assert judge_record(sitting.record, event, {event.body.policy}) is None
    refusal = judge_record(sitting.record, replace(event, body=replace(event.body, kept=())), {event.body.policy})
    assert refusal is not None
    assert refusal.rule == "keep"


def test_nothing_is_kept_where_a_byte_differs(desk: Desk) -> None:
    approved(desk, REBASE)
    changed = desk.commit("alice", {"a.yml": "a: 1\nb: 1\n"})
    result = desk.push("alice", f"{changed}:refs/for/main", "-o", "change=2").must()
    assert result.remote_lines[2:] == ["  needs      2 approvals by @senior"]


def test_a_new_message_keeps_what_was_approved_and_another_tree_does_not(desk: Desk) -> None:
    first = approved(desk, MESSAGES)
    reworded, _ = reword(desk, "alice", first)
    desk.push("carol", f"{reworded}:refs/approve/2").must()
    assert desk.tip(MAIN) == reworded
    assert desk.log()[-2].fact("Kept").endswith(":no-code-change")
    assert is_authorised(desk.world.home)


def test_no_code_change_keeps_nothing_over_a_rebase(desk: Desk) -> None:
    approved(desk, MESSAGES, to="main/kept")
    move_on(desk)
    second = desk.commit("alice", {"a.yml": "a: 1\n"})
    again = desk.push("alice", f"{second}:refs/for/main/kept").must()
    assert again.remote_lines[2:] == ["  needs      2 approvals by @senior"]


def test_who_rebases_does_not_count_for_what_they_approved(desk: Desk) -> None:
    first = approved(desk, REBASE)
    reworded, _ = reword(desk, "bob", first)
    land = desk.push("bob", f"{reworded}:refs/land/2")
    assert land.remote == refusal(
        "refs/land/2",
        "approvals",
        "0 of 2 approvals by @senior. The authors (alice, bob) do not count. (policy.yaml:11)",
    )


def test_a_rejection_is_kept_as_well(desk: Desk) -> None:
    first = approved(desk, REBASE.replace("count: 2", "count: 1"), verb="reject")
    reworded, _ = reword(desk, "alice", first)
    carol = desk.push("carol", f"{reworded}:refs/approve/2").must()
    assert carol.remote_lines[1:] == ["  needs      Rejected by bob. A new revision, or their approval, lifts it."]


def test_without_the_key_nothing_is_kept(desk: Desk) -> None:
    first = approved(desk, TWO)
    _, said = reword(desk, "alice", first)
    assert said == ["  needs      2 approvals by @senior"]
