"""Who may land, when it happens by itself, and the ways in which a branch takes a change."""

from tests.push.desk import MAIN, Desk, refusal, status_lines


def _with_policy(desk: Desk, *swaps: tuple[str, str]) -> None:
    text = desk.world.show(f"{MAIN}:.gitops/policy.yaml")
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    desk.land({".gitops/policy.yaml": text})


def test_a_reviewer_who_may_not_land_gets_the_line_that_lands_it(desk: Desk) -> None:
    _with_policy(desk, ("land: ['@ops']", "land: [alice]"))
    before = desk.tip(MAIN)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob\n"
        "  not landed Only alice may land on main; bob is not among them.\n"
        f"  land it    git push origin {commit}:refs/land/2"
    )
    assert desk.tip(MAIN) == before
    refused = desk.push("bob", f"{commit}:refs/land/2")
    assert refused.remote == refusal(
        "refs/land/2", "land", "Only alice may land on main; bob is not among them. (policy.yaml:6)"
    )
    done = desk.push("alice", f"{commit}:refs/land/2").must()
    assert done.remote == (f"gitops: change 2 landed by alice\n  main       {before[:7]}..{commit[:7]} (fast-forward)")
    assert status_lines(done) == [f"   {before[:7]}..{commit[:7]}  {commit} -> main"]


def test_auto_land_asked_for_by_who_may_land_completes_with_the_approval(desk: Desk) -> None:
    _with_policy(desk, ("land: ['@ops']", "land: [alice]"))
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", f"{commit}:refs/for/main%land").must()
    assert desk.world.events("refs/changes/2/meta")[0].fact("Auto-land") == "yes"
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert said.remote_lines[0] == "gitops: change 2 revision 1 approved by bob; landing"
    assert desk.tip(MAIN) == commit
    denied = desk.push("dave", f"{desk.commit('dave', {'b.yml': 'b'})}:refs/for/main", "-o", "submit")
    assert denied.remote == refusal(
        "refs/for/main", "land", "Only alice may land on main; dave is not among them. (policy.yaml:6)"
    )


def test_an_approved_head_is_landed_by_a_direct_push_of_who_may_land(desk: Desk) -> None:
    _with_policy(desk, ("land: ['@ops']", "land: [alice]"))
    before = desk.tip(MAIN)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    early = desk.push("alice", f"{commit}:{MAIN}")
    assert early.remote == refusal(
        MAIN, "approvals", "0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)"
    )
    desk.push("bob", f"{commit}:refs/approve/2").must()
    beyond = desk.commit("alice", {"b.yml": "b: 1\n"}, onto=commit)
    assert "0 of 1 approval by @senior." in desk.push("alice", f"{beyond}:{MAIN}").remote
    denied = desk.push("dave", f"{commit}:{MAIN}")
    assert denied.remote == refusal(
        MAIN, "land", "Only alice may land on main; dave is not among them. (policy.yaml:6)"
    )
    done = desk.push("alice", f"{commit}:{MAIN}").must()
    assert done.remote == (f"gitops: change 2 landed by alice\n  main       {before[:7]}..{commit[:7]} (fast-forward)")
    assert desk.said(2)[-1] == f"change 2 landed as {commit[:7]}"


def test_an_earlier_approved_commit_stays_landable_until_the_change_closes(desk: Desk) -> None:
    _with_policy(desk, ("land: ['@ops']", "land: [alice]"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{first}:refs/approve/2").must()
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{second}:refs/for/main").must()
    done = desk.push("alice", f"{first}:refs/land/2").must()
    assert done.remote_lines[0] == "gitops: change 2 landed by alice"
    assert desk.tip(MAIN) == first
    assert desk.push("alice", f"{second}:refs/land/2").remote == refusal("refs/land/2", "change", "Change 2 is landed.")


def test_a_branch_that_takes_fast_forwards_only_says_rebase(desk: Desk) -> None:
    _with_policy(desk, ("    checks:", "    land_method: fast-forward\n    checks:"))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    tip = desk.land({"b.yml": "b: 1\n"})
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob\n"
        "  not landed The branch has moved on and takes fast-forwards only. Rebase and propose again.\n"
        f"  land it    git push origin {commit}:refs/land/2"
    )
    assert desk.tip(MAIN) == tip
    assert desk.push("bob", f"{commit}:refs/land/2").remote == refusal(
        "refs/land/2",
        "land_method",
        "The branch has moved on and takes fast-forwards only. Rebase and propose again.",
    )


def test_always_merge_makes_a_merge_where_a_fast_forward_were_possible(desk: Desk) -> None:
    _with_policy(desk, ("    checks:", "    land_method: always-merge\n    checks:"))
    before = desk.tip(MAIN)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, message="Add a")
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    merge = desk.tip(MAIN)
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob; landing\n"
        f"  main       {before[:7]}..{merge[:7]} (merge made by the server; git fetch brings it)"
    )
    assert desk.world.server_git("show", "-s", "--format=%P", merge).split() == [before, commit]
    assert desk.tip(f"{merge}^{{tree}}") == desk.tip(f"{commit}^{{tree}}")
    assert desk.said(2)[-1] == f"change 2 landed as {merge[:7]}"


