"""Branches that are landed on by squash or by rebase: what the server makes, and that it can be made again."""

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk, refusal


def _land_by(desk: Desk, method: str, land: str = "['@ops']") -> str:
    text = desk.world.show(f"{MAIN}:.gitops/policy.yaml")
    text = text.replace("    checks:", f"    land_method: {method}\n    checks:").replace("['@ops']", land)
    return desk.land({".gitops/policy.yaml": text})


def _is_authorised(desk: Desk) -> None:
    refused = judge_tip(open_sitting(desk.world.home, "site"), MAIN)
    assert refused is None, refused


def test_squash_makes_one_commit_of_the_approved_ones_and_names_all_who_wrote(desk: Desk) -> None:
    before = _land_by(desk, "squash")
    first = desk.commit("alice", {"a.yml": "a: 1\n"}, "Add a")
    head = desk.commit("dave", {"a.yml": "a: 2\n"}, "Correct a\n\nLanded-by: carol", onto=first)
    desk.push("alice", f"{head}:refs/for/main%title=The-a-file").must()
    said = desk.push("bob", f"{head}:refs/approve/2").must()
    made = desk.tip(MAIN)
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob; landing\n"
        f"  main       {before[:7]}..{made[:7]} (squash made by the server; git fetch brings it)"
    )
    shown = desk.world.server_git("show", "-s", "--format=%P%n%an <%ae>%n%cn%n%B", made)
    assert shown.rstrip("\n") == (
        f"{before}\nalice <alice@example.org>\ngitops-hooks\n"
        "The-a-file\n\n* Add a\n* Correct a\n\n"
        "Change: 2\nCo-authored-by: dave <dave@example.org>\nLanded-by: bob"
    )
    assert desk.tip(f"{made}^{{tree}}") == desk.tip(f"{head}^{{tree}}")
    assert desk.tip("refs/changes/2/head") == head
    _is_authorised(desk)
    # Its head is not in the branch, and still it lands once.
    assert desk.push("bob", f"{head}:refs/land/2").remote == refusal("refs/land/2", "change", "Change 2 is landed.")


def test_one_commit_on_the_tip_has_nothing_to_squash_and_lands_as_it_was_approved(desk: Desk) -> None:
    _land_by(desk, "squash", "[alice, carol]")
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    other = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b", message="Add b\n\nSigned-off-by: alice\nChange: 7")
    desk.push("bob", f"{commit}:refs/approve/2").must()
    desk.push("bob", f"{other}:refs/approve/3").must()
    desk.push("alice", f"{commit}:{MAIN}").must()
    assert desk.tip(MAIN) == commit
    # The other one is no fast-forward any more, and the branch itself takes only what the server makes of it.
    desk.push("alice", f"{other}:refs/land/3").must()
    assert desk.world.server_git("show", "-s", "--format=%P%n%B", MAIN).rstrip("\n") == (
        f"{commit}\nAdd b\n\nSigned-off-by: alice\nChange: 3\nLanded-by: alice"
    )
    _is_authorised(desk)


def test_a_branch_that_squashes_takes_no_approved_head_of_several_commits_directly(desk: Desk) -> None:
    _land_by(desk, "squash", "[alice]")
    first = desk.commit("alice", {"a.yml": "a: 1\n"})
    head = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{head}:refs/for/main").must()
    desk.push("bob", f"{head}:refs/approve/2").must()
    refused = desk.push("alice", f"{head}:{MAIN}")
    assert refused.remote == refusal(
        MAIN,
        "land_method",
        "refs/heads/main takes a squash of this by the server only. Land it:",
        f"git push origin {head}:refs/land/2",
    )


def test_rebase_makes_each_commit_again_on_the_tip_with_its_own_author(desk: Desk) -> None:
    _land_by(desk, "rebase")
    first = desk.commit("alice", {"a.yml": "a: 1\n"}, "Add a")
    head = desk.commit("dave", {"c.yml": "c: 1\n"}, "Add c", onto=first)
    desk.push("alice", f"{head}:refs/for/main/two").must()
    moved = desk.land({"b.yml": "b: 1\n"}, "main/b")
    said = desk.push("bob", f"{head}:refs/approve/2").must()
    made = desk.tip(MAIN)
    assert said.remote_lines[1] == (
        f"  main       {moved[:7]}..{made[:7]} (rebase made by the server; git fetch brings it)"
    )
    lines = desk.world.server_git(
        "log", "--format=%an|%cn|%s|%(trailers:key=Change,key=Landed-by,separator=%x20)", "-2", MAIN
    )
    assert lines.splitlines() == [
        "dave|gitops-hooks|Add c|Change: 2 Landed-by: bob",
        "alice|gitops-hooks|Add a|Change: 2 Landed-by: bob",
    ]
    assert desk.tip(f"{MAIN}~2") == moved
    _is_authorised(desk)


def test_a_branch_that_rebases_takes_no_merges(desk: Desk) -> None:
    _land_by(desk, "rebase")
    left, right = desk.commit("alice", {"l.yml": "l: 1\n"}), desk.commit("alice", {"r.yml": "r: 1\n"})
    merge = desk.commit_tree("alice", desk.tree({"r.yml": "r: 1\n"}, left), [left, right], "Both")
    said = desk.push("alice", f"{merge}:refs/for/main").must()
    reason = f"{merge[:7]} is a merge, and the branch takes none (rebase). Rebase, and propose."
    assert said.remote_lines[-1] == f"  needs      {reason}"
    desk.push("bob", f"{merge}:refs/approve/2").must()
    assert desk.push("bob", f"{merge}:refs/land/2").remote == refusal("refs/land/2", "land_method", reason)
