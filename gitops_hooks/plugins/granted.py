"""What the server's file grants to a deployment besides a key: variables of the environment, and what hides secrets."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from gitops_hooks.plugin import Credentials, EdgeError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST = 6
WITHHELD = "withheld, since it carries a credential or a sensitive value"


def read_variables(credentials: Credentials) -> dict[str, str]:
    """The lines `NAME=value` of the environment_file. Errors: EdgeError, which tells the line and never its text."""
    if credentials.environment_file is None:
        return {}
    found: dict[str, str] = {}
    text = credentials.environment_file.read_text(encoding="utf-8", errors="surrogateescape")
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        name, equals, value = line.removeprefix("export ").partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals or not _NAME.fullmatch(name) or "\0" in value:
            raise EdgeError("environment_file", f"line {number} is no NAME=value")
        found[name] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    return found


def hider(credentials: Credentials, values: Iterable[str]) -> Callable[[str], str]:
    """Whatever carries one of these values, or a line of the key, is withheld whole."""
    texts = [*values, *map(_text, (credentials.key, credentials.vault_password))]
    lines = [line for text in texts for line in text.splitlines()]
    marks = {mark for mark in marks_of(lines) if not mark.startswith("-----")}
    return lambda text: WITHHELD if any(mark in text for mark in marks) else text


def marks_of(lines: Iterable[str]) -> frozenset[str]:
    """By what a line is known again: as it is, and as one line for people, whose spaces are made one."""
    stripped = {line.strip() for line in lines}
    return frozenset(mark for mark in stripped | {one_line(line) for line in stripped} if len(mark) >= _SHORTEST)


def _text(path: Path | None) -> str:
    return "" if path is None else path.read_text(errors="replace")


def one_line(text: str) -> str:
    """For people to read: whatever does not print is a space."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
