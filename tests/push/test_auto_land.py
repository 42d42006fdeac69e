"""A change whose landing was asked for lands when the last missing thing arrives, whoever brings that."""

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk
from tests.waiting import wait_until


def _await(desk: Desk, tip: str) -> None:
    wait_until(lambda: desk.tip(MAIN) == tip, words=lambda: desk.world.admin("reconcile", "--once").err)


def test_the_upper_changes_of_a_stack_land_by_themselves_once_the_lowest_has(desk: Desk) -> None:
    commits = [MAIN]
    for word in ("low", "mid", "top"):
        commits.append(desk.commit("alice", {f"{word}.yml": f"{word}: 1\n"}, f"Add {word}", onto=commits[-1]))
    low, mid, top = commits[1:]
    desk.push("alice", "-o", "stack", "-o", "auto-land", f"{top}:refs/for/main").must()
    for number, head in ((3, top), (2, mid)):
        said = desk.push("bob", f"{head}:refs/approve/{number}").must()
        assert said.remote_lines[1] == f"  not landed Change {number - 1}, which it stands on, has not landed yet."
    desk.push("bob", f"{low}:refs/approve/1").must()
    _await(desk, top)
    landings = [event for event in desk.log() if event.fact("Event") == "landing"]
    assert [(event.fact("Change"), event.fact("Actor")) for event in landings] == [
        ("1", "bob"),
        ("2", "alice"),
        ("3", "alice"),
    ]
    key = desk.world.events("refs/changes/3/meta")[0].fact("Key")
    assert landings[-1].fact("Key") == key
    assert judge_tip(open_sitting(desk.world.home, "site"), MAIN) is None


def test_nothing_lands_for_somebody_who_may_not_any_more(desk: Desk) -> None:
    low = desk.propose("bob", {"low.yml": "low: 1\n"}, "main/low")
    top = desk.commit("alice", {"top.yml": "top: 1\n"}, "Add top", onto=low)
    desk.push("alice", "-o", "base=1", "-o", "auto-land", f"{top}:refs/for/main/top").must()
    desk.push("carol", f"{top}:refs/approve/2").must()
    policy = desk.world.show(f"{MAIN}:.gitops/policy.yaml").replace("land: ['@ops']", "land: [bob, carol]")
    desk.land({".gitops/policy.yaml": policy}, "main/policy")
    desk.push("carol", f"{low}:refs/approve/1").must()
    desk.world.reconcile_once()
    before = desk.tip(MAIN)
    desk.world.reconcile_once()
    assert desk.tip(MAIN) == before and desk.world.server_git("show", "-s", "--format=%P", MAIN).split()[1] == low
    assert desk.said(2)[-1] == f"change 2 at {top[:7]} approved by carol"


def test_an_approval_lands_nothing_for_somebody_who_has_left(desk: Desk) -> None:
    """Dave approves and may not land; alice, who may, had asked for it, and is nobody here any more."""
    policy = desk.world.show(f"{MAIN}:.gitops/policy.yaml").replace("senior: [bob, carol]", "senior: [carol, dave]")
    desk.land({".gitops/policy.yaml": policy}, "main/policy")
    before = desk.tip(MAIN)
    head = desk.propose("bob", {"a.yml": "a: 1\n"}, "main/a")
    number = desk.newest()
    desk.push("alice", "-o", "auto-land", "-o", f"change={number}", f"{head}:refs/for/main").must()
    desk.world.admin("user", "remove", "alice", "--yes").must()
    said = desk.push("dave", f"{head}:refs/approve/{number}").must()
    assert said.remote_lines[1] == "  not landed Only @ops may land on main; dave is not among them."
    assert desk.tip(MAIN) == before
    # Somebody else asks, and nothing is missing.
    desk.push("bob", "-o", "auto-land", "-o", f"change={number}", f"{head}:refs/for/main").must()
    assert desk.tip(MAIN) == head


def test_nor_for_a_key_that_was_taken_away(desk: Desk) -> None:
    """Whoever found it may have asked; alice herself is still here."""
    policy = desk.world.show(f"{MAIN}:.gitops/policy.yaml").replace("senior: [bob, carol]", "senior: [carol, dave]")
    desk.land({".gitops/policy.yaml": policy}, "main/policy")
    before = desk.tip(MAIN)
    head = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", "-o", "auto-land", f"{head}:refs/for/main/a").must()
    number = desk.newest()
    key = desk.world.events(f"refs/changes/{number}/meta")[0].fact("Key")
    assert key
    other = desk.world.folder / "other"
    desk.world.run("alice", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other), where=desk.clone).must()
    desk.world.admin("user", "key", "add", "alice", str(other.with_suffix(".pub"))).must()
    desk.world.admin("user", "key", "remove", "alice", key).must()
    said = desk.push("dave", f"{head}:refs/approve/{number}").must()
    assert said.remote_lines[1] == "  not landed Only @ops may land on main; dave is not among them."
    assert desk.tip(MAIN) == before
