"""A branch of one line, and what each commit on it must say and by whom it must be."""

import re

from tests.push.desk import MAIN, Desk, refusal
from tests.push.rules_desk import HEAD, judged, line_of, rule

LINEAR = HEAD + "    linear: true\n"
CURE = "Mend them with git rebase -i (the newest: git commit --amend), and push again."
COMMITS = (
    HEAD
    + """\
    commits:
      must: ['^[A-Z]+-[0-9]+: ', '(?m)^Tested: ']
      must_not: ['(?i)\\bwip\\b']
      signoff: true
      author: pusher
      committer: pusher
"""
)
GOOD = "OPS-1: All is said\n\nTested: yes\nSigned-off-by: Alice <Alice@Example.org>\n"


def _where(text: str, words: str) -> str:
    return f"policy.yaml:{line_of(text, words)}"


def test_a_linear_branch_takes_no_merge_of_anybody(desk: Desk) -> None:
    base = rule(desk, LINEAR)
    one, other = (desk.commit("alice", {f"{name}.yml": "a: 1\n"}, onto=base) for name in "ab")
    both = desk.tree({"b.yml": "a: 1\n"}, one)
    merge = desk.commit_tree("alice", both, [one, other], "Merge")
    lines = (
        f"{merge[:7]} is a merge",
        f"This branch is one line of commits. Rebase instead: git rebase <branch> ({_where(LINEAR, 'match: main')})",
    )
    for ref in ("refs/for/main", MAIN):
        assert desk.push("alice", f"{merge}:{ref}").remote == refusal(ref, "linear", *lines)

    desk.push("alice", f"{one}:refs/for/main/one").must()
    number = desk.newest()
    tip = desk.land({"c.yml": "c: 1\n"})
    said = desk.push("bob", f"{one}:refs/approve/{number}").must()
    assert said.remote == (
        f"gitops: change {number} revision 1 approved by bob\n"
        "  not landed The branch has moved on, and is one line of commits without merges. Rebase and propose\n"
        "             again.\n"
        f"  land it    git push origin {one}:refs/land/{number}"
    )
    assert desk.tip(MAIN) == tip and judged(desk) == ""
    assert desk.push("bob", f"{one}:refs/land/{number}").remote == refusal(
        f"refs/land/{number}",
        "linear",
        "The branch has moved on, and is one line of commits without merges. Rebase and propose again.",
        "(policy.yaml:5)",
    )


def test_every_commit_says_what_the_rule_asks_and_is_the_pushers(desk: Desk) -> None:
    base = rule(desk, COMMITS)
    place = _where(COMMITS, "must: [")
    bad = desk.commit("alice", {"a.yml": "a: 1\n"}, "wip", onto=base)
    good = desk.commit("alice", {"a.yml": "a: 2\n"}, GOOD, onto=bad)
    lines = (
        f"{bad[:7]}: its message must match ^[A-Z]+-[0-9]+: ",
        f"{bad[:7]}: its message must match (?m)^Tested: ",
        f"{bad[:7]}: its message must not match (?i)\\bwip\\b",
        f"{bad[:7]}: lacks Signed-off-by with its author's address <alice@example.org> (git commit -s)",
        f"{CURE} ({place})",
    )
    for ref in ("refs/for/main", MAIN):
        assert desk.push("alice", f"{good}:{ref}").remote == re.sub(" +\n", "\n", refusal(ref, "commits", *lines))

    theirs = GOOD.replace("Alice@Example.org", "bob@example.org")
    forged = desk.commit("alice", {"a.yml": "a: 1\n"}, theirs, onto=base, GIT_AUTHOR_EMAIL="bob@example.org")
    words = f"{forged[:7]}: its author <bob@example.org> is no address of who pushed it"
    for ref in ("refs/for/main", MAIN):
        said = desk.push("alice", f"{forged}:{ref}")
        assert said.remote == refusal(ref, "commits", words, f"{CURE} ({place})")
    picked = desk.commit("alice", {"a.yml": "a: 1\n"}, GOOD, onto=base, GIT_COMMITTER_EMAIL="bob@example.org")
    assert desk.push("alice", f"{picked}:{MAIN}").remote == refusal(
        MAIN, "commits", words.replace(forged[:7], picked[:7]).replace("author", "committer"), f"{CURE} ({place})"
    )

    fine = desk.commit("alice", {"a.yml": "a: 1\n"}, GOOD, onto=base)
    desk.push("alice", f"{fine}:{MAIN}").must()
    assert desk.log()[-2].fact("Vouched") == f"author:{fine} committer:{fine}"
    assert judged(desk) == ""


def test_a_colleagues_revision_on_top_does_not_take_over_what_is_below(desk: Desk) -> None:
    rule(desk, COMMITS)
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, message=GOOD)
    number = desk.newest()
    carols = GOOD.replace("Alice@Example.org", "carol@example.org")
    second = desk.commit("carol", {"b.yml": "b: 1\n"}, carols, onto=first)
    desk.push("carol", f"{second}:refs/for/main", "-o", f"change={number}").must()
    third = desk.commit("alice", {"c.yml": "c: 1\n"}, carols, onto=second, GIT_AUTHOR_EMAIL="carol@example.org")
    said = desk.push("alice", f"{third}:refs/for/main", "-o", f"change={number}").remote_lines
    assert f"    {third[:7]}: its author <carol@example.org> is no address of who pushed it" in said
    desk.push("bob", f"{second}:refs/approve/{number}").must()
    assert desk.tip(MAIN) == second and judged(desk) == ""
    # Who may have which address is asked when it lands, never afterwards.
    users = desk.world.home.users_file
    users.write_text(users.read_text().replace("carol@example.org", "carol@elsewhere.example"))
    assert judged(desk) == ""
