"""Findings on their way out of a confined child: strict JSON, read as a stranger's words."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NoReturn

from gitops_hooks.model.command import Command
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.verdict import Finding, Severity

MOST = 200
_MESSAGE = 500
_PATH = 4096
_LINE = 2**31
MOST_COMMANDS = 20
_WORDS = 64 * 1024
_LONGEST = 24 * 3600
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MORE = re.compile(r"… and (\d{1,9}) more findings?")


def write_findings(find: Callable[[], Iterable[Finding | Command]]) -> bytes:
    """Findings and commands, or why the check cannot say anything; made inside, where its own code may still run."""
    try:
        commands: list[Command] = []
        found = _collect(_without_commands(find(), commands))
        return json.dumps([*found, *map(plain_command, commands)] if isinstance(found, list) else found).encode()
    except EdgeError as error:
        return json.dumps(str(error)[:_MESSAGE]).encode()


def _without_commands(given: Iterable[Finding | Command], commands: list[Command]) -> Iterator[Finding]:
    """The findings alone; every command is put aside, one too many as well, so that it is noticed."""
    for item in given:
        if not isinstance(item, Command):
            yield item
        elif len(commands) <= MOST_COMMANDS:
            commands.append(item)


def _collect(findings: Iterator[Finding]) -> object:
    """The first 200 findings and how many more there were; in words, what was given that is none."""
    first = list(islice(findings, MOST))
    rest = list(islice(findings, 1))
    for wrong in (item for item in (*first, *rest) if not isinstance(item, Finding)):
        return f"gave {type(wrong).__name__} instead of a Finding"[:200]
    if rest:
        rest = [_and_more(rest[0].path, 1 + sum(1 for _ in findings))]
    return [plain_finding(finding) for finding in (*first, *rest)]


def _and_more(path: str, count: int) -> Finding:
    return Finding(path, 0, f"… and {count} more finding{'s' if count > 1 else ''}")


def join_findings(parts: Sequence[Sequence[Finding]], order: Sequence[str]) -> tuple[Finding, ...]:
    """Those of all parts, each once, by the order of their paths, again the first 200 and how many there were."""
    if len(parts) == 1:
        return tuple(parts[0])
    place = {path: at for at, path in enumerate(order)}
    # What a part has left out is counted, and told at the end.
    more = sum(_left_out(part[MOST]) for part in parts if len(part) > MOST)
    found = list(dict.fromkeys(finding for part in parts for finding in part[:MOST]))
    found.sort(key=lambda finding: place.get(finding.path, len(place)))
    left = more + max(0, len(found) - MOST)
    if not left:
        return tuple(found)
    after = found[MOST].path if len(found) > MOST else found[-1].path
    return (*found[:MOST], _and_more(after, left))


def _left_out(tail: Finding) -> int:
    match = _MORE.fullmatch(tail.message)
    return int(match[1]) if match else 1


def plain_finding(finding: Finding) -> list[object]:
    message = str(finding.message)
    short = message if len(message) <= _MESSAGE else message[: _MESSAGE - 1] + "…"
    return [str(finding.path)[:_PATH], int(finding.line), short, Severity(finding.severity).value]


def plain_command(command: Command) -> list[object]:
    return [str(command.name), [str(word) for word in command.words], int(command.seconds)]


def parse_findings(output: bytes) -> tuple[Finding | Command, ...] | str:
    """The findings and commands, or why there is no verdict; nothing but the exact shape passes."""
    try:
        answer = json.loads(output, parse_constant=_refuse)
        if isinstance(answer, str) and len(answer) <= _MESSAGE:
            return answer
        if isinstance(answer, list):
            commands = [parse_command(item) for item in answer if _is_command(item)]
            found = [parse_finding(item) for item in answer if not _is_command(item)]
            if len(found) <= MOST + 1 and len(commands) <= MOST_COMMANDS and _each_once(commands):
                return (*found, *commands)
    except (ValueError, RecursionError):
        pass
    return "answered something that is not a list of findings"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _is_command(item: object) -> bool:
    return isinstance(item, list) and len(item) == 3


def _each_once(commands: Sequence[Command]) -> bool:
    return len({command.name for command in commands}) == len(commands)


def parse_command(item: object) -> Command:
    """Errors: ValueError for any other shape."""
    match item:
        case [str() as name, list() as words, int() as seconds] if (
            _NAME.fullmatch(name) and not isinstance(seconds, bool) and 0 < seconds <= _LONGEST and _are_words(words)
        ):
            return Command(name, tuple(map(str, words)), seconds)
    raise ValueError("not a command")


def _are_words(words: list[object]) -> bool:
    texts = [word for word in words if isinstance(word, str) and "\0" not in word]
    return bool(texts) and len(texts) == len(words) and sum(map(len, texts)) <= _WORDS


def parse_finding(item: object) -> Finding:
    """Errors: ValueError for any other shape."""
    match item:
        case [str() as path, int() as line, str() as message, str() as severity] if (
            not isinstance(line, bool) and 0 <= line < _LINE and len(path) <= _PATH and len(message) <= _MESSAGE
        ):
            return Finding(path, line, message, Severity(severity))
    raise ValueError("not a finding")
