"""The policy's `manual`, `paused`, `after`, `soak`, `windows`, `freeze` and `manual_sync` → an environment's gates."""

from collections.abc import Iterable, Mapping, Sequence

from gitops_hooks.core.policy_bounds import read_freeze, read_reason
from gitops_hooks.core.policy_nodes import is_a, read_items, read_text, read_truth
from gitops_hooks.core.policy_reading import ENVIRONMENT, Reading
from gitops_hooks.core.policy_times import read_seconds
from gitops_hooks.core.receive import shown
from gitops_hooks.core.windows import parse_windows
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.bounds import Window
from gitops_hooks.model.gates import Gates
from gitops_hooks.model.lazy_dataclass import dataclass

KEYS = ("manual", "paused", "after", "soak", "windows", "freeze", "manual_sync")
LONGEST_SOAK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Waiting:
    """One environment, and the others that it waits for, with the nodes that say so."""

    name: str
    after: tuple[str, ...]
    nodes: tuple[Marked, ...]


def read_gates(fields: Mapping[str, Marked], reading: Reading) -> Gates:
    """The gates that these keys are; an absent key is none."""
    windows = _read_windows(fields.get("windows"), reading)
    gates = Gates(
        manual=read_truth(fields.get("manual"), "manual", reading.faults),
        paused=read_reason(fields.get("paused"), "paused", reading),
        after=tuple(read_environment(item, "after", reading) for item in after_nodes(fields.get("after"), reading)),
        soak=read_seconds(fields["soak"], "soak", LONGEST_SOAK_DAYS, reading) if "soak" in fields else 0,
        windows=windows,
        freeze=read_freeze(fields.get("freeze"), reading),
        manual_sync=read_truth(fields.get("manual_sync"), "manual_sync", reading.faults),
    )
    _check_company(fields, reading)
    return gates


def after_nodes(node: Marked | None, reading: Reading) -> tuple[Marked, ...]:
    """One name, or a list of them."""
    if node is not None and node.tag == "str":
        return (node,)
    if node is not None and node.tag == "seq" and not node.items:
        reading.complain(node, "after: [] waits for nothing; take it out")
    return read_items(node, "after", reading.faults)


def read_environment(node: Marked, what: str, reading: Reading) -> str:
    """The name of an environment; whether there is one is asked when all of them are read."""
    return read_text(node, what, reading.faults, ENVIRONMENT, "the name of an environment")


def read_deployed(rule: Mapping[str, Marked], reading: Reading) -> tuple[Marked, ...]:
    """The items of a branch rule's `deployed`."""
    node = rule.get("deployed")
    if node is not None and node.tag == "seq" and not node.items:
        reading.complain(node, "deployed: [] asks for nothing; take it out")
    return read_items(node, "deployed", reading.faults)


def check_deployed(rules: Iterable[Marked], known: Sequence[str], reading: Reading) -> None:
    """Every name in a rule's `deployed` is one of the policy's environments."""
    for rule in rules:
        node = next((value for key, value in rule.pairs if key.text == "deployed"), None)
        for item in node.items if node and node.tag == "seq" else ():
            if ENVIRONMENT.fullmatch(item.text) and item.text not in known:
                there = ", ".join(known) or "none"
                reading.complain(item, f"deployed: there is no environment {item.text}; there are: {there}")


def _check_company(fields: Mapping[str, Marked], reading: Reading) -> None:
    if "soak" in fields and "after" not in fields:
        reading.complain(fields["soak"], "soak: needs after: it says how long those environments must be Healthy")
    if "manual_sync" in fields and not {"windows", "freeze"} & set(fields):
        reading.complain(fields["manual_sync"], "manual_sync: needs windows or freeze, which it lets env deploy pass")


def _read_windows(node: Marked | None, reading: Reading) -> tuple[Window, ...]:
    if node is not None and node.tag == "seq" and not node.items:
        reading.complain(node, "windows: [] never opens; take it out, or write manual: true or paused: true")
    return tuple(
        window for item in read_items(node, "windows", reading.faults) for window in _read_window(item, reading)
    )


def _read_window(node: Marked, reading: Reading) -> tuple[Window, ...]:
    if not is_a("str", node, "windows", reading.faults):
        return ()
    found = parse_windows(node.text, reading.place(node))
    if isinstance(found, str):
        reading.complain(node, f"windows: '{shown(node.text)}' {found}")
        return ()
    return found


def check_order(waiting: Sequence[Waiting], reading: Reading) -> None:
    """Every name in `after` is one of the policy's environments, and none of them waits for itself in the end."""
    known = {one.name: one for one in waiting if one.name}
    for one in waiting:
        for name, node in zip(one.after, one.nodes, strict=True):
            if name and name not in known:
                there = ", ".join(known) or "none"
                reading.complain(node, f"after: there is no environment {name}; there are: {there}")
            elif way := _way(name, one.name, known):
                circle = " → ".join((one.name, *way))
                reading.complain(node, f"after: {circle}: an environment cannot wait for itself")


def _way(start: str, end: str, known: Mapping[str, Waiting]) -> tuple[str, ...]:
    """The names from one environment along `after` to another; none where there is no way."""
    waiting: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while waiting:
        way = waiting.pop(0)
        if way[-1] == end:
            return way
        for name in known[way[-1]].after if way[-1] in known else ():
            if name not in seen:
                seen.add(name)
                waiting.append((*way, name))
    return ()
