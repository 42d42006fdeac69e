"""`hosts:` of a play held against an inventory: the hosts that it can mean, or None for all of them."""

import re
from fnmatch import fnmatchcase

from gitops_hooks.core.inventory import Inventory

_PLAIN = re.compile(r"[!&]?[A-Za-z0-9_][A-Za-z0-9_.-]*|[!&]?[A-Za-z0-9_.*?-]+")
_HERE = frozenset({"localhost", "127.0.0.1", "localhost.localdomain", "localhost4", "localhost6"})


def pattern_hosts(pattern: str, inventory: Inventory) -> frozenset[str] | None:
    """Never fewer than Ansible takes: what it cuts out (`!db`, `&north`) is cut only where that is surely known."""
    # With commas in it Ansible takes a colon for a part of a name.
    parts = [part.strip() for part in pattern.split("," if "," in pattern else ":") if part.strip()]
    if not parts or not all(_PLAIN.fullmatch(part) for part in parts) or _HERE & {part.lower() for part in parts}:
        return None
    wanted = [part for part in parts if part[0] not in "!&"]
    found = frozenset(inventory.hosts) if not wanted else frozenset[str]()
    for part in wanted:
        found |= _matched(part, inventory)
    for part in parts:
        # `ungrouped` is known only as "some of all", which is no ground to leave anybody out.
        if part[0] == "&" and part[1:] != "ungrouped":
            found &= _matched(part[1:], inventory)
        elif part[0] == "!" and part[1:] != "ungrouped" and not set(part) & set("*?"):
            found -= _group_or_host(part[1:], inventory)
    return found


def _group_or_host(name: str, inventory: Inventory) -> frozenset[str]:
    """A host that bears the name of a group is not meant by it."""
    members = inventory.members((name,))
    return (inventory.hosts & {name}) if members is None else members


def _matched(part: str, inventory: Inventory) -> frozenset[str]:
    names = [*inventory.own, "all", "ungrouped"]
    groups = [name for name in names if _is(name, part)]
    return frozenset(name for name in inventory.hosts if _is(name, part)) | (inventory.members(groups) or frozenset())


def _is(name: str, part: str) -> bool:
    return fnmatchcase(name, part) if set(part) & set("*?") else name == part
