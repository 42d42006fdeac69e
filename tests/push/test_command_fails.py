"""A command that fails keeps its change from landing; a new revision starts anew, and anybody may look why."""

import json

from tests.push.command_desk import BAD, GOOD, await_results, commanded, results
from tests.push.desk import MAIN, refusal

WHY = [
    "command/test: failed (ended with 3) on what would land; read it: ssh <host> change log 1; run it",
    "again: ssh <host> change check 1",
]


def test_a_failed_command_is_told_and_a_new_revision_starts_anew() -> None:
    with commanded() as desk:
        before, bad = desk.tip(MAIN), desk.propose("alice", {"test.sh": BAD})
        followed = desk.world.ssh("dave", "change log 1 --follow")
        assert followed.code == 1 and followed.out.split("\n")[1] == "  it is broken"
        assert followed.out.split("\n")[2].endswith(" s (ended with 3)")
        assert desk.push("bob", f"{bad}:refs/approve/1").must().remote == (
            "gitops: change 1 revision 1 approved by bob\n"
            "  not landed command/test: failed (ended with 3) on what would land; read it: ssh <host> change log\n"
            "             1; run it again: ssh <host> change check 1\n"
            f"  land it    git push origin {bad}:refs/land/1"
        )
        refused = desk.push("alice", f"{bad}:refs/land/1")
        assert (refused.code, refused.remote) == (1, refusal("refs/land/1", "checks", *WHY))
        assert desk.tip(MAIN) == before
        good = desk.commit("alice", {"test.sh": GOOD, "a.yml": "a: 1\n"}, onto=bad)
        desk.push("alice", f"{good}:refs/for/main").must()
        assert await_results(desk, 1, 2) == [("test", "failed"), ("test", "passed")]
        desk.push("bob", f"{good}:refs/approve/1").must()
        assert desk.tip(MAIN) == good


def test_what_failed_runs_once_more_for_whoever_asks_and_what_passed_does_not() -> None:
    with commanded() as desk:
        desk.propose("alice", {"test.sh": BAD})
        await_results(desk, 1, 1)
        assert desk.world.ssh("dave", "change check 1").must().out == (
            "gitops: change 1: what did not pass runs again\nfollow it:  change log 1 --follow\n"
        )
        assert await_results(desk, 1, 2) == [("test", "failed"), ("test", "failed")]
        assert desk.said(1)[2].endswith("commands to run again for dave")
        desk.propose("alice", {"a.yml": "a: 1\n"}, "main/good")
        await_results(desk, 2, 1)
        refused = desk.world.ssh("dave", "change check 2")
        assert (refused.code, refused.err) == (1, "gitops: No command of change 2 has ended without passing.\n")
        facts = json.loads(desk.world.ssh("dave", "change log 1 --json").must().out)
        assert [(one["check"], one["name"], one["state"], one["detail"]) for one in facts["commands"]] == [
            ("command", "test", "failed", "ended with 3")
        ]
        assert facts["logs"]["command/test"]["log"] == "it is broken\n"
        assert [one["state"] for one in facts["results"]] == ["failed"]


def test_no_terminal_is_steered_by_what_a_command_writes() -> None:
    with commanded() as desk:
        desk.propose("alice", {"test.sh": "printf 'a\\tb\\033[31m\\377red\\r\\nhalf'\n"})
        out = desk.world.ssh("dave", "change log 1 --follow").must().out
        assert out.split("\n")[1:3] == ["  a    b\\x1b[31m\\xffred", "  half"]


def test_what_takes_too_long_is_late_and_has_not_passed() -> None:
    with commanded(limits="command_seconds = 5\n") as desk:
        slow = desk.propose("alice", {"test.sh": "echo begun; sleep 600\n"})
        assert await_results(desk, 1, 1) == [("test", "late")]
        assert "  begun\n" in desk.world.ssh("dave", "change log 1").out
        said = desk.push("bob", f"{slow}:refs/approve/1").must().remote_lines
        assert said[1].startswith(
            "  not landed command/test: took longer than 5 s, which counts as failed, on what would"
        )
        assert results(desk, 1) == [("test", "late")]


def test_a_purged_change_leaves_nothing_that_its_command_wrote() -> None:
    with commanded() as desk:
        desk.propose("alice", {"test.sh": "echo hunter2; exit 1\n"})
        await_results(desk, 1, 1)
        (state,) = (desk.world.home.path / "state").iterdir()
        assert (state / "commands" / "1").exists()
        desk.world.admin("change", "purge", "1", "--reason", "a password").must()
        assert not (state / "commands" / "1").exists()
        assert "hunter2" not in desk.world.server_git("log", "-p", "refs/changes/1/meta")
