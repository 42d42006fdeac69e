"""The policy's `mode:` and `break_glass:` → what is rehearsed, and who may land without what."""

import re
from collections.abc import Mapping

from gitops_hooks.core.policy_nodes import read_fields, read_items, read_text
from gitops_hooks.core.policy_reading import Reading, read_names
from gitops_hooks.core.policy_times import read_seconds
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.policy import BreakGlass, Names

COVERABLE = ("approvals", "freeze", "deployed", "plan", "checks")
_LONGEST_DAYS = 30

# Findings are faults of the tree itself, so that only a policy that says so lets them pass.
_COVERED = ("approvals", "freeze", "deployed", "plan")
_KEYS = ("by", "covers", "settle")
_MODE = re.compile("enforce|evaluate")
_WORD = re.compile(r"[a-z_]{1,40}")
_DAY = 24 * 3600


def read_evaluate(node: Marked | None, reading: Reading) -> bool:
    """Whether a rule only tells what it would refuse."""
    return node is not None and read_text(node, "mode", reading.faults, _MODE, "enforce or evaluate") == "evaluate"


def read_break_glass(rule: Mapping[str, Marked], reading: Reading) -> BreakGlass | None:
    """Who may land on the rule's branches without approvals, by name; None where nobody may."""
    node = rule.get("break_glass")
    if node is None:
        return None
    fields = read_fields(node, "break_glass", _KEYS, reading.faults)
    if "mode" in rule and rule["mode"].text == "evaluate":
        reading.complain(node, "break_glass: a rule with mode: evaluate refuses nothing that could be overridden")
    return BreakGlass(
        _read_by(node, fields.get("by"), reading),
        _read_covers(fields.get("covers"), reading),
        _read_settle(fields.get("settle"), reading),
        reading.place(node),
    )


def _read_by(whole: Marked, node: Marked | None, reading: Reading) -> Names:
    if node is None:
        if whole.tag == "map":
            reading.complain(whole, "by is missing: who may break the glass?")
        return Names()
    names = read_names(node, "by", reading)
    if node.tag == "seq" and not names.items:
        reading.complain(node, "by: [] is nobody; take break_glass out")
    if "*" in names.items:
        reading.complain(node, "by: break-glass is for named people and groups, not for *")
    return names


def _read_covers(node: Marked | None, reading: Reading) -> tuple[str, ...]:
    if node is None:
        return _COVERED
    items = read_items(node, "covers", reading.faults)
    if node.tag == "seq" and not items:
        reading.complain(node, "covers: [] is nothing; take break_glass out")
    return tuple(_read_covered(item, reading) for item in items)


def _read_covered(node: Marked, reading: Reading) -> str:
    word = read_text(node, "covers", reading.faults, _WORD, "a word")
    if word and word not in COVERABLE:
        reading.complain(node, f"covers: break-glass never covers {word}; it may cover {', '.join(COVERABLE)}")
    return word


def _read_settle(node: Marked | None, reading: Reading) -> int:
    """Seconds until the branch closes unless somebody has approved after all."""
    if node is None:
        return _DAY
    return read_seconds(node, "settle", _LONGEST_DAYS, reading) or _DAY
