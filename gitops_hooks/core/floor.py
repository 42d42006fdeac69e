"""The floor: the server's own branch rules, which no policy can go under. One reader for them and for a policy's.

Here they are plain values, as TOML gives them on the server and as JSON gives them out of a landing's record.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

from gitops_hooks.core.check_options import judge_required, read_check_options
from gitops_hooks.core.govern import Right
from gitops_hooks.core.policy_branches import ANYBODY, read_branch
from gitops_hooks.core.policy_file import read_groups
from gitops_hooks.core.policy_nodes import read_items
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.errors import Fault, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.options import Declared
from gitops_hooks.model.policy import BranchRule, Floor, Names, Policy

SOURCE = "server.toml"
TEXT_BYTES = 64 * 1024
# A policy's group names hold no slash, so that none of them can be, or stand for, a group of the floor's.
_PREFIX = "floor/"
_WEAKER = ("mode", "evaluate", "override", "break_glass", "break-glass")


@dataclass(frozen=True, slots=True)
class Lines:
    """Where things stand: `rules` are, a rule each, its own line and the lines of its keys.

    `groups` and `checks` are the lines of their tables.
    """

    rules: tuple[tuple[int, Mapping[str, int]], ...] = ()
    groups: int = 0
    checks: int = 0

    def rule(self, index: int) -> tuple[int, Mapping[str, int]]:
        return self.rules[index] if index < len(self.rules) else (0, {})


def read_floor(
    values: Mapping[str, object],
    lines: Lines,
    known: frozenset[str] | None = None,
    checks: Declared | None = None,
) -> Floor:
    """The floor that `groups`, `branch` and `checks` amount to. Errors: PolicyError with every fault."""
    reading = Reading(SOURCE, [], known, None, checks, {})
    if "groups" in values:
        reading.groups.update(read_groups(_marked(values["groups"], lines.groups), reading))
    node = _marked(values.get("branch", []), 0)
    rules = [_rule_node(item, *lines.rule(index)) for index, item in enumerate(_items(values.get("branch")))]
    read_items(node, "floor.branch", reading.faults)
    found = tuple(_read_rule(rule, reading) for rule in rules)
    options = read_check_options(_marked(values["checks"], lines.checks), reading) if "checks" in values else ()
    judge_required(rules, options, reading)
    text = _write(values, lines)
    if len(text) > TEXT_BYTES:
        reading.faults.append(
            Fault(0, f"the floor is larger than {TEXT_BYTES} bytes, which every landing would record")
        )
    if reading.faults:
        ordered = sorted(dict.fromkeys(reading.faults), key=lambda fault: fault.line)
        raise PolicyError(SOURCE, tuple(ordered))
    groups = tuple((_PREFIX + name, members) for name, members in reading.groups.items())
    return Floor(groups, tuple(_named(rule) for rule in found), text if found else "", options)


def parse_floor(text: str) -> Floor:
    """The floor that a landing recorded. Errors: PolicyError where no server of ours wrote this text."""
    if not text:
        return Floor()
    try:
        values = json.loads(text)
        rules = tuple((int(line), dict(keys)) for line, keys in values.pop("lines"))
        return read_floor(values, Lines(rules))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PolicyError(SOURCE, (Fault(0, "the floor that was recorded cannot be read"),)) from None


def with_floor(policy: Policy, floor: Floor) -> Policy:
    """The policy as it holds on this server."""
    groups = (*policy.groups, *floor.groups)
    return replace(policy, groups=groups, floor=floor)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _write(values: Mapping[str, object], lines: Lines) -> str:
    said = {key: value for key, value in values.items() if key in ("groups", "branch", "checks")}
    return json.dumps({**said, "lines": lines.rules}, sort_keys=True, default=str)


def _rule_node(value: object, line: int, lines: Mapping[str, int]) -> Marked:
    if not isinstance(value, Mapping):
        return _marked(value, line)
    pairs = tuple((Marked(at := lines.get(key, line), "str", key), _marked(item, at)) for key, item in value.items())
    return Marked(line, "map", pairs=pairs)


def _marked(value: object, line: int) -> Marked:
    """One value with all that is in it, on one line."""
    match value:
        case Mapping():
            pairs = tuple((Marked(line, "str", str(key)), _marked(item, line)) for key, item in value.items())
            return Marked(line, "map", pairs=pairs)
        case list() | tuple():
            return Marked(line, "seq", items=tuple(_marked(item, line) for item in value))
        case bool():
            return Marked(line, "bool", str(value).lower())
        case int() | float():
            return Marked(line, type(value).__name__, str(value))
        case str():
            return Marked(line, "str", value)
    return Marked(line, "timestamp", str(value))


def _read_rule(node: Marked, reading: Reading) -> BranchRule:
    """A rule in which what is not said is left to the policy: a floor takes away and never grants."""
    for key in _weaker_keys(node):
        reading.complain(key, f"{key.text}: the floor knows no evaluate and no break-glass")
    for key in (key for key, _ in node.pairs if key.text == "controller"):
        reading.complain(key, "controller: the floor allows nothing; what may run on the deployer stands in a policy")
    for key in (key for key, _ in node.pairs if key.text == "deployed"):
        reading.complain(key, "deployed: environments are a policy's own; the floor knows none")
    for key in (key for key, _ in node.pairs if key.text == "require"):
        reading.complain(key, "require: plans are of environments, which are a policy's own; the floor knows none")
    node = _without_weaker(node)
    rule, said = read_branch(node, reading), node.keys()
    # Whoever asks for approvals does not mean that they may be pushed past.
    asks = "approvals" in said or "owners" in said
    silent = [right for right in get_args(Right) if right not in said and not (right == "push" and asks)]
    left: dict[str, Any] = dict.fromkeys(silent, ANYBODY)
    if "force" in silent:
        # A push by force is a push: whoever may not make the one, or only with approvals, gets by with neither.
        left["force"] = left.get("push", rule.push)
    if "approvals" not in said:
        left["approvals"] = ()
    if "keep" not in said:
        left["review"] = replace(rule.review, keep=None)
    return replace(rule, **left, any_author=rule.any_author or "authors" not in said)


def _weaker_keys(node: Marked) -> list[Marked]:
    found = [key for key, _ in node.pairs if key.text in _WEAKER]
    return found + [key for below in (*(value for _, value in node.pairs), *node.items) for key in _weaker_keys(below)]


def _without_weaker(node: Marked) -> Marked:
    pairs = tuple((key, _without_weaker(value)) for key, value in node.pairs if key.text not in _WEAKER)
    return replace(node, pairs=pairs, items=tuple(_without_weaker(item) for item in node.items))


def _named(value: Any) -> Any:  # noqa: ANN401  # a rule, or anything in it
    """The same with each `@group` in it meaning the floor's group of that name."""
    match value:
        case Names():
            return Names(tuple(f"@{_PREFIX}{item[1:]}" if item[:1] == "@" else item for item in value.items))
        case tuple():
            return tuple(_named(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _named(getattr(value, field.name)) for field in fields(value)})
    return value
