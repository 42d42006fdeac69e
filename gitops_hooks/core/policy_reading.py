"""What the policy's parts share: names held against the server's people, plugins, and paths."""

import re
from collections.abc import Collection, Mapping

from gitops_hooks.core.globs import path_fault
from gitops_hooks.core.policy_nodes import read_items, read_text
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.options import Declared
from gitops_hooks.model.policy import Names

PERSON = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_SOMEBODY = re.compile(r"\*|@?[a-z][a-z0-9._-]{0,31}")
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}")
PLUGIN = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_PATH = re.compile(r"(?!-)[^\x00-\x1f\x7f-\x9f\u2028\u2029\\]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What names are held against while one text is read, and the faults found so far."""

    file: str
    faults: list[Fault]
    known: frozenset[str] | None
    deployers: Mapping[str, bool] | None
    checks: Declared | None
    groups: dict[str, tuple[str, ...]]

    def complain(self, node: Marked, message: str) -> None:
        self.faults.append(Fault(node.line, message))

    def place(self, node: Marked) -> str:
        return f"{self.file}:{node.line}"

    def people(self, names: Names) -> frozenset[str] | None:
        """Everybody in a list; None where that is everybody and the server's people are not given."""
        if "*" in names.items:
            return self.known
        lists = [self.groups.get(item[1:], ()) if item.startswith("@") else (item,) for item in names.items]
        found = frozenset(name for members in lists for name in members)
        return found if self.known is None else found & self.known


def check_person(node: Marked, name: str, reading: Reading) -> str:
    """The same name; says so where the server knows nobody by it."""
    if name and reading.known is not None and name not in reading.known:
        reading.complain(node, f"the server knows nobody by the name {name}")
    return name


def read_names(node: Marked | None, what: str, reading: Reading) -> Names:
    """An allow-list; an absent right is nobody."""
    items = read_items(node, what, reading.faults)
    return Names(tuple(_read_somebody(item, what, reading) for item in items))


def _read_somebody(node: Marked, what: str, reading: Reading) -> str:
    item = read_text(node, what, reading.faults, _SOMEBODY, "a name, @group or *")
    if not item.startswith("@"):
        return item if item == "*" else check_person(node, item, reading)
    if item[1:] not in reading.groups:
        groups = f"; groups: {', '.join(reading.groups)}" if reading.groups else ""
        reading.complain(node, f"{what}: there is no group {item}{groups}")
    return item


def read_plugin(node: Marked, what: str, loaded: Collection[str] | None, reading: Reading) -> str:
    """The name of a check or deployer."""
    name = read_text(node, what, reading.faults, PLUGIN, f"the name of a {what}")
    return check_plugin(node, name, what, loaded, reading)


def check_plugin(node: Marked, name: str, what: str, loaded: Collection[str] | None, reading: Reading) -> str:
    """The same name; says so where this server has no such plugin."""
    if name and loaded is not None and name not in loaded:
        there = ", ".join(sorted(loaded)) or "none"
        reading.complain(node, f"there is no {what} {name} on this server; there are: {there}")
    return name


def read_path(node: Marked | None, what: str, reading: Reading) -> str:
    """A path in the repository; an empty string where there is none or a fault."""
    path = read_text(node, what, reading.faults, _PATH, "a path") if node is not None else ""
    if node is not None and path and (fault := path_fault(path)):
        reading.complain(node, f"{what}: '{shown(path)}' {fault}")
    return path
