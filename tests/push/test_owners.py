"""Code owners: those at the branch's own tip must approve, in each dialect; a push that breaks the file is refused."""

import pytest

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, POLICY, Desk, refusal
from tests.world import REPOSITORY


def policy(dialect: str) -> str:
    return POLICY.replace("    checks:", f"    owners: {{dialect: {dialect}}}\n    checks:")


def is_authorised(desk: Desk) -> bool:
    """Whether the landings so far bear judging again, from objects and the record alone."""
    return judge_tip(open_sitting(desk.world.home, REPOSITORY), MAIN) is None


@pytest.mark.parametrize(
    ("dialect", "file", "text"),
    [
        ("github", ".github/CODEOWNERS", "* @bob\n/net/ dave@example.org @org/senior\n/free/\n"),
        ("gitlab", ".gitlab/CODEOWNERS", "[Net] dave@example.org\n/net/\n"),
        ("gitea", "CODEOWNERS", "net/.* dave@example.org\n"),
    ],
)
def test_an_owner_must_approve_and_one_by_address_is_in_the_record(
    desk: Desk, dialect: str, file: str, text: str
) -> None:
    desk.land({".gitops/policy.yaml": policy(dialect), file: text})
    old = desk.tip(MAIN)
    commit = desk.propose("alice", {"net/a.yml": "a: 1\n"})
    if dialect != "github":
        bob = desk.push("bob", f"{commit}:refs/approve/2").must()
        line = {"gitlab": 2, "gitea": 1}[dialect]
        assert bob.remote_lines[1:] == [
            "  needs      1 approval by dave@example.org (code owners of net/a.yml)",
        ]
        land = desk.push("bob", f"{commit}:refs/land/2")
        assert land.remote == refusal(
            "refs/land/2",
            "owners",
            "0 of 1 approval by dave@example.org (code owners of net/a.yml). The author (alice) does not",
            f"count. ({file}:{line}, policy.yaml:12)",
        )
        desk.push("dave", f"{commit}:refs/approve/2").must()
        desk.push("bob", f"{commit}:refs/land/2").must()
        assert desk.log()[-2].fact("Owners") == "bob=bob@example.org dave=dave@example.org"
    else:
        # One approval meets both: a senior's who owns it as one of the team.
        desk.push("carol", f"{commit}:refs/approve/2").must()
        assert desk.log()[-2].fact("Counted") == "carol"
    assert desk.tip(MAIN) == commit != old
    desk.world.admin("user", "remove", "dave").must()
    assert is_authorised(desk)


def test_the_pushed_file_gives_nobody_any_right_and_a_move_asks_the_owners_of_both_ends(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": policy("github"), "CODEOWNERS": "/a/ @dave\n/b/ @carol\n", "a/x": "x\n"})
    taken = desk.propose("alice", {"CODEOWNERS": "/a/ @bob\n", "a/y": "y\n"}, to="main/taken")
    assert desk.push("bob", f"{taken}:refs/approve/2").must().remote_lines[1:] == [
        "  needs      1 approval by @dave (code owners of a/y)"
    ]
    moved = desk.propose("alice", {"a/x": None, "b/x": "x\n"}, to="main/moved")
    assert desk.push("bob", f"{moved}:refs/approve/3").must().remote_lines[1:] == [
        "  needs      1 approval by @dave (code owners of a/x)",
        "  needs      1 approval by @carol (code owners of b/x)",
    ]


def test_a_push_that_breaks_the_file_is_refused_with_every_line(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": policy("github"), "CODEOWNERS": "* @bob\n"})
    before = desk.refs()
    broken = desk.commit("alice", {"CODEOWNERS": "* @bob\n/a/ carol\n/b/ @nobody\n"})
    assert desk.push("alice", f"{broken}:refs/for/main").remote == refusal(
        "refs/for/main",
        "owners",
        "CODEOWNERS:2: 'carol' is no owner; write @name, @group or an address",
        "CODEOWNERS:3: @nobody is no person of this server and no group of the policy with one",
        "(policy.yaml:12)",
    )
    gone = desk.commit("alice", {"CODEOWNERS": None})
    assert desk.push("alice", f"{gone}:refs/for/main").remote == refusal(
        "refs/for/main",
        "owners",
        "CODEOWNERS would be gone; take owners out of the policy first. (policy.yaml:12)",
    )
    group = desk.commit("alice", {".gitops/policy.yaml": policy("github"), "docs/CODEOWNERS": "* nobody\n"})
    desk.push("alice", f"{group}:refs/for/main").must()  # GitHub looks into docs/ last
    assert {name for name in desk.refs() if name not in before} == {
        f"refs/changes/2/{name}" for name in ("1", "head", "meta")
    }


def test_a_policy_that_asks_owners_of_a_broken_file_is_refused(desk: Desk) -> None:
    desk.land({"CODEOWNERS": "* carol\n"})
    commit = desk.commit("alice", {".gitops/policy.yaml": policy("github")})
    assert desk.push("alice", f"{commit}:refs/for/main").remote_lines[2:4] == [
        "  owners",
        "    CODEOWNERS:1: 'carol' is no owner; write @name, @group or an address (policy.yaml:12)",
    ]


def test_what_nobody_owns_any_more_is_never_approved(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": policy("github"), "CODEOWNERS": "/a/ @dave\n"})
    desk.world.admin("user", "remove", "dave").must()
    commit = desk.propose("alice", {"a/x": "x\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    assert desk.push("bob", f"{commit}:refs/land/2").remote == refusal(
        "refs/land/2",
        "owners",
        "The owners of a/x are @dave: no person whom the server knows. Nobody can approve it.",
        "(CODEOWNERS:1, policy.yaml:12)",
    )
    free = desk.propose("alice", {"b/x": "x\n"}, to="main/free")
    desk.push("bob", f"{free}:refs/approve/3").must()
    assert desk.tip(MAIN) == free


def test_who_may_push_without_approval_may_not_change_the_owners(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": policy("github").replace("push: []", "push: [alice]"), "CODEOWNERS": "* @bob\n"})
    commit = desk.commit("alice", {"CODEOWNERS": "* @carol\n"})
    assert desk.push("alice", f"{commit}:refs/heads/main").code == 1
    plain = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", f"{plain}:refs/heads/main").must()
