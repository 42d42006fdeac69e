"""Changes that stand on another one: by -o base, and as a stack out of one push."""

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk, a_change_id, refusal, status_lines


def _stack(desk: Desk, *words: str, onto: str = MAIN, named: bool = True) -> list[str]:
    """A commit for each word, one on top of the other."""
    commits: list[str] = []
    for word in words:
        message = f"Add {word}" + (f"\n\nChange-Id: {a_change_id(word)}\n" if named else "")
        commits.append(
            desk.commit("alice", {f"{word}.yml": f"{word}: 1\n"}, message, onto=commits[-1] if commits else onto)
        )
    return commits


def _is_authorised(desk: Desk) -> None:
    refused = judge_tip(open_sitting(desk.world.home, "site"), MAIN)
    assert refused is None, refused


def test_a_stack_is_one_change_a_commit_and_lands_from_below_with_the_approvals_it_got(desk: Desk) -> None:
    low, mid, top = _stack(desk, "low", "mid", "top", named=False)
    said = desk.push("alice", "-o", "stack", f"{top}:refs/for/main").must()
    assert said.remote == (
        "gitops: change 1, revision 1 for main\n"
        "  checks     yaml ok\n"
        "  needs      1 approval by @senior\n"
        "gitops: change 2, revision 1 for main\n"
        f"  stands on  change 1 at {low[:7]}\n"
        "  checks     yaml ok\n"
        "  needs      1 approval by @senior\n"
        "gitops: change 3, revision 1 for main\n"
        f"  stands on  change 2 at {mid[:7]}\n"
        "  checks     yaml ok\n"
        "  needs      1 approval by @senior"
    )
    assert status_lines(said) == [f" * [new reference]   {top} -> refs/changes/{n}/head" for n in (1, 2, 3)]
    titles = [desk.world.events(f"refs/changes/{n}/meta")[0].fact("Title") for n in (1, 2, 3)]
    assert titles == ['"Add low"', '"Add mid"', '"Add top"']
    # What is reviewed is each commit alone.
    assert desk.world.events("refs/changes/3/meta")[0].fact("Commits") == top
    early = desk.push("bob", f"{mid}:refs/approve/2").must()
    assert early.remote == (
        "gitops: change 2 revision 1 approved by bob\n"
        "  not landed Change 1, which it stands on, has not landed yet.\n"
        f"  land it    git push origin {mid}:refs/land/2"
    )
    refused = desk.push("bob", f"{mid}:refs/land/2")
    assert refused.remote == refusal("refs/land/2", "base", "Change 1, which it stands on, has not landed yet.")
    desk.push("bob", f"{low}:refs/approve/1").must()
    assert desk.tip(MAIN) == low
    # The lower one landed as exactly the commit below: the approval of the upper one stands.
    desk.push("bob", f"{mid}:refs/land/2").must()
    assert desk.tip(MAIN) == mid
    desk.push("carol", f"{top}:refs/approve/3").must()
    assert desk.tip(MAIN) == top
    _is_authorised(desk)


def test_a_lower_change_that_lands_by_a_merge_leaves_the_approvals_above_it(desk: Desk) -> None:
    low, top = _stack(desk, "low", "top")
    desk.push("alice", "-o", "stack", f"{top}:refs/for/main").must()
    desk.push("bob", f"{top}:refs/approve/2").must()
    desk.land({"other.yml": "o: 1\n"}, "main/other")
    desk.push("bob", f"{low}:refs/approve/1").must()
    assert desk.world.server_git("show", "-s", "--format=%P", MAIN).split()[1] == low
    desk.push("carol", f"{top}:refs/land/2").must()
    assert desk.world.server_git("show", "-s", "--format=%P", MAIN).split()[1] == top
    assert desk.log()[-2].fact("Counted") == "bob"
    _is_authorised(desk)


def test_an_amended_stack_revises_the_right_changes_by_their_change_ids(desk: Desk) -> None:
    low, mid, top = _stack(desk, "low", "mid", "top")
    desk.push("alice", "-o", "stack", f"{top}:refs/for/main").must()
    message = desk.world.server_git("show", "-s", "--format=%B", mid)
    amended = desk.commit("alice", {"mid.yml": "mid: 2\n"}, message, onto=low)
    again = _stack(desk, "top", "more", onto=amended)
    said = desk.push("alice", "-o", "stack", f"{again[-1]}:refs/for/main").must()
    assert [line for line in said.remote_lines if line.startswith("gitops:") or "stands" in line] == [
        "gitops: change 1, revision 1 for main",
        "gitops: change 2, revision 2 for main",
        f"  stands on  change 1 at {low[:7]}",
        "gitops: change 3, revision 2 for main",
        f"  stands on  change 2 at {amended[:7]}",
        "gitops: change 4, revision 1 for main",
        f"  stands on  change 3 at {again[0][:7]}",
    ]
    before = desk.refs()
    desk.push("alice", "-o", "stack", f"{again[-1]}:refs/for/main").must()
    assert desk.refs() == before, "the same stack again changes nothing"


