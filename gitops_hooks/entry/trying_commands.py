"""The commands of a change that nobody has pushed, run at once: in the server's own box, one after the other."""

import secrets
from collections.abc import Iterable
from dataclasses import replace

from gitops_hooks.core.report import escape
from gitops_hooks.edge.command_box import Place, run_command
from gitops_hooks.edge.terminal import tell
from gitops_hooks.edge.workbench import Grounds
from gitops_hooks.model.command import Awaited, Command
from gitops_hooks.model.server import ServerFile
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict

_LINES = 40
_BYTES = 64 * 1024


def run_commands(verdicts: Iterable[Verdict], grounds: Grounds, server: ServerFile) -> tuple[Verdict, ...]:
    """The same verdicts, with what became of their commands; of one that did not pass the last lines are told."""
    place = Place(server.limits, server.tool_folders, grounds.scratch)
    return tuple(_ended(verdict, grounds, place) if verdict.awaited else verdict for verdict in verdicts)


def _ended(verdict: Verdict, grounds: Grounds, place: Place) -> Verdict:
    awaited = tuple(_run(verdict.check, each.command, grounds, place) for each in verdict.awaited)
    missing = [each for each in awaited if not each.passed]
    found = tuple(Finding(f"{verdict.check}/{one.command.name}", 0, _words(one)) for one in missing)
    findings = (*verdict.findings, *found)
    outcome = CheckOutcome.FINDINGS if findings else CheckOutcome.OK
    return replace(verdict, outcome=outcome, findings=findings, awaited=awaited)


def _words(one: Awaited) -> str:
    return f"{one.state.value} ({one.detail})"


def _run(check: str, command: Command, grounds: Grounds, place: Place) -> Awaited:
    tell([f"gitops: {check}/{command.name}: running …"])
    heard = bytearray()

    def hear(part: bytes) -> None:
        heard.extend(part)
        del heard[:-_BYTES]

    ended = run_command(command, grounds.whole, place, secrets.token_hex(8), hear)
    one = Awaited(command, ended.state, detail=ended.detail)
    tell([f"gitops: {check}/{command.name}: {ended.state.value} in {ended.seconds} s"])
    if not one.passed:
        tell(_last_lines(bytes(heard)))
    return one


def _last_lines(heard: bytes) -> list[str]:
    lines = heard.decode("utf-8", "surrogateescape").replace("\t", "    ").rstrip("\n").split("\n")
    return [f"  {escape(line)}" for line in lines[-_LINES:]]
