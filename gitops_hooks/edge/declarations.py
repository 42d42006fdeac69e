"""What a plugin declares of a check, looked at when it is loaded: a mistake there must not wait for a push."""

import re
from collections.abc import Mapping

from gitops_hooks.edge.toml_text import MODULE
from gitops_hooks.hookspec import API_VERSION, MOST_PARTS, Check
from gitops_hooks.model.options import Option, OptionKind
from gitops_hooks.model.tool import Tool

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_VERSION = re.compile(r"[1-9][0-9]{0,3}\.(0|[1-9][0-9]{0,3})")
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")


def api_fault(needed: object) -> str:
    """Why a plugin that needs this version of the API cannot be loaded, or an empty string; None needs nothing."""
    if needed is None:
        return ""
    if not isinstance(needed, str) or not _VERSION.fullmatch(needed):
        return f'NEEDS_API is {needed!r}; it says a version as "{API_VERSION}"'
    ours, theirs = (tuple(map(int, version.split("."))) for version in (API_VERSION, needed))
    if ours[0] == theirs[0] and theirs[1] <= ours[1]:
        return ""
    return f"this plugin needs version {needed} of the plugin API, and this release has {API_VERSION}"


def ahead_fault(named: object) -> str:
    """What is wrong with the modules that a plugin wants to be loaded ahead, or an empty string; None names none."""
    if named is None:
        return ""
    if isinstance(named, tuple) and all(isinstance(each, str) and MODULE.fullmatch(each) for each in named):
        return ""
    return f'LOADED_AHEAD is {named!r}; it is a tuple of modules by their paths, as ("json", "acme_naming.words")'


def check_fault(check: Check) -> str:
    """What is wrong with the options or tools of a check, or an empty string."""
    for option in check.options:
        if not isinstance(option, Option) or not _NAME.fullmatch(option.name):
            return f"{option!r} is no well-named Option"
        if fault := _default_fault(option):
            return f"the default of {option.name} {fault}"
        if bool(option.fields) != (option.kind is OptionKind.RECORDS):
            return f"{option.name}: fields belong to RECORDS, and RECORDS have some"
    for tool in check.tools:
        if not isinstance(tool, Tool) or not _PROGRAM.fullmatch(tool.name):
            return f"{tool!r} is no well-named Tool"
    if fault := _manner_fault(check):
        return fault
    for names in ([option.name for option in check.options], [tool.name for tool in check.tools]):
        if twice := next((name for name in names if names.count(name) > 1), ""):
            return f"{twice} is declared twice"
    return ""


def _manner_fault(check: Check) -> str:
    """What is wrong with how it wants to be asked."""
    if not all(isinstance(each, bool) for each in (check.each, check.kept, check.commands)):
        return "each, kept and commands are True or False"
    if not isinstance(check.parts, int) or isinstance(check.parts, bool) or not 1 <= check.parts <= MOST_PARTS:
        return f"parts is a number from 1 to {MOST_PARTS}"
    if check.commands and (check.each or check.kept):
        return "a check that gives commands is asked anew each time: say kept=False, and not each=True"
    return ""


def _default_fault(option: Option) -> str:
    if option.default is None or _fits(option.kind, option.default):
        return ""
    return f"is not {option.kind.value}"


def _fits(kind: OptionKind, value: object) -> bool:
    match kind:
        case OptionKind.TEXT:
            return isinstance(value, str)
        case OptionKind.TRUTH:
            return isinstance(value, bool)
        case OptionKind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        case OptionKind.TEXTS | OptionKind.GLOBS:
            return _are_texts(value)
        case OptionKind.MAP:
            return isinstance(value, Mapping) and _are_texts((*value, *value.values()))
        case OptionKind.LISTS:
            return isinstance(value, Mapping) and _are_texts(tuple(value)) and all(map(_are_texts, value.values()))
        case OptionKind.RECORDS:
            return isinstance(value, tuple) and all(_fits(OptionKind.MAP, item) for item in value)


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
