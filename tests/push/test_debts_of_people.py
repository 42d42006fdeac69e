"""Who pays for a landing by break-glass: people who are still there, under their own signature where that is asked."""

from tests.push.desk import MAIN, Desk
from tests.push.test_break_glass import BREAK, GLASS

TWO = GLASS.replace("{count: 1, from: ['@senior']}", "{count: 2, from: ['@senior']}")


def test_an_approval_by_somebody_who_has_left_since_pays_nothing(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": TWO})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    first = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert first.remote_lines[0] == "gitops: change 2, landed by break-glass, approved by bob"
    assert first.remote_lines[1] == "  needs      1 of 2 approvals by @senior"
    wider = TWO.replace("senior: [bob, carol]", "senior: [carol, dave]")
    landed = desk.propose("alice", {".gitops/policy.yaml": wider}, "main/people")
    for who in ("bob", "carol"):
        desk.push(who, f"{landed}:refs/approve/3").must()
    desk.world.admin("user", "remove", "bob", "--yes").must()
    second = desk.push("carol", f"{commit}:refs/approve/2").must()
    assert second.remote_lines[1] == "  needs      1 of 2 approvals by @senior"
    assert desk.push("dave", f"{commit}:refs/approve/2").must().remote_lines[-1].endswith("; settled")


def test_where_signatures_are_asked_for_an_unsigned_approval_pays_nothing(desk: Desk) -> None:
    signed = GLASS.replace("{count: 1, from: ['@senior']}", "{count: 1, from: ['@senior'], signed: true}")
    desk.land({".gitops/policy.yaml": signed})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    refused = desk.push("bob", f"{commit}:refs/approve/2")
    assert refused.code == 1 and "--signed" in refused.remote
    assert desk.log()[-1].fact("Event") == "landed"
    assert desk.tip(MAIN) == commit
