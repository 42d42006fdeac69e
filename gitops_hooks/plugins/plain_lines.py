"""INI files and Dockerfiles as values, in the shape that conftest gives to a policy."""

import json
import re

_SECTION = re.compile(r"\[([^\]]+)\]\s*")
_PAIR = re.compile(r"([^=:]+?)\s*[=:]\s*(.*)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")
_TAKES_COMMAND = ("cmd", "entrypoint", "run", "shell", "volume", "add", "copy")


def read_ini(text: str) -> dict[str, dict[str, object]]:
    """Section → key → value; what stands before the first section is in DEFAULT. Errors: ValueError."""
    sections: dict[str, dict[str, object]] = {}
    current = "DEFAULT"
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if found := _SECTION.fullmatch(line):
            current = found.group(1).strip()
            sections.setdefault(current, {})
            continue
        pair = _PAIR.fullmatch(line)
        if pair is None:
            raise ValueError(f"line {number} is neither [section] nor key = value")
        key = pair.group(1)
        if key in sections.setdefault(current, {}):
            raise ValueError(f"line {number}: {key[:60]!r} stands twice in [{current[:60]}]")
        sections[current][key] = _typed(pair.group(2))
    return sections


def _typed(text: str) -> object:
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def read_dockerfile(text: str) -> list[dict[str, object]]:
    """Every instruction as {Cmd, SubCmd, Flags, Value, JSON, Original, Stage}. Errors: ValueError."""
    lines = text.split("\n")
    escape = next((found.group(1) for line in lines[:3] if (found := _ESCAPE.fullmatch(line.strip()))), "\\")
    commands: list[dict[str, object]] = []
    stage, at = -1, 0
    while at < len(lines):
        logical, at = _logical(lines, at, escape)
        if not logical:
            continue
        at = _past_heredocs(lines, at, logical)
        word, _, rest = logical.partition(" ")
        stage += word.lower() == "from"
        commands.append(_command(word.lower(), rest.strip(), logical, max(stage, 0)))
    return commands


def _logical(lines: list[str], at: int, escape: str) -> tuple[str, int]:
    """One instruction with its continued lines, comments and empty lines between them left out."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            if parts:
                continue
            return "", at
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line[:-1].strip())
    return " ".join(" ".join(parts).split()), at


def _past_heredocs(lines: list[str], at: int, logical: str) -> int:
    for found in _HEREDOC.finditer(logical):
        while at < len(lines) and lines[at].strip() != found.group(2):
            at += 1
        if at == len(lines):
            raise ValueError(f"<<{found.group(2)[:60]} has no end")
        at += 1
    return at


def _command(word: str, rest: str, logical: str, stage: int) -> dict[str, object]:
    flags: list[str] = []
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        flags.append(flag)
        rest = rest.strip()
    subcommand, value, listed = "", _words(word, rest), False
    if word == "onbuild":
        subcommand, _, rest = rest.partition(" ")
        subcommand, value = subcommand.lower(), _words(subcommand.lower(), rest.strip())
    if word in _TAKES_COMMAND and rest.startswith("["):
        try:
            given = json.loads(rest)
        except ValueError:
            given = None  # a shell's own bracket, as Docker takes it too
        if isinstance(given, list) and all(isinstance(item, str) for item in given):
            value, listed = given, True
    return {
        "Cmd": word,
        "SubCmd": subcommand,
        "Flags": flags,
        "Value": value,
        "JSON": listed,
        "Original": logical,
        "Stage": stage,
    }


def _words(word: str, rest: str) -> list[str]:
    if word in ("run", "cmd", "entrypoint", "shell", "maintainer"):
        return [rest]
    if word in ("env", "label", "arg"):
        return [part for each in rest.split() for part in each.partition("=")[::2]] if word != "arg" else rest.split()
    return rest.split()
