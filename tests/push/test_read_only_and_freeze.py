"""A branch that takes nothing, and one that takes nothing for a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk, refusal
from tests.push.rules_desk import HEAD, judged, line_of, rule
from tests.world import REPOSITORY

ONE = "refs/heads/release/1"
RULE = """\
  - match: 'release/**'
    push: [alice]
    propose: ['*']
    land: ['@ops']
    create: [alice]
    delete: [alice]
    force: [alice]
"""


def test_a_read_only_branch_takes_nothing_and_says_why(desk: Desk) -> None:
    main = rule(desk, HEAD + RULE)
    desk.push("alice", f"{main}:{ONE}").must()
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, to="release/1", onto=ONE)
    number = desk.newest()
    desk.push("bob", f"{commit}:refs/approve/{number}")
    desk.propose("alice", {"b.yml": "b: 1\n"}, to="release/1/b", onto=ONE)
    rule(desk, HEAD + RULE + "    read_only: 'it moves to another server on Friday'\n")
    why = "release/1 is read-only: it moves to another server on Friday. (policy.yaml:10)"
    again = desk.commit("alice", {"c.yml": "c: 1\n"}, onto=ONE)
    beside = desk.commit_tree("alice", desk.tree({"d.yml": "d: 1\n"}, main), [f"{main}~1"])
    for who, source, ref in (
        ("alice", again, ONE),
        ("alice", again, "refs/for/release/1"),
        ("bob", desk.tip(f"refs/changes/{desk.newest() - 1}/head"), f"refs/approve/{desk.newest() - 1}"),
        ("alice", "", ONE),
        ("alice", f"+{beside}", ONE),
    ):
        assert desk.push(who, f"{source}:{ref}").remote == refusal(ref, "read_only", why)
    assert desk.push("alice", f"{desk.tip(ONE)}:refs/heads/release/2").remote == refusal(
        "refs/heads/release/2", "read_only", why.replace("release/1", "release/2")
    )
    rule(desk, HEAD + RULE + "    read_only: false\n")
    desk.push("alice", f"{again}:{ONE}").must()
    assert judged(desk, ONE) == ""


def test_nothing_lands_in_a_freeze_which_says_when_it_opens(desk: Desk) -> None:
    main = rule(desk, HEAD + RULE)
    desk.push("alice", f"{main}:{ONE}").must()
    today = datetime.now(UTC).date()
    soon, later, last = (f"{today + timedelta(days=days)}" for days in (-1, 1, 3))
    # The second window begins before the first has ended: both hold the branch, one after the other.
    policy = HEAD + RULE + f"    freeze: ['{soon} .. {later}', '{later} .. {last} 12:00 Europe/Berlin']\n"
    rule(desk, policy)
    opens = f"{datetime.fromisoformat(last):%a %Y-%m-%d} 12:00 CE"
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, to="release/1", onto=ONE)
    number = desk.newest()
    said = desk.push("bob", f"{commit}:refs/approve/{number}").must()
    assert said.remote_lines[0] == f"gitops: change {number} revision 1 approved by bob"
    hint = f"not landed release/1 is frozen ({soon} .. {later}); it opens again {opens}"
    assert hint in " ".join(said.remote.split())
    beside = desk.commit_tree("alice", desk.tree({"d.yml": "d: 1\n"}, main), [f"{main}~1"])
    for who, source, ref in (
        ("bob", commit, f"refs/land/{number}"),
        ("alice", commit, ONE),
        ("alice", "", ONE),
        ("alice", f"+{beside}", ONE),
        ("alice", main, "refs/heads/release/2"),
    ):
        told = " ".join(desk.push(who, f"{source}:{ref}").remote.split())
        name = "release/2" if ref.endswith("2") and ref != f"refs/land/{number}" else "release/1"
        words = f"gitops: refused {ref} freeze {name} is frozen ({soon} .. {later}); it opens again {opens}"
        assert told.startswith(words) and told.endswith(f"(policy.yaml:{line_of(policy, 'freeze')})")
    assert desk.tip(ONE) == main


def test_a_landing_before_a_freeze_stays_authorised_in_it(desk: Desk) -> None:
    begins = datetime.now(UTC) + timedelta(days=2)
    text = HEAD + f"    freeze: ['{begins:%a %H:%M} - {begins + timedelta(days=1):%a %H:%M}']\n"
    rule(desk, text)
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", f"{commit}:{MAIN}").must()
    record = desk.log()[-2]
    assert abs(datetime.fromisoformat(record.fact("Judged")) - datetime.now(UTC)) < timedelta(minutes=2)
    sitting = open_sitting(desk.world.home, REPOSITORY)
    in_it = replace(sitting, ledger=replace(sitting.ledger, clock=lambda: begins + timedelta(hours=1)))
    assert judge_tip(in_it, MAIN) is None
