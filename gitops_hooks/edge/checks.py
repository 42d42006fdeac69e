"""Checks are run here, each confined and each failing alone; what comes back is read as a stranger's words."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NoReturn

from gitops_hooks.core.globs import matches_any
from gitops_hooks.core.report import escape
from gitops_hooks.edge.sandbox import Confined, SandboxLimits, run_confined
from gitops_hooks.edge.side_by_side import run_side_by_side
from gitops_hooks.edge.terminal import tell
from gitops_hooks.edge.tool_box import find_tool
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.workbench import Asked, Bench, Grounds
from gitops_hooks.hookspec import Check, Tree
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict

_FINDINGS = 200
_MESSAGE = 500
_PATH = 4096
_LINE = 2**31
_ANSWER = 8 * 1024 * 1024
_GRACE = 10.0
_PATIENCE = 1.5


def run_checks(asked: Sequence[Asked], change: Change, grounds: Grounds, limits: Limits) -> tuple[Verdict, ...]:
    """One verdict a check, in the order given; a check that no changed path concerns is OK without being asked.

    As many run at once as the machine has cores; one that takes long is told of.
    """
    verdicts = {each.check.name: _unasked(each, change, grounds.oid) for each in asked}
    running = [each for each in asked if verdicts[each.check.name] is None]
    works = [partial(_run, each, change, grounds, limits) for each in running]
    names = [each.check.name for each in running]
    answers = run_side_by_side(works, len(os.sched_getaffinity(0)), limits.check_seconds + _GRACE, _Patience(names))
    for name, answer in zip(names, answers, strict=True):
        verdicts[name] = _judge(name, grounds.oid, _unpack(answer))
    return tuple(found for each in asked if (found := verdicts[each.check.name]))


def _unasked(asked: Asked, change: Change, oid: str) -> Verdict | None:
    """The verdict on a check that is not run."""
    if asked.faults:
        return _error(asked.check.name, oid, "; ".join(asked.faults))
    return None if _concerns(asked.check, change) else Verdict(asked.check.name, oid, CheckOutcome.OK)


def _run(asked: Asked, change: Change, grounds: Grounds, limits: Limits) -> bytes:
    """One check from its start to its end; what its tools could not do makes it an ERROR, whatever it answers."""
    check = asked.check
    found = {tool.name: find_tool(tool.name, grounds.folders) for tool in check.tools}
    bench = Bench(asked.options, grounds.target, {name: path for name, path in found.items() if path})
    say = partial(_say, check.name)
    toolbox = Toolbox(bench, grounds.whole, grounds.folders, grounds.scratch, limits, say)
    budget = SandboxLimits(seconds=limits.check_seconds, memory=limits.check_memory, output=_ANSWER)
    try:
        work = _work(check, change, grounds.tree, bench)
        confined = run_confined(work, readable=grounds.readable, limits=budget, hatch=toolbox)
    finally:
        toolbox.close()
    failure = "; ".join(dict.fromkeys(toolbox.faults)) or confined.failure
    return b"-" + failure.encode("utf-8", "replace") if failure else b"+" + confined.output


def _unpack(answer: bytes | None) -> Confined:
    if not answer:
        return Confined(failure="ended without an answer")
    if answer[:1] == b"-":
        return Confined(failure=answer[1:].decode("utf-8", "replace"))
    return Confined(output=answer[1:])


def _say(name: str, text: str) -> None:
    tell((f"gitops: {name}: {escape(text)}",))


class _Patience:
    """Says within two seconds what is waited for, and again from time to time."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._next, self._pause = names, time.monotonic() + _PATIENCE, 5 * _PATIENCE

    def __call__(self, running: tuple[int, ...]) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next, self._pause = now + self._pause, 2 * self._pause
            tell((f"gitops: still checking: {', '.join(self._names[index] for index in running)}",))


def missing_verdict(name: str, tree_oid: str) -> Verdict:
    """What a check gets that the policy requires and no plugin offers."""
    return _error(name, tree_oid, "no enabled plugin offers this check; see [plugins] in server.toml")


def _concerns(check: Check, change: Change) -> bool:
    return any(_undecodable(file.path) or matches_any(check.paths, file.path) for file in change.files)


def _undecodable(path: str) -> bool:
    """A path that is not UTF-8 can be matched by no pattern, and therefore meets every one."""
    return any("\ud800" <= char <= "\udfff" for char in path)


def _work(check: Check, change: Change, tree: Tree, bench: Bench) -> Callable[[], bytes]:
    """What is done inside: run, and put the findings into JSON, or why the check cannot say anything."""

    def run() -> bytes:
        try:
            return json.dumps(_collect(iter(check.run(change, tree, bench)))).encode()
        except EdgeError as error:
            return json.dumps(str(error)[:_MESSAGE]).encode()

    return run


def _collect(findings: Iterator[Finding]) -> object:
    """The first 200 findings and how many more there were; in words, what was given that is none."""
    first = list(islice(findings, _FINDINGS))
    rest = list(islice(findings, 1))
    for wrong in (item for item in (*first, *rest) if not isinstance(item, Finding)):
        return f"gave {type(wrong).__name__} instead of a Finding"[:200]
    if rest:
        more = 1 + sum(1 for _ in findings)
        rest = [Finding(rest[0].path, 0, f"… and {more} more finding{'s' if more > 1 else ''}")]
    return [_plain(finding) for finding in (*first, *rest)]


def _plain(finding: Finding) -> list[object]:
    message = str(finding.message)
    short = message if len(message) <= _MESSAGE else message[: _MESSAGE - 1] + "…"
    return [str(finding.path)[:_PATH], int(finding.line), short, Severity(finding.severity).value]


def _judge(name: str, tree_oid: str, confined: Confined) -> Verdict:
    if confined.failure:
        return _error(name, tree_oid, confined.failure)
    answer = _parse(confined.output)
    if isinstance(answer, str):
        return _error(name, tree_oid, answer)
    return Verdict(name, tree_oid, CheckOutcome.FINDINGS if answer else CheckOutcome.OK, answer)


def _error(name: str, tree_oid: str, detail: str) -> Verdict:
    # A check that was taken over may have chosen the words, and so may whoever named a file.
    return Verdict(name, tree_oid, CheckOutcome.ERROR, detail=escape(detail))


def _parse(output: bytes) -> tuple[Finding, ...] | str:
    """The findings, or why there is no verdict; nothing but the exact shape passes."""
    try:
        answer = json.loads(output, parse_constant=_refuse)
        if isinstance(answer, str) and len(answer) <= _MESSAGE:
            return answer
        if isinstance(answer, list) and len(answer) <= _FINDINGS + 1:
            return tuple(_parse_finding(item) for item in answer)
    except (ValueError, RecursionError):
        pass
    return "answered something that is not a list of findings"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _parse_finding(item: object) -> Finding:
    """Errors: ValueError for any other shape."""
    match item:
        case [str() as path, int() as line, str() as message, str() as severity] if (
            not isinstance(line, bool) and 0 <= line < _LINE and len(path) <= _PATH and len(message) <= _MESSAGE
        ):
            return Finding(path, line, message, Severity(severity))
    raise ValueError("not a finding")
