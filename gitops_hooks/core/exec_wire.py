"""What a program that judges reads and answers: one JSON document each way, both with a version."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from gitops_hooks.model.change import ChangedFile
from gitops_hooks.model.verdict import Finding, Severity

VERSION = 1

_LINE = 2**31


def write_question(
    check: str,
    files: Iterable[ChangedFile],
    about: tuple[int, str, str, str] | None,
    options: Mapping[str, Any],
    paths: tuple[Sequence[str], Sequence[str]],
) -> bytes:
    """The document for the program's standard input; `paths` are those below /tree and those below /given.

    `about` is the change's number, target, base and head; a program whose verdicts are kept is not told them.
    """
    seen, given = paths
    known = dict(zip(("number", "target", "base", "head"), about, strict=True)) if about else {}
    question = {
        "version": VERSION,
        "check": check,
        "change": {**known, "files": [_file(file) for file in files]},
        "options": dict(options),
        "tree": {"folder": "/tree", "paths": list(seen)},
        "target": {"folder": "/given", "paths": list(given)},
    }
    return json.dumps(question).encode() + b"\n"


def _file(file: ChangedFile) -> dict[str, object]:
    return {
        "path": file.path,
        "old_mode": f"{file.old_mode:06o}",
        "old_oid": file.old_oid,
        "mode": f"{file.mode:06o}",
        "oid": file.oid,
        "deleted": file.deleted,
    }


def parse_answer(output: bytes) -> tuple[Finding, ...] | str:
    """The findings, or in words why the program gave no verdict."""
    if not output.strip():
        return "answered nothing; where all is well it answers " + json.dumps({"version": VERSION, "findings": []})
    try:
        answer = json.loads(output, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return "answered something that is not one JSON document"
    if not isinstance(answer, dict):
        return "answered something that is not a JSON object"
    if answer.get("version") != VERSION or isinstance(answer["version"], bool):
        return f"answered a document of version {str(answer.get('version'))[:20]}; this release reads {VERSION}"
    match answer:
        case {"error": str() as words} if len(answer) == 2 and words.strip():
            return words
        case {"findings": list() as items} if len(answer) == 2:
            return _findings(items)
    return "answered neither findings alone nor an error alone"


def _findings(items: Sequence[object]) -> tuple[Finding, ...] | str:
    found = []
    for number, item in enumerate(items, 1):
        finding = _finding(item)
        if finding is None:
            return f"its finding {number} has not exactly path, line, message, and where it likes severity"
        found.append(finding)
    return tuple(found)


def _finding(item: object) -> Finding | None:
    match item:
        case {"path": str() as path, "line": int() as line, "message": str() as message, **more} if (
            not isinstance(line, bool) and 0 <= line < _LINE and message.strip() and more.keys() <= {"severity"}
        ):
            severity = more.get("severity", "error")
            return Finding(path, line, message, Severity(severity)) if severity in ("error", "warning") else None
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Errors: ValueError where a key stands twice, which another reader might take the other way."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
