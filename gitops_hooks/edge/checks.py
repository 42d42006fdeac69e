"""Checks are run here, each confined and each failing alone; what comes back is read as a stranger's words."""

import json
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

from gitops_hooks.core.globs import matches_any
from gitops_hooks.edge.sandbox import Confined, SandboxLimits, run_confined
from gitops_hooks.edge.workbench import Asked, Bench
from gitops_hooks.hookspec import Check, Tree
from gitops_hooks.model.change import Change
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict

_FINDINGS = 200
_MESSAGE = 500
_PATH = 4096
_LINE = 2**31
_ANSWER = 8 * 1024 * 1024


def run_checks(
    asked: Sequence[Asked],
    change: Change,
    tree: Tree,
    *,
    target: Tree,
    tree_oid: str,
    readable: Sequence[Path],
    limits: Limits,
) -> tuple[Verdict, ...]:
    """One verdict a check, in the order given; a check that no changed path concerns is OK without being asked."""
    budget = SandboxLimits(seconds=limits.check_seconds, memory=limits.check_memory, output=_ANSWER)
    verdicts = []
    for each in asked:
        name = each.check.name
        if each.faults:
            verdicts.append(_error(name, tree_oid, "; ".join(each.faults)))
        elif _concerns(each.check, change):
            work = _work(each.check, change, tree, Bench(each.options, target))
            verdicts.append(_judge(name, tree_oid, run_confined(work, readable=readable, limits=budget)))
        else:
            verdicts.append(Verdict(name, tree_oid, CheckOutcome.OK))
    return tuple(verdicts)


def missing_verdict(name: str, tree_oid: str) -> Verdict:
    """What a check gets that the policy requires and no plugin offers."""
    return _error(name, tree_oid, "no enabled plugin offers this check; see [plugins] in server.toml")


def _concerns(check: Check, change: Change) -> bool:
    return any(_undecodable(file.path) or matches_any(check.paths, file.path) for file in change.files)


def _undecodable(path: str) -> bool:
    """A path that is not UTF-8 can be matched by no pattern, and therefore meets every one."""
    return any("\ud800" <= char <= "\udfff" for char in path)


def _work(check: Check, change: Change, tree: Tree, bench: Bench) -> Callable[[], bytes]:
    """What is done inside: run, and put the findings into JSON, the first 200 of them and how many there were."""

    def run() -> bytes:
        findings = iter(check.run(change, tree, bench))
        first = list(islice(findings, _FINDINGS))
        rest = list(islice(findings, 1))
        for wrong in (item for item in (*first, *rest) if not isinstance(item, Finding)):
            return json.dumps(f"gave {type(wrong).__name__} instead of a Finding"[:200]).encode()
        if rest:
            more = 1 + sum(1 for _ in findings)
            rest = [Finding(rest[0].path, 0, f"… and {more} more finding{'s' if more > 1 else ''}")]
        return json.dumps([_plain(finding) for finding in (*first, *rest)]).encode()

    return run


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
    return Verdict(name, tree_oid, CheckOutcome.ERROR, detail=detail)


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
