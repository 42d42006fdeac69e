"""One run of the server's `opa` in its box: what it is given, and what it says."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import EdgeError, Workbench
from gitops_hooks.plugins.plain_documents import Plain
from gitops_hooks.plugins.rego_ask import PACKAGE, Fault
from gitops_hooks.plugins.rego_modules import Module

PROGRAM = "opa"
_ASKED, _DATA, _INPUT = "asked.rego", "data.json", "input.json"
# Without the last, what a function cannot take would be nothing, and a deny behind it silent.
_WORDS = ("eval", "--format", "json", "--strict-builtin-errors")


@dataclass(frozen=True, slots=True)
class Said:
    """The value of what was asked (None: it has none), or what opa says is wrong."""

    value: object
    wrong: tuple[Fault, ...] = ()


def run_opa(
    bench: Workbench, modules: Sequence[Module], given: Plain, question: Sequence[str], value: Plain, query: str
) -> Said:
    """Ask for `query` with the rules of `question` beside the policies; `value` is the input, None for no input.

    Errors: EdgeError where the program does not answer as opa does.
    """
    # By numbers, since opa takes what stands before a colon in a name for a place in its data.
    files = {f"{number}.rego": module.text.encode() for number, module in enumerate(modules)}
    files[_DATA] = json.dumps(given).encode()
    if question:
        files[_ASKED] = "\n".join([f"package {PACKAGE}", "import rego.v1", *question, ""]).encode()
    words = [word for name in files for word in ("--data", f"/given/{name}")]
    if value is not None:
        files[_INPUT] = json.dumps(value).encode()
        words += ["--input", f"/given/{_INPUT}"]
    ran = bench.run([PROGRAM, *_WORDS, *words, query], given=files)
    said = _parse(ran.stdout)
    if wrong := tuple(_wrong(said, modules)):
        return Said(None, wrong)
    if said is None or ran.status != 0:
        why = _short((ran.stderr or ran.stdout).decode("utf-8", "replace")) or "it says nothing"
        raise EdgeError(PROGRAM, f"ended with {ran.status} and gave no answer: {why}")
    return Said(_value(said))


def _parse(stdout: bytes) -> dict[str, object] | None:
    try:
        said = json.loads(stdout)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _wrong(said: dict[str, object] | None, modules: Sequence[Module]) -> Iterator[Fault]:
    """Each with the path of the module that it is in; "" where it is in none."""
    paths = {f"/given/{number}.rego": module.path for number, module in enumerate(modules)}
    errors = (said or {}).get("errors", [])
    for error in errors if isinstance(errors, list) else [errors]:
        match error:
            case {"message": str() as words, "location": {"file": str() as file, "row": int() as row}} if file in paths:
                yield Fault(paths[file], row, _short(words))
            case {"message": str() as words}:
                yield Fault("", 0, _short(words))
            case _:
                yield Fault("", 0, "opa says that something is wrong, and not what")


def _short(words: str) -> str:
    return " ".join(words.split())[:200]


def _value(said: dict[str, object]) -> object:
    match said.get("result"):
        case [{"expressions": [{"value": value}]}]:
            return value
    return None