def test_a_branch_that_takes_merges_only_takes_no_approved_head_directly(desk: Desk) -> None:
    _with_policy(
        desk, ("    checks:", "    land_method: always-merge\n    checks:"), ("land: ['@ops']", "land: [alice]")
    )
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    result = desk.push("alice", f"{commit}:{MAIN}")
    assert result.remote == refusal(
        MAIN,
        "land_method",
        "refs/heads/main takes merges by the server only. Land it:",
        f"git push origin {commit}:refs/land/2",
    )
    desk.push("alice", f"{commit}:refs/land/2").must()
    assert desk.world.server_git("show", "-s", "--format=%P", MAIN).split()[1] == commit


def test_an_approval_given_before_main_moved_still_lands_by_merge(desk: Desk) -> None:
    _with_policy(desk, ("land: ['@ops']", "land: [alice, carol]"))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    desk.push("bob", f"{commit}:refs/approve/2").must()
    other = desk.propose("dave", {"b.yml": "b: 1\n"})
    desk.push("carol", f"{other}:refs/approve/3").must()
    done = desk.push("alice", f"{commit}:refs/land/2").must()
    assert "(merge made by the server; git fetch brings it)" in done.remote
    assert desk.world.server_git("show", "-s", "--format=%P", MAIN).split() == [other, commit]


def test_a_rename_on_main_does_not_carry_an_approved_edit_along(desk: Desk) -> None:
    lines = "".join(f"k{number}: 1\n" for number in range(30))
    desk.land({"old.yml": lines})
    commit = desk.propose("alice", {"old.yml": lines + "more: 1\n"}, "main/a")
    number = desk.newest()
    desk.land({"old.yml": None, "new.yml": lines})
    said = desk.push("bob", f"{commit}:refs/approve/{number}")
    assert said.remote == refusal(
        f"refs/approve/{number}",
        "merge",
        "conflicts with the branch in old.yml",
        cure="Rebase, resolve, and propose again.",
    )


def test_commits_and_merges_inside_a_change_land_as_they_are(desk: Desk) -> None:
    before = desk.tip(MAIN)
    left = desk.commit("alice", {"l.yml": "l: 1\n"})
    right = desk.commit("dave", {"r.yml": "r: 1\n"})
    head = desk.commit_tree("alice", desk.tree({"r.yml": "r: 1\n"}, left), [left, right], "Both")
    desk.push("alice", f"{head}:refs/for/main").must()
    event = desk.world.events("refs/changes/1/meta")[0]
    assert set(event.fact("Commits").split()) == {left, right, head}
    desk.push("bob", f"{head}:refs/approve/1").must()
    assert desk.tip(MAIN) == head
    assert desk.log()[-2].fact("Old") == before
    # Whoever wrote one of them is an author of the change.
    assert desk.log()[-2].fact("Authors") == "alice dave"


def test_a_change_of_two_hundred_commits_lands_whole(desk: Desk) -> None:
    stream = [f"reset refs/heads/long\nfrom {desk.tip(MAIN)}\n\n"]
    for number in range(200):
        who = "committer alice <alice@example.org> 1700000000 +0000"
        text = f"n: {number}\n"
        stream.append(
            f"commit refs/heads/long\n{who}\ndata 2\nc\nM 100644 inline n{number % 7}.yml\ndata {len(text)}\n{text}\n"
        )
    desk.ask("fast-import", "--quiet", text="".join(stream))
    desk.push("alice", "refs/heads/long:refs/for/main").must()
    desk.push("bob", "refs/heads/long:refs/approve/1").must()
    assert desk.world.server_git("rev-list", "--count", f"{desk.log()[0].fact('Policy')}..{MAIN}").strip() == "200"