def test_a_stack_is_taken_whole_or_not_at_all(desk: Desk) -> None:
    low = desk.commit("alice", {"low.yml": "low: 1\n"}, "Add low")
    bad = desk.commit("alice", {"bad.yml": "- [\n"}, "Add bad", onto=low)
    before = desk.refs()
    refused = desk.push("alice", "-o", "stack", f"{bad}:refs/for/main")
    assert refused.code == 1 and refused.remote_lines[2] == "  checks"
    assert desk.refs() == before
    # Without a Change-Id nobody can tell a new commit from one that was amended.
    desk.push("alice", "-o", "stack", f"{low}:refs/for/main").must()
    other = desk.commit("alice", {"low.yml": "low: 2\n"}, "Add low")
    unclear = desk.push("alice", "-o", "stack", f"{other}:refs/for/main")
    assert unclear.remote == refusal(
        "refs/for/main",
        "stack",
        f"{other[:7]} without a Change-Id: new, or a revision of your open change 1?",
        cure="New ones:  git push origin HEAD:refs/for/main/<topic> -o stack\n"
        "Revisions:  a line `Change-Id: I…` of 40 hexadecimal digits in each message names its change",
    )


def test_a_change_above_one_that_was_amended_or_squashed_is_rebased_by_the_server(desk: Desk) -> None:
    policy = desk.world.show(f"{MAIN}:.gitops/policy.yaml")
    desk.land({".gitops/policy.yaml": policy.replace("    checks:", "    land_method: squash\n    checks:")})
    low = desk.propose("alice", {"low.yml": "low: 1\n"}, "main/low")
    top = desk.commit("alice", {"top.yml": "top: 1\n"}, "Add top", onto=low)
    desk.push("alice", "-o", "base=2", f"{top}:refs/for/main/top").must()
    desk.push("bob", f"{top}:refs/approve/3").must()
    grown = desk.commit("alice", {"low.yml": "low: 2\n"}, "Correct low", onto=low)
    desk.push("alice", f"{grown}:refs/for/main/low").must()
    line = f"git push origin {top}:refs/rebase/3"
    assert desk.push("bob", f"{top}:refs/land/3").remote == refusal(
        "refs/land/3", "base", "Change 2, which it stands on, has a newer revision. Rebase it:", line
    )
    rebased = desk.push("carol", f"{top}:refs/rebase/3").must()
    second = desk.tip("refs/changes/3/head")
    assert rebased.remote_lines[:2] == [
        f"gitops: change 3 rebased onto {grown[:7]} as revision 2",
        f"  stands on  change 2 at {grown[:7]}",
    ]
    desk.push("bob", f"{second}:refs/approve/3").must()
    desk.push("bob", f"{grown}:refs/approve/2").must()
    squashed = desk.tip(MAIN)
    assert squashed != grown
    land = desk.push("bob", f"{second}:refs/land/3")
    assert land.remote == refusal(
        "refs/land/3",
        "base",
        f"Change 2 landed as {squashed[:7]}, and this one stands on {grown[:7]}, which is not in the branch. Rebase",
        "it, and have it approved:",
        f"git push origin {second}:refs/rebase/3",
    )
    desk.push("alice", f"{second}:refs/rebase/3").must()
    third = desk.tip("refs/changes/3/head")
    assert desk.world.server_git("show", "-s", "--format=%P", third).strip() == squashed
    desk.push("bob", f"{third}:refs/approve/3").must()
    assert desk.tip(MAIN) == third
    _is_authorised(desk)


def test_base_names_an_open_change_of_the_same_branch_that_the_head_stands_on(desk: Desk) -> None:
    low = desk.propose("alice", {"low.yml": "low: 1\n"}, "main/low")
    top = desk.commit("alice", {"top.yml": "top: 1\n"}, "Add top", onto=low)
    beside = desk.commit("alice", {"b.yml": "b: 1\n"})
    assert desk.push("alice", "-o", "base=1", f"{beside}:refs/for/main/b").remote == refusal(
        "refs/for/main/b",
        "base",
        f"{beside[:12]} is not on top of change 1, which is at {low}.",
        cure="Put it there:  git fetch origin refs/changes/1/head && git rebase FETCH_HEAD",
    )
    assert desk.push("alice", "-o", "base=9", f"{top}:refs/for/main/top").remote == refusal(
        "refs/for/main/top", "base", "There is no change 9.", cure="See what there is:  ssh <host> change list"
    )
    said = desk.push("alice", "-o", "base=1", f"{top}:refs/for/main/top").must()
    assert said.remote_lines[-1] == "  needs      Change 1, which it stands on, has not landed yet."
    # A cycle would wait for itself.
    over = desk.commit("alice", {"low.yml": "low: 3\n"}, "Low again", onto=top)
    cycle = desk.push("alice", "-o", "base=2", "-o", "change=1", f"{over}:refs/for/main")
    assert cycle.remote == refusal("refs/for/main", "base", "Change 2 stands on change 1 itself.")
    desk.push("alice", ":refs/close/1").must()
    land = desk.push("bob", f"{top}:refs/approve/2").must()
    assert land.remote_lines[1:3] == [
        "  not landed Change 1, which it stands on, was closed. Put it on the branch:",
        f"             git push origin {top}:refs/rebase/2",
    ]
