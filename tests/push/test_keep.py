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


def test_an_approval_is_kept_over_a_trivial_rebase_and_the_record_says_why(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": REBASE})
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, to="main/kept")
    desk.push("bob", f"{first}:refs/approve/2").must()
    other = desk.propose("alice", {"b.yml": "b: 1\n"}, to="main/other")
    for name in ("bob", "carol"):
        desk.push(name, f"{other}:refs/approve/3").must()
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
    desk.land({".gitops/policy.yaml": REBASE})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/approve/2").must()
    changed = desk.commit("alice", {"a.yml": "a: 1\nb: 1\n"})
    result = desk.push("alice", f"{changed}:refs/for/main", "-o", "change=2").must()
    assert result.remote_lines[2:] == ["  needs      2 approvals by @senior"]


def test_a_new_message_keeps_what_was_approved_and_another_tree_does_not(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": MESSAGES})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/approve/2").must()
    parent = desk.tip(MAIN)
    reworded = desk.commit_tree("alice", desk.ask("rev-parse", f"{first}^{{tree}}"), [parent], "Better words")
    desk.push("alice", f"{reworded}:refs/for/main", "-o", "change=2").must()
    desk.push("carol", f"{reworded}:refs/approve/2").must()
    assert desk.tip(MAIN) == reworded
    assert desk.log()[-2].fact("Kept").endswith(":no-code-change")
    assert is_authorised(desk.world.home)


def test_no_code_change_keeps_nothing_over_a_rebase(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": MESSAGES})
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, to="main/kept")
    desk.push("bob", f"{first}:refs/approve/2").must()
    other = desk.propose("alice", {"b.yml": "b: 1\n"}, to="main/other")
    for name in ("bob", "carol"):
        desk.push(name, f"{other}:refs/approve/3").must()
    second = desk.commit("alice", {"a.yml": "a: 1\n"})
    again = desk.push("alice", f"{second}:refs/for/main/kept").must()
    assert again.remote_lines[2:] == ["  needs      2 approvals by @senior"]


def test_who_rebases_does_not_count_for_what_they_approved(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": REBASE})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/approve/2").must()
    parent = desk.tip(MAIN)
    reworded = desk.commit_tree("bob", desk.ask("rev-parse", f"{first}^{{tree}}"), [parent], "Bob's words")
    desk.push("bob", f"{reworded}:refs/for/main", "-o", "change=2").must()
    land = desk.push("bob", f"{reworded}:refs/land/2")
    assert land.remote == refusal(
        "refs/land/2",
        "approvals",
        "0 of 2 approvals by @senior. The authors (alice, bob) do not count. (policy.yaml:11)",
    )


def test_a_rejection_is_kept_as_well(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": REBASE.replace("count: 2", "count: 1")})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/reject/2").must()
    parent = desk.tip(MAIN)
    reworded = desk.commit_tree("alice", desk.ask("rev-parse", f"{first}^{{tree}}"), [parent], "Other words")
    desk.push("alice", f"{reworded}:refs/for/main", "-o", "change=2").must()
    carol = desk.push("carol", f"{reworded}:refs/approve/2").must()
    assert carol.remote_lines[1:] == ["  needs      Rejected by bob. A new revision, or their approval, lifts it."]


def test_without_the_key_nothing_is_kept(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": TWO})
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/approve/2").must()
    parent = desk.tip(MAIN)
    reworded = desk.commit_tree("alice", desk.ask("rev-parse", f"{first}^{{tree}}"), [parent], "Better words")
    again = desk.push("alice", f"{reworded}:refs/for/main", "-o", "change=2").must()
    assert again.remote_lines[2:] == ["  needs      2 approvals by @senior"]
