"""What the policy says of commands is asked of every way onto a branch, and of changes that were there before it."""

import json

from tests.push.command_desk import BAD, COMMANDS, OPTIONS, await_results, commanded
from tests.push.desk import MAIN, POLICY, refusal, status_lines

PUSHING = COMMANDS.replace("push: []", "push: [alice]")
GLASS = COMMANDS.replace(
    "    checks:", "    break_glass: {by: [alice], covers: [approvals, checks], settle: 24h}\n    checks:"
)


def test_a_direct_push_is_told_to_propose_unless_its_very_tree_has_passed() -> None:
    with commanded(PUSHING) as desk:
        before, commit = desk.tip(MAIN), desk.commit("alice", {"a.yml": "a: 1\n"})
        pushed = desk.push("alice", f"{commit}:{MAIN}")
        assert (pushed.code, pushed.remote) == (
            1,
            refusal(
                MAIN,
                "checks",
                "command/test: has not passed yet on what this push makes; propose it: git push origin",
                "HEAD:refs/for/main",
            ),
        )
        assert desk.tip(MAIN) == before
        desk.push("alice", f"{commit}:refs/for/main").must()
        await_results(desk, 1, 1)
        desk.push("alice", f"{commit}:{MAIN}").must()
        assert desk.tip(MAIN) == commit


def test_a_change_that_no_path_of_a_command_touches_does_not_wait_for_it() -> None:
    paths = COMMANDS.replace(OPTIONS, OPTIONS + "    paths:\n      test: ['*.sh']\n")
    with commanded(paths) as desk:
        commit = desk.commit("alice", {"a.yml": "a: 1\n"})
        said = desk.push("alice", f"{commit}:refs/for/main").must()
        assert said.remote_lines[1] == "  checks     yaml ok · command ok"
        desk.push("bob", f"{commit}:refs/approve/1").must()
        assert desk.tip(MAIN) == commit


def test_break_glass_goes_without_a_command_and_the_record_says_so() -> None:
    with commanded(GLASS) as desk:
        bad = desk.propose("alice", {"test.sh": BAD})
        await_results(desk, 1, 1)
        done = desk.push("alice", "-o", "break-glass", "-o", "reason=the site is down", f"{bad}:refs/land/1").must()
        assert "  OVERRIDDEN checks: command has 1 finding" in done.remote_lines
        landing = next(event for event in desk.log() if event.fact("Event") == "landing")
        assert json.loads(landing.fact("Overridden") or "").split("\n")[-1] == "checks: command has 1 finding"
        words = landing.fact("Runs") or ""
        assert words.startswith("command/test:") and f"command:findings:{landing.fact('Tree')}" in (
            landing.fact("Verdicts") or ""
        )


def test_a_command_on_trial_is_run_and_told_and_keeps_nothing_back() -> None:
    trial = "  - {match: main, mode: evaluate, propose: ['*'], land: ['*'], approvals: [{count: 1, from: ['@senior']}],"
    with commanded(POLICY + trial + " checks: [command]}\n" + OPTIONS) as desk:
        bad = desk.propose("alice", {"test.sh": BAD})
        await_results(desk, 1, 1)
        said = desk.push("bob", f"{bad}:refs/approve/1").must().remote_lines
        assert said[0] == "gitops: change 1 revision 1 approved by bob; landing"
        assert said[2].startswith("  evaluate   would refuse: command: command/test: failed (ended with 3) on what")
        landing = next(event for event in desk.log() if event.fact("Event") == "landing")
        assert landing.fact("Runs") == "none"


def test_a_policy_that_asks_for_commands_asks_for_those_of_open_changes_too() -> None:
    with commanded(POLICY) as desk:
        desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
        desk.land({".gitops/policy.yaml": COMMANDS}, "main/policy")
        assert await_results(desk, 1, 1) == [("test", "passed")]


def test_a_policy_that_names_no_command_or_a_strange_one_is_told_so() -> None:
    with commanded() as desk:
        bare = desk.commit("alice", {".gitops/policy.yaml": COMMANDS.replace(OPTIONS, "")})
        told = desk.push("alice", f"{bare}:refs/for/main")
        assert told.remote == refusal(
            "refs/for/main",
            "policy",
            ".gitops/policy.yaml:12: check command needs its option commands; write at the top checks:",
            "{command: {commands: …}}",
        )
        assert status_lines(told)


def test_explain_says_how_far_a_command_is() -> None:
    with commanded() as desk:
        desk.propose("alice", {"test.sh": BAD})
        await_results(desk, 1, 1)
        said = desk.world.ssh("bob", "policy explain 1").must().out
        assert "    UNSATISFIED     checks        command: failed (test) (policy.yaml:6)\n" in said
