"""A verdict answers for the change that it was asked about, whatever else a push brings that makes the same tree."""

from tests.push.command_desk import OPTIONS, commanded, nobody_runs, verify
from tests.push.desk import MAIN, POLICY, Desk

EMPTY = "main/empty%base=1"
COMMANDS = POLICY.replace("checks: [yaml]", "checks: [yaml, command]") + OPTIONS + "    paths:\n      test: ['*.yml']\n"
AWAITED = "  not landed command/test: has not passed yet on what would land;"


def test_what_brings_no_file_does_not_answer_for_the_change_below() -> None:
    """An empty commit on top of a change makes the same tree, and asks for no command."""
    with commanded(COMMANDS) as desk, nobody_runs(desk):
        before = desk.tip(MAIN)
        head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
        empty = desk.commit("bob", {}, "Nothing", onto=head)
        said = desk.push("bob", f"{head}:refs/approve/1", f"{empty}:refs/for/{EMPTY}").must()
        assert said.remote_lines[1].startswith(AWAITED)
        assert desk.tip(MAIN) == before
        assert "  checks     yaml ok · command ok" in said.remote_lines
        verify(desk)


def test_nor_where_the_last_missing_thing_is_that_its_landing_is_asked_for() -> None:
    with commanded(COMMANDS) as desk, nobody_runs(desk):
        before = desk.tip(MAIN)
        head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
        desk.push("bob", f"{head}:refs/approve/1").must()
        empty = desk.commit("alice", {}, "Nothing", onto=head)
        desk.push("alice", f"{head}:refs/for/main/a%auto-land", f"{empty}:refs/for/{EMPTY}").must()
        assert desk.tip(MAIN) == before


def test_findings_on_what_would_land_stay_findings(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": POLICY.replace("checks: [yaml]", "checks: []")})
    head = desk.propose("alice", {"a.yml": "a: 1\na: 2\n"}, "main/a")
    number = desk.newest()
    tip = desk.land({".gitops/policy.yaml": POLICY})
    made = desk.tree({".gitops/policy.yaml": POLICY}, head)
    above = desk.commit_tree("bob", made, [head])
    desk.push("bob", f"{head}:refs/approve/{number}", f"{above}:refs/for/main/x%base={number}").must()
    assert desk.tip(MAIN) == tip
