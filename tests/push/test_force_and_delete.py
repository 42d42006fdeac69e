"""A protected branch that is created, forced and deleted by those who may, each move recorded before it happens."""

from tests.push.desk import MAIN, Desk, refusal
from tests.push.rules_desk import HEAD, judged, rule

ONE = "refs/heads/release/1"
POLICY = (
    HEAD
    + """\
  - match: 'release/**'
    push: [alice]
    propose: ['*']
    land: ['@ops']
    create: [alice]
    delete: [bob]
    force: [carol]
"""
)


def test_a_branch_is_created_forced_deleted_and_created_again_by_those_who_may(desk: Desk) -> None:
    main = rule(desk, POLICY)
    made = desk.push("alice", f"{main}:{ONE}").must()
    assert made.remote == (
        "gitops: refs/heads/release/1 created by alice, as the policy allows without approval\n"
        f"  release/1  begins at {main[:7]}"
    )
    first = desk.commit("alice", {"a.yml": "a: 1\n"}, onto=main)
    desk.push("alice", f"{first}:{ONE}").must()
    beside = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=main)

    said = desk.push("alice", f"+{beside}:{ONE}")
    assert said.remote == refusal(
        ONE, "force", "Only carol may force-push to release/1; alice is not among them. (policy.yaml:10)"
    )
    done = desk.push("carol", f"+{beside}:{ONE}").must()
    assert done.remote == (
        "gitops: refs/heads/release/1 moved by force by carol, as the policy allows without approval\n"
        f"  release/1  {first[:7]}...{beside[:7]} (forced)\n"
        f"             kept:  git fetch origin refs/gitops/kept/{first}"
    )
    assert desk.tip(ONE) == beside and desk.refs()[f"refs/gitops/kept/{first}"] == first
    intent = desk.log()[-2]
    assert [intent.fact(key) for key in ("Way", "Old", "New", "Head", "Base")] == [
        *("force", first, beside, beside),
        "0" * 40,
    ]
    assert judged(desk, ONE) == ""

    commit = desk.propose("alice", {"b.yml": "b: 1\n"}, to="release/1", onto=beside)
    assert desk.push("alice", f":{ONE}").remote == refusal(
        ONE, "delete", "Only bob may delete release/1; alice is not among them. (policy.yaml:10)"
    )
    gone = desk.push("bob", f":{ONE}").must()
    assert gone.remote == (
        "gitops: refs/heads/release/1 deleted by bob, as the policy allows without approval\n"
        f"  release/1  was {beside[:7]}\n"
        f"             kept:  git fetch origin refs/gitops/kept/{beside}"
    )
    assert ONE not in desk.refs() and desk.log()[-2].fact("Way") == "delete"
    assert judged(desk, ONE) == "refs/heads/release/1 is not there"
    number = desk.newest()
    assert desk.push("bob", f"{commit}:refs/approve/{number}").remote == refusal(
        f"refs/approve/{number}",
        "target",
        "refs/heads/release/1 is not there any more.",
        cure="Whoever may create it brings it back.",
    )
    desk.world.stop_reconciler()
    assert desk.world.reconcile_once().code == 0

    desk.push("alice", f"{main}:{ONE}").must()
    assert desk.tip(ONE) == main and judged(desk, ONE) == ""


def test_no_right_deletes_the_default_branch_or_forces_the_policy(desk: Desk) -> None:
    text = HEAD.replace("    land:", "    delete: ['*']\n    force: ['*']\n    land:")
    before = desk.tip(MAIN)
    rule(desk, text)
    assert desk.push("alice", f":{MAIN}").remote == refusal(
        MAIN, "delete", "refs/heads/main is the default branch, which is never deleted."
    )
    assert desk.push("alice", f"+{before}:{MAIN}").remote == refusal(
        MAIN, "force", ".gitops/** always needs an approval by somebody else."
    )
    stranger = desk.commit("alice", {"x.yml": "x: 1\n"}, onto=f"{MAIN}~1", GIT_AUTHOR_EMAIL="x@elsewhere.example")
    said = desk.push("alice", f"+{stranger}:{MAIN}").remote_lines
    assert "  authors" in said and "  force" in said
    broken = desk.commit_tree("alice", desk.tree({"x.yml": "x: [\n"}, desk.tip(MAIN)), [before], "Beside")
    assert "  checks" in desk.push("alice", f"+{broken}:{MAIN}").remote_lines
    beside = desk.commit_tree("alice", desk.tree({"x.yml": "x: 1\n"}, desk.tip(MAIN)), [before], "Beside")
    desk.push("alice", f"+{beside}:{MAIN}").must()
    assert desk.tip(MAIN) == beside and judged(desk) == ""
    desk.push("alice", f"{desk.commit('alice', {'y.yml': 'y: 1'})}:{MAIN}").must()
