"""`[[exec_check]]` of the server's file: programs that judge; the default of an option says what kind it is."""

import re
from collections.abc import Mapping, Sequence

from gitops_hooks.core.globs import glob_fault
from gitops_hooks.edge.toml_text import SOME, Table
from gitops_hooks.model.options import Option, OptionKind, OptionValue
from gitops_hooks.model.server import ExecCheck

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
_PATH = re.compile(r"\.|(?!/)(?!.*(?:^|/)\.\.?(?:/|$))(?!.*//)[^\x00-\x1f\x7f]+(?<!/)")


def read_exec_checks(tables: Sequence[Table]) -> tuple[ExecCheck, ...]:
    """Every table, its faults with those of the file."""
    found: dict[str, ExecCheck] = {}
    for table in tables:
        check = _read(table)
        if check.name and check.name in found:
            table.fault("name", f"two [[exec_check]]s have the name '{check.name}'")
        found[check.name] = check
    return tuple(found.values())


def _read(table: Table) -> ExecCheck:
    table.allow(("name", "summary", "command", "paths", "tree", "target", "options", "kept"))
    return ExecCheck(
        table.text("name", _NAME),
        table.text("summary", SOME, ""),
        _command(table),
        _globs(table),
        table.texts("tree", _PATH),
        table.texts("target", _PATH),
        _options(table),
        _truth(table, "kept"),
    )


def _command(table: Table) -> tuple[str, ...]:
    """The program's name, looked for in tool_folders and the system, and words for it; the same word may come twice."""
    words = table.values.get("command")
    if not isinstance(words, list) or not all(isinstance(word, str) and "\0" not in word for word in words):
        table.fault("command", "'command' must be a list of strings, first the name of a program")
    elif not words or not _PROGRAM.fullmatch(words[0]):
        table.fault("command", "'command' begins with the name of a program, not its path; tool_folders say where")
    else:
        return tuple(words)
    return ("",)


def _globs(table: Table) -> tuple[str, ...]:
    """One that no path could match would be a check that is never asked."""
    globs = table.texts("paths", SOME, ("**",))
    if "paths" in table.values:
        for glob in globs:
            if fault := glob_fault(glob):
                table.fault("paths", f"'paths': '{glob}' {fault}")
        if not globs:
            table.fault("paths", "'paths' must name at least one path")
    return globs


def _truth(table: Table, key: str) -> bool:
    found = table.values.get(key, False)
    if not isinstance(found, bool):
        table.fault(key, f"'{key}' must be true or false")
    return found is True


def _options(table: Table) -> tuple[Option, ...]:
    values = table.values.get("options", {})
    if not isinstance(values, dict):
        table.fault("options", "'options' must be a table of names with their defaults")
        return ()
    found = []
    for name, value in values.items():
        option = _option(name, value) if _NAME.fullmatch(name) else None
        if option is None:
            table.fault("options", f"'options': {name!a} is no name with a text, number, truth, list or table of texts")
        else:
            found.append(option)
    return tuple(found)


def _option(name: str, value: object) -> Option | None:
    kind, default = _kind(value)
    return Option(name, kind, default, "") if kind is not None else None


def _kind(value: object) -> tuple[OptionKind | None, OptionValue | None]:
    if isinstance(value, bool):
        return OptionKind.TRUTH, value
    if isinstance(value, int) and 0 <= value <= 1_000_000_000:
        return OptionKind.NUMBER, value
    if isinstance(value, str):
        return OptionKind.TEXT, value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return OptionKind.TEXTS, tuple(value)
    if isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values()):
        return OptionKind.MAP, dict(value)
    return None, None
