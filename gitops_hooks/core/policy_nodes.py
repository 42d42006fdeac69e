"""Marked YAML nodes → values of the kind that is meant, or a fault with its line."""

import re
import unicodedata
from collections.abc import Sequence

from gitops_hooks.core.globs import glob_fault
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.errors import Fault

# Named by the design or known from elsewhere: parsing and ignoring one would be a promise that nobody keeps.
NOT_ENFORCED = frozenset(
    (
        *("signed_commits", "mode", "evaluate", "override", "floor"),
        *("break-glass", "plan"),
        "window",
        *("timeout", "retries", "retry", "notify", "providers"),
    )
)
_KINDS = {"map": "a mapping", "seq": "a list", "str": "text", "int": "a number", "bool": "yes or no"}
_SPOKEN = {**_KINDS, "null": "nothing", "float": "a fraction", "timestamp": "a date"}
_WHOLE = re.compile(r"[1-9][0-9]{0,3}")


def is_a(kind: str, node: Marked, what: str, faults: list[Fault]) -> bool:
    """Whether the node is of this kind; says so where it is not."""
    if node.tag == kind:
        return True
    quotes = "; write it in quotes" if kind == "str" and node.plain and node.tag != "null" else ""
    found = _SPOKEN.get(node.tag, "a value with a tag")
    faults.append(Fault(node.line, f"{what} must be {_KINDS[kind]}, not {found}{quotes}"))
    return False


def read_fields(node: Marked, what: str, allowed: Sequence[str], faults: list[Fault]) -> dict[str, Marked]:
    """The entries of a mapping with these keys and no others."""
    if not is_a("map", node, what, faults):
        return {}
    for key, _ in node.pairs:
        if key.tag != "str" or key.text not in allowed:
            faults.append(Fault(key.line, _stranger(key, allowed)))
    return {key.text: value for key, value in node.pairs if key.tag == "str" and key.text in allowed}


def key_fault(key: Marked) -> str:
    """What is wrong with any key, or an empty string."""
    if key.tag == "merge":
        return "merge keys (<<) are refused; write the entries out"
    return "" if key.tag == "str" else "a key must be text"


def _stranger(key: Marked, allowed: Sequence[str]) -> str:
    if fault := key_fault(key):
        return fault
    if key.text in NOT_ENFORCED:
        return f"{key.text}: not enforced by this release; take it out"
    return f"unknown key '{shown(key.text)}'; allowed here: {', '.join(allowed)}"


def read_items(node: Marked | None, what: str, faults: list[Fault]) -> tuple[Marked, ...]:
    """The items of a list; none where there is no node."""
    if node is None or not is_a("seq", node, what, faults):
        return ()
    return node.items


def read_text(node: Marked, what: str, faults: list[Fault], grammar: re.Pattern[str], words: str) -> str:
    """Text of this grammar, or an empty string; `words` say what is meant."""
    if not is_a("str", node, what, faults):
        return ""
    if grammar.fullmatch(node.text):
        return node.text
    faults.append(Fault(node.line, f"{what}: '{shown(node.text)}' is not {words}"))
    return ""


def read_count(node: Marked, what: str, faults: list[Fault]) -> int:
    """A whole number from 1, or 1 where there is a fault."""
    if not is_a("int", node, what, faults):
        return 1
    if _WHOLE.fullmatch(node.text):
        return int(node.text)
    faults.append(Fault(node.line, f"{what}: '{shown(node.text)}' is not a whole number from 1 to 9999"))
    return 1


def read_truth(node: Marked | None, what: str, faults: list[Fault]) -> bool:
    """Yes or no; no where there is no node, or a fault."""
    return node is not None and is_a("bool", node, what, faults) and is_yes(node)


def is_yes(node: Marked) -> bool:
    """Which of the two a bool says."""
    return node.text.lower() in ("true", "yes", "on", "y")


def read_glob(node: Marked, what: str, faults: list[Fault]) -> str:
    """A relative pattern of `*`, `?` and whole `**` segments, in NFC; an empty string where there is a fault."""
    if not is_a("str", node, what, faults):
        return ""
    glob = unicodedata.normalize("NFC", node.text)
    if fault := glob_fault(glob):
        faults.append(Fault(node.line, f"{what}: '{shown(node.text)}' {fault}"))
        return ""
    return glob
