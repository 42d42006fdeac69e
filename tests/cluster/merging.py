"""Server-side apply, as far as the tests need it: who owns which field, and what is in conflict.

Simpler than Kubernetes': lists are owned field by field where all their items have a name, and as a whole elsewhere.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
Owners = dict[str, dict[Path, Any]]
_OURS = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that another manager owns with another value."""

    manager: str
    path: Path


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of an object that somebody can own."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif _is_named(value):
        for item in value:
            yield from leaves(item, (*at, f"[name={item['name']}]"))
    else:
        yield at, value


def ownable(config: Mapping[str, Any]) -> dict[Path, Any]:
    """Everything but what says which object it is."""
    return {path: value for path, value in leaves(config) if path not in _OURS}


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and "name" in one for one in value)


def clashes(owners: Owners, live: dict[str, Any], wanted: Mapping[Path, Any], manager: str) -> list[Clash]:
    now = dict(leaves(live))
    return [
        Clash(other, path)
        for other, owned in sorted(owners.items())
        if other != manager
        for path, value in wanted.items()
        if path in owned and now.get(path) != value
    ]


def merge(owners: Owners, live: dict[str, Any], config: dict[str, Any], manager: str) -> tuple[Owners, dict[str, Any]]:
    """What is there after it; a field that nobody wants any more is gone."""
    wanted = ownable(config)
    gone = set(owners.get(manager, {})) - set(wanted)
    owners = {name: dict(owned) for name, owned in owners.items()}
    now = dict(leaves(live))
    for path, value in wanted.items():
        for other, owned in owners.items():
            if other != manager and path in owned and now.get(path) != value:
                del owned[path]
    owners[manager] = wanted
    live = copy.deepcopy(live) or {"apiVersion": config["apiVersion"], "kind": config["kind"]}
    for path in gone - {path for owned in owners.values() for path in owned}:
        _drop(live, path)
    for path, value in wanted.items():
        put(live, path, value)
    return owners, live


def put(live: Any, path: Path, value: Any) -> None:
    """Set one field, with all that it stands in."""
    for key, then in zip(path, (*path[1:], ""), strict=True):
        if key.startswith("[name="):
            name = key[6:-1]
            found = next((item for item in live if item["name"] == name), None)
            if found is None:
                found = {"name": name}
                live.append(found)
            live = found
        elif not then:
            live[key] = copy.deepcopy(value)
        else:
            live = live.setdefault(key, [] if then.startswith("[name=") else {})


def _drop(live: Any, path: Path) -> None:
    for key in path[:-1]:
        if key.startswith("[name="):
            live = next((item for item in live if item["name"] == key[6:-1]), None)
        else:
            live = live.get(key)
        if live is None:
            return
    live.pop(path[-1], None)
