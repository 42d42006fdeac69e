"""The policy's top `checks:` → what each check is told; held against what the checks themselves declare."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_hooks.core.govern import Governing
from gitops_hooks.core.policy_nodes import is_a, is_yes, key_fault, read_glob, read_items, read_text
from gitops_hooks.core.policy_reading import PLUGIN, Reading, check_plugin
from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.marked import Marked
from gitops_hooks.model.options import CheckOptions, Option, OptionKind, OptionValue

_TEXT = re.compile(r"[^\x00]+", re.DOTALL)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,9}")


def read_check_options(node: Marked | None, reading: Reading) -> tuple[CheckOptions, ...]:
    """What stands there for each check; where the server's checks are known, every option is judged."""
    if node is None or not is_a("map", node, "checks", reading.faults):
        return ()
    found = []
    for key, value in node.pairs:
        if fault := key_fault(key):
            reading.complain(key, f"checks: {fault}")
        elif not PLUGIN.fullmatch(key.text):
            reading.complain(key, f"checks: '{shown(key.text)}' is not the name of a check")
        elif is_a("map", value, f"checks: {key.text}", reading.faults):
            found.append(CheckOptions(key.text, reading.file, value))
            _judge(key, value, reading)
    return tuple(found)


def _judge(key: Marked, node: Marked, reading: Reading) -> None:
    check_plugin(key, key.text, "check", reading.checks, reading)
    if reading.checks is not None and key.text in reading.checks:
        _read(key.text, reading.checks[key.text], node, reading.faults)


def judge_required(rules: Sequence[Marked], options: Sequence[CheckOptions], reading: Reading) -> None:
    """A check that cannot do without an option is refused where a rule asks for it and nothing sets it."""
    said = {each.check: each.node for each in options}
    for item in (item for rule in rules for item in _asked(rule)):
        for option in (reading.checks or {}).get(item.text, ()):
            if option.default is None and (item.text not in said or said[item.text].get(option.name) is None):
                line = f"checks: {{{item.text}: {{{option.name}: …}}}}"
                reading.complain(item, f"check {item.text} needs its option {option.name}; write at the top {line}")


def _asked(rule: Marked) -> tuple[Marked, ...]:
    listed = rule.get("checks")
    return listed.items if listed is not None else ()


def options_for(governing: Governing | None, check: str) -> CheckOptions | None:
    """What holds for a check on one branch: the floor's word where the floor asks for it, else the policy's."""
    if governing is None:
        return None
    policy = governing.policy
    by_floor = any(check in rule.checks and rule in policy.floor.rules for rule in governing.rules)
    said = policy.floor.options if by_floor else policy.options
    return next((each for each in said if each.check == check), None)


def bind_options(
    check: str, declared: Sequence[Option], written: CheckOptions | None
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The value of every option that a check declares, and each fault as `policy.yaml:12: …`."""
    faults: list[Fault] = []
    node = written.node if written else Marked(0, "map")
    file = written.file if written else "policy.yaml"
    values = _read(check, declared, node, faults)
    for option in declared:
        if option.default is None and node.get(option.name) is None:
            faults.append(Fault(node.line, f"check {check} needs its option {option.name}"))
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: fault.line)
    return values, tuple(
        f"{file}:{fault.line}: {fault.message}" if fault.line else f"{file}: {fault.message}" for fault in ordered
    )


def _read(check: str, declared: Sequence[Option], node: Marked, faults: list[Fault]) -> dict[str, OptionValue]:
    known = {option.name: option for option in declared}
    values = {option.name: option.default for option in declared if option.default is not None}
    for key, value in node.pairs:
        option = known.get(key.text) if key.tag == "str" else None
        if option is None:
            faults.append(Fault(key.line, _stranger(check, key, declared)))
        else:
            values[option.name] = _READERS[option.kind](option, value, f"checks: {check}: {option.name}", faults)
    return values


def _stranger(check: str, key: Marked, declared: Sequence[Option]) -> str:
    if fault := key_fault(key):
        return f"checks: {check}: {fault}"
    takes = f"it takes: {', '.join(option.name for option in declared)}" if declared else "it takes none"
    return f"check {check} has no option '{shown(key.text)}'; {takes}"


def _text(option: Option, node: Marked, what: str, faults: list[Fault]) -> str:
    text = read_text(node, what, faults, _TEXT, "text that says something")
    if text and option.choices and text not in option.choices:
        faults.append(Fault(node.line, f"{what}: '{shown(text)}' is not one of {', '.join(option.choices)}"))
    return text


def _number(option: Option, node: Marked, what: str, faults: list[Fault]) -> int:
    if not is_a("int", node, what, faults):
        return option.least
    if _WHOLE.fullmatch(node.text) and option.least <= int(node.text) <= option.most:
        return int(node.text)
    bounds = f"from {option.least} to {option.most}"
    faults.append(Fault(node.line, f"{what}: '{shown(node.text)}' is not a whole number {bounds}"))
    return option.least


def _truth(option: Option, node: Marked, what: str, faults: list[Fault]) -> bool:
    return is_a("bool", node, what, faults) and is_yes(node)


def _texts(option: Option, node: Marked, what: str, faults: list[Fault]) -> tuple[str, ...]:
    return tuple(_text(option, item, what, faults) for item in read_items(node, what, faults))


def _globs(option: Option, node: Marked, what: str, faults: list[Fault]) -> tuple[str, ...]:
    return tuple(read_glob(item, what, faults) for item in read_items(node, what, faults))


def _pairs(node: Marked, what: str, faults: list[Fault]) -> list[tuple[str, Marked]]:
    if not is_a("map", node, what, faults):
        return []
    faults += [Fault(key.line, f"{what}: {fault}") for key, _ in node.pairs if (fault := key_fault(key))]
    return [(key.text, value) for key, value in node.pairs if not key_fault(key)]


def _map(option: Option, node: Marked, what: str, faults: list[Fault]) -> dict[str, str]:
    return {name: _text(option, value, f"{what}: {shown(name)}", faults) for name, value in _pairs(node, what, faults)}


def _lists(option: Option, node: Marked, what: str, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    return {name: _texts(option, value, f"{what}: {shown(name)}", faults) for name, value in _pairs(node, what, faults)}


def _records(option: Option, node: Marked, what: str, faults: list[Fault]) -> tuple[dict[str, str], ...]:
    return tuple(_record(option, item, what, faults) for item in read_items(node, what, faults))


def _record(option: Option, node: Marked, what: str, faults: list[Fault]) -> dict[str, str]:
    names = [field.removesuffix("?") for field in option.fields]
    given = _pairs(node, what, faults)
    for name, value in given:
        if name not in names:
            faults.append(Fault(value.line, f"{what}: unknown '{shown(name)}'; allowed here: {', '.join(names)}"))
    missing = [name for name in option.fields if not name.endswith("?") and name not in dict(given)]
    if missing and node.tag == "map":
        faults.append(Fault(node.line, f"{what}: {', '.join(missing)} must be there"))
    return {name: _text(option, value, f"{what}: {name}", faults) for name, value in given if name in names}


_Reader = Callable[[Option, Marked, str, list[Fault]], OptionValue]
_READERS: Mapping[OptionKind, _Reader] = {
    OptionKind.TEXT: _text,
    OptionKind.NUMBER: _number,
    OptionKind.TRUTH: _truth,
    OptionKind.TEXTS: _texts,
    OptionKind.GLOBS: _globs,
    OptionKind.MAP: _map,
    OptionKind.LISTS: _lists,
    OptionKind.RECORDS: _records,
}
