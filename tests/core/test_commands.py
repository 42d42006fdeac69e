"""A command counts for one definition and one tree, and holds every landing back until it has passed there."""

import pytest

from gitops_hooks.core.commands import hold_back
from gitops_hooks.core.events import read_event, write_event
from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.report import proposed as proposed_lines
from gitops_hooks.core.verdict_words import read_verdicts, run_words, write_verdicts
from gitops_hooks.model.change_event import Ran, RunAgain
from gitops_hooks.model.command import Awaited, Command, CommandState
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Text, Word
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Status, Verdict
from tests.core.records import REPOSITORY, history, oid, proposed, stamp

TEST = Command("test", ("make", "test"), 60)
LINT = Command("lint", ("make", "lint"), 60)
DIGEST = TEST.definition("command")


def ran(state: CommandState = CommandState.PASSED, tree: str = "7", detail: str = "") -> Ran:
    ends = (oid(tree), oid("a"), oid("b"), oid("f"))
    return Ran(
        1,
        Word("command"),
        Word("test"),
        Word(DIGEST),
        *ends,
        Word("r" * 16),
        state,
        3,
        12,
        Word("d" * 64),
        Text(detail),
    )


def waiting(*awaited: Awaited) -> Verdict:
    return Verdict("command", "7" * 40, CheckOutcome.PENDING, awaited=awaited)


@pytest.mark.parametrize(
    ("one", "number", "words"),
    [
        (
            Awaited(TEST),
            12,
            "has not passed yet on what would land; follow it: ssh <host> change log 12 --follow",
        ),
        (
            Awaited(TEST, before=True),
            12,
            "main has moved since it ran, so it runs again on what would land now; "
            "follow it: ssh <host> change log 12 --follow",
        ),
        (
            Awaited(TEST, CommandState.FAILED, detail="ended with 2"),
            12,
            "failed (ended with 2) on what would land; read it: ssh <host> change log 12; "
            "run it again: ssh <host> change check 12",
        ),
        (
            Awaited(TEST, CommandState.LATE, detail="took longer than 60 s"),
            12,
            "took longer than 60 s, which counts as failed, on what would land; read it: ssh <host> change log 12; "
            "run it again: ssh <host> change check 12",
        ),
        (
            Awaited(TEST, CommandState.ERROR, detail="bubblewrap: not installed"),
            12,
            "could not be run (bubblewrap: not installed) on what would land; read it: ssh <host> change log 12; "
            "run it again: ssh <host> change check 12",
        ),
        (
            Awaited(TEST),
            0,
            "has not passed yet on what this push makes; propose it: git push origin HEAD:refs/for/main",
        ),
    ],
)
def test_what_has_not_passed_refuses_and_says_what_to_do(one: Awaited, number: int, words: str) -> None:
    held = hold_back(waiting(one), number, "main")
    assert held.refuses and held.outcome is CheckOutcome.FINDINGS
    assert held.findings == (Finding("command/test", 0, words),)


def test_only_all_of_them_let_a_landing_through() -> None:
    passed = Awaited(TEST, CommandState.PASSED, event="e" * 40)
    assert hold_back(waiting(passed), 1, "main").outcome is CheckOutcome.OK
    both = hold_back(waiting(passed, Awaited(LINT)), 1, "main")
    assert both.refuses and [finding.path for finding in both.findings] == ["command/lint"]
    warned = Verdict(
        "command", "7" * 40, CheckOutcome.PENDING, (Finding("a", 1, "m", Severity.WARNING),), awaited=(passed,)
    )
    assert hold_back(warned, 1, "main").outcome is CheckOutcome.FINDINGS and not hold_back(warned, 1, "main").refuses


def test_a_proposal_may_wait_and_says_for_what() -> None:
    verdict = waiting(Awaited(LINT, CommandState.PASSED), Awaited(TEST))
    assert not verdict.refuses
    assert proposed_lines(12, 1, "refs/heads/main", (verdict,), ()) == [
        "gitops: change 12, revision 1 for main",
        "  checks     command passed (lint), pending (test)",
        "  follow     ssh <host> change log 12 --follow",
        "  needs      test to pass; then it can land",
    ]


def test_another_definition_is_another_command() -> None:
    others = [Command("test", ("make", "tests"), 60), Command("tests", ("make", "test"), 60), Command("test", (), 61)]
    assert len({DIGEST, TEST.definition("molecule"), *(other.definition("command") for other in others)}) == 5


def test_the_record_of_a_landing_names_the_result_of_each() -> None:
    passed = waiting(Awaited(TEST, CommandState.PASSED, event="e" * 40))
    assert run_words([passed]) == (f"command/test:{DIGEST}:{'e' * 40}",)
    assert run_words([waiting(Awaited(TEST))]) == (f"command/test:{DIGEST}:-",)
    on_trial = Verdict("command", "7" * 40, CheckOutcome.FINDINGS, (), "", Status.BYPASSED, (Awaited(TEST),))
    assert run_words([on_trial]) == ()


def test_hooks_hand_commands_on_and_no_results() -> None:
    (found,) = read_verdicts(write_verdicts([waiting(Awaited(TEST, CommandState.PASSED, event="e" * 40))]))
    assert found == waiting(Awaited(TEST))


def test_a_change_keeps_the_results_of_its_commands() -> None:
    failed, passed = ran(CommandState.FAILED, detail="ended with 3"), ran(tree="8")
    events = history(("alice", proposed()), ("server", failed), ("server", passed))
    record = fold_change(events, REPOSITORY)
    assert [(each.state, each.tree) for each in record.results] == [
        (CommandState.FAILED, "7" * 40),
        (CommandState.PASSED, "8" * 40),
    ]
    assert (record.results[0].detail, record.results[0].event) == ("ended with 3", f"{2:040x}")
    again = fold_change([*events, *history(*[("bob", RunAgain(1, oid("b")))] * 4)[3:]], REPOSITORY)
    assert [each.state for each in again.results] == [CommandState.PASSED] and again.again == (oid("b"),)


@pytest.mark.parametrize("body", [ran(), ran(CommandState.LATE, detail="took longer"), RunAgain(1, oid("b"))])
def test_its_events_can_be_read_as_they_were_written(body: Ran | RunAgain) -> None:
    event = Event(stamp(2, "server"), body)
    assert read_event(write_event(event)) == event
