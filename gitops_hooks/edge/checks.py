"""Checks are run here, each confined and each failing alone; what comes back is read as a stranger's words."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gitops_hooks.core.report import escape
from gitops_hooks.edge.findings import join_findings, parse_findings, write_findings
from gitops_hooks.edge.looks import SeenTree, Teller, seen_change
from gitops_hooks.edge.parts import Part, divide, shown_change
from gitops_hooks.edge.sandbox import Confined, SandboxLimits, run_confined
from gitops_hooks.edge.side_by_side import Aside, run_side_by_side
from gitops_hooks.edge.terminal import tell
from gitops_hooks.edge.tool_box import find_tools
from gitops_hooks.edge.tool_wire import TARGET, TREE
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.tools import probe_tools
from gitops_hooks.edge.workbench import Asked, Bench, Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.command import Awaited, Command
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict

if TYPE_CHECKING:
    from gitops_hooks.edge.verdict_cache import Memory, VerdictCache

_ANSWER = 8 * 1024 * 1024
_GRACE = 10.0
_PATIENCE = 1.5

Answer = tuple[Finding | Command, ...] | str
"""What one part of a check found, with the commands that it waits for, or why there is no verdict."""


def run_checks(
    asked: Sequence[Asked], change: Change, grounds: Grounds, limits: Limits, memory: "Memory | None" = None
) -> tuple[Verdict, ...]:
    """One verdict a check, in the order given; a check that no changed path concerns is OK without being asked.

    As many run at once as the machine has cores; one that takes long is told of. What `memory` holds is not run.
    """
    cache = _open_cache(memory, change, grounds, limits) if memory else None
    parts = [part for each in asked for part in _parts(each, change, cache.least(each.check) if cache else 0)]
    keys = [cache.key(part) if cache else "" for part in parts]
    answers: list[Answer | None] = [
        cache.find(key, part.asked.check) if cache else None for key, part in zip(keys, parts, strict=True)
    ]
    missing = [at for at, answer in enumerate(answers) if answer is None]
    works = [partial(_run, parts[at], grounds, limits, cache, keys[at]) for at in missing]
    for at, said in zip(missing, _run_all(works, [parts[at].asked.check for at in missing], limits), strict=True):
        answers[at] = _parse(_unpack(said))
    return tuple(_conclude(each, change, (grounds, limits), (parts, answers)) for each in asked)


def _run_all(works: "Sequence[Callable[..., bytes]]", checks: Sequence[Check], limits: Limits) -> list[bytes | None]:
    """Each in a fork that waits for it; one alone is waited for here, since a fork costs about as much as a check."""
    patience = _Patience([check.name for check in checks])
    if len(works) != 1:
        return run_side_by_side(works, len(os.sched_getaffinity(0)), limits.check_seconds + _GRACE, patience)
    try:
        return [works[0](partial(patience, (0,)))]
    except (EdgeError, OSError):
        return [None]  # as where a fork gives none, which refuses; what is our bug goes to the one door for it


def _open_cache(memory: "Memory", change: Change, grounds: Grounds, limits: Limits) -> "VerdictCache":
    from gitops_hooks.edge.verdict_cache import VerdictCache

    return VerdictCache(memory, change, grounds, limits)


def _parts(asked: Asked, change: Change, least: int) -> list[Part]:
    """What is run of a check: nothing where it cannot be run, or nothing concerns it."""
    shown = shown_change(asked.check, change)
    return [] if asked.faults or not shown.files else divide(asked, shown, least)


def _conclude(
    asked: Asked,
    change: Change,
    place: tuple[Grounds, Limits],
    told: tuple[Sequence[Part], Sequence[Answer | None]],
) -> Verdict:
    name, oid = asked.check.name, place[0].oid
    if asked.faults:
        return _error(name, oid, "; ".join(asked.faults))
    mine = [answer for part, answer in zip(*told, strict=True) if part.asked is asked]
    if wrong := dict.fromkeys(answer for answer in mine if isinstance(answer, str)):
        return _error(name, oid, "; ".join(wrong))
    said = [each for each in mine if isinstance(each, tuple)]
    awaited = tuple(Awaited(one) for each in said for one in each if isinstance(one, Command))
    if awaited and (fault := _commands_fault(asked, *place)):
        return _error(name, oid, fault)
    parted = [[one for one in each if isinstance(one, Finding)] for each in said]
    found = join_findings(parted, [file.path for file in change.files])
    outcome = CheckOutcome.PENDING if awaited else CheckOutcome.FINDINGS if found else CheckOutcome.OK
    return Verdict(name, oid, outcome, found, awaited=awaited)


def _commands_fault(asked: Asked, grounds: Grounds, limits: Limits) -> str:
    """Why no command of a check can ever pass here: told at once, and not by a run that nobody is there to see."""
    if not asked.check.commands:
        return "gives commands, and does not declare that it may"
    return probe_tools(grounds.folders, limits)


def _run(
    part: Part,
    grounds: Grounds,
    limits: Limits,
    cache: "VerdictCache | None",
    key: str,
    waiting: Callable[[], None] = lambda: None,
) -> bytes:
    """One check from its start to its end; what its tools could not do makes it an ERROR, whatever it answers.

    This side of the wall also keeps what was found: an answer of the exact shape, and no ERROR ever.
    """
    check = part.asked.check
    tools, own_network = find_tools(check.tools, grounds.folders, grounds.own_network)
    declared = tuple(tool.name for tool in check.tools)
    bench = Bench(part.asked.options, grounds.target, tools, -1, declared, bool(key), own_network)
    toolbox = Toolbox(bench, grounds.whole, grounds.folders, grounds.scratch, limits, partial(_say, check.name))
    versions = _Versions(cache, check) if cache and key else None
    if versions:
        toolbox.began = versions.begin
    toolbox.waiting = waiting
    budget = SandboxLimits(seconds=limits.check_seconds, memory=limits.check_memory, output=_ANSWER)
    try:
        work = _work(part, grounds, bench)
        confined = run_confined(work, readable=grounds.readable, limits=budget, hatch=toolbox, waiting=waiting)
    finally:
        toolbox.close()
    failure = "; ".join(dict.fromkeys(toolbox.faults)) or confined.failure
    if versions:
        versions.close(0.0 if failure else _GRACE / 2)
    if failure:
        return b"-" + failure.encode("utf-8", "replace")
    answer = parse_findings(confined.output)
    if cache and key and not toolbox.overlooked and isinstance(answer, tuple):
        # One that gives commands has no key.
        cache.keep(key, check, toolbox.looks, tuple(one for one in answer if isinstance(one, Finding)))
        if toolbox.ran:
            cache.note_tools(check)
    return b"+" + confined.output


class _Versions:
    """Asks tools for their versions beside the first run of one, since many take as long for that as for their work."""

    def __init__(self, cache: "VerdictCache", check: Check) -> None:
        self._cache, self._check = cache, check
        self._aside: Aside | None = None

    def begin(self, names: tuple[str, ...]) -> None:
        self._aside = Aside(partial(self._ask, names))

    def _ask(self, names: tuple[str, ...]) -> bytes:
        self._cache.ask_versions(self._check, names)
        return b""

    def close(self, seconds: float) -> None:
        """What is not known by then is asked for once more where the verdict is kept, or makes that it is not."""
        if self._aside:
            self._aside.close(seconds)


def _work(part: Part, grounds: Grounds, bench: Bench) -> Callable[[], bytes]:
    """What is done inside; where the verdict is to be kept, it tells first wherever it looks."""
    check = part.asked.check
    if not bench.seen:
        return lambda: write_findings(lambda: check.run(part.change, grounds.tree, bench))
    tell = Teller(bench.look, [file.path for file in part.change.files])
    change, tree = seen_change(part.change, tell), SeenTree(grounds.tree, TREE, tell)
    bench.target = SeenTree(grounds.target, TARGET, tell)
    return lambda: write_findings(lambda: check.run(change, tree, bench))


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
            tell((f"gitops: still checking: {', '.join(dict.fromkeys(self._names[at] for at in running))}",))


def missing_verdict(name: str, tree_oid: str) -> Verdict:
    """What a check gets that the policy requires and no plugin offers."""
    return _error(name, tree_oid, "no enabled plugin offers this check; see [plugins] in server.toml")


def _parse(confined: Confined) -> Answer:
    return confined.failure or parse_findings(confined.output)


def _error(name: str, tree_oid: str, detail: str) -> Verdict:
    # A check that was taken over may have chosen the words, and so may whoever named a file.
    return Verdict(name, tree_oid, CheckOutcome.ERROR, detail=escape(detail))
