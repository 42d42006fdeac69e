"""CEL by the Rust interpreter of common-expression-language, loaded alone: its package would bring a command line.

Names and functions that nobody has are found when a rule is compiled, since `true || tpyo` never asks for them.
"""

import functools
import importlib.machinery
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Protocol

from gitops_hooks.plugins.cel_functions import FUNCTIONS, BadCall

VARIABLES = ("doc", "path", "branch")
_TYPES = ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "null_type", "dyn")
_BUILT_IN = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "type", "int", "uint", "double", "string", "bytes"}
    | {"dyn", "has", "max", "min", "duration", "timestamp"}
    | {"getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek"}
    | {"getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
_OPERATOR = re.compile(r"[@_!\-].*|.*_")
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WHOLE = range(-(2**63), 2**63)


class Program(Protocol):
    """A compiled expression of the library."""

    def execute(self, context: object) -> object:
        """Its answer on one context. Errors: any."""


class Refused(Exception):
    """Why a rule or a document cannot be taken, in words."""


def compile_rule(text: str) -> Callable[[object], object]:
    """From a prepared document to the rule's answer (Errors: Refused). Errors: Refused, where it is no rule."""
    with _refusing(_syntax):
        program = _engine().compile(text)
        names = program.references()
    strange = set(names["variables"]) - set(VARIABLES) - set(_TYPES) - set(_BOUND.findall(text))
    if strange:
        raise Refused(f"there is no {_listed(strange)} here; there are: {', '.join(VARIABLES)}")
    called = {name for name in names["functions"] if not _OPERATOR.fullmatch(name)}
    if strange := called - _BUILT_IN - FUNCTIONS.keys():
        raise Refused(f"there is no function {_listed(strange)} here")
    return functools.partial(_evaluate, program)


def prepare(values: Mapping[str, object]) -> object:
    """What compiled rules are evaluated on. Errors: Refused."""
    _refuse_large_numbers(values)
    with _refusing(_unfit):
        prepared: object = _engine().Context(dict(values), dict(FUNCTIONS))
    return prepared


def _evaluate(program: Program, prepared: object) -> object:
    with _refusing(_spoken):
        return program.execute(prepared)


@contextmanager
def _refusing(words: Callable[[BaseException], str]) -> Iterator[None]:
    """Whatever the interpreter ends with is a refusal, in these words."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001  # a panic of the interpreter is no Exception
        raise Refused(words(error)) from None


def _unfit(error: BaseException) -> str:
    return f"cannot be given to a rule: {str(error).rpartition('Conversion Error: ')[2][:200]}"


def _spoken(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no {str(error)[:80]}; ask has(…) first"
    text = " ".join(str(error).split())
    if text.startswith("No such overload"):
        return "types that do not go together, or a part of something that has none; see type(…)"
    if found := re.search(rf"{BadCall.__name__}: (.*?)\. Check function arguments", text):
        return found.group(1)
    return text[:200]


def _syntax(error: BaseException) -> str:
    found = re.search(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)", str(error))
    if found is None or found.group(3).startswith("OtherError"):
        return "is no CEL that can be read"
    place = f"at character {found.group(2)}" if found.group(1) == "1" else f"at {found.group(1)}:{found.group(2)}"
    return f"is not CEL {place}: {found.group(3).partition(' expecting ')[0]}"


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name[:40]}'" for name in sorted(names))


def _refuse_large_numbers(values: Mapping[str, object]) -> None:
    """The interpreter would take them for another kind of number, in which neighbours are equal."""
    waiting: list[object] = list(values.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, int) and value not in _WHOLE:
            raise Refused("holds a whole number beyond 64 bits; quote it")


@functools.cache
def _engine() -> ModuleType:
    """Errors: ModuleNotFoundError, ImportError."""
    package = importlib.util.find_spec("cel")
    folders = package.submodule_search_locations if package else None
    spec = importlib.machinery.PathFinder.find_spec("cel.cel", folders)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("common-expression-language is not installed", name="cel")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
