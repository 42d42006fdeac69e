"""One YAML or JSON file → what it says of the network, each with the host or the entry that it belongs to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitops_hooks.plugin import Marked
from gitops_hooks.plugins.network_words import Said, looks_numeric

_NAMES = ("name", "hostname", "host", "device")
_MASKS = ("netmask", "mask")


@dataclass(frozen=True, slots=True)
class Keys:
    """Which key is of which kind, and which name a list or mapping that defines."""

    kinds: Mapping[str, str]
    plans: frozenset[str]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Keys":
        """A key that stands in two options is of the last."""
        kinds: dict[str, str] = {}
        for option in ("addresses", "subnets", "vlans", "next_hops"):
            kinds |= dict.fromkeys(options[option], _KINDS[option])
        return cls(kinds, frozenset(options["plans"]))

    def kind(self, key: str, text: str) -> str:
        """The kind of a value, or "" where it is none; whether it is well-formed is judged later."""
        kind = self.kinds.get(key, "")
        if kind == "vlan":
            return kind if text.isascii() and text.isdigit() else ""
        return kind if kind and looks_numeric(text) and (kind != "subnet" or "/" in text) else ""


_KINDS = {"addresses": "address", "subnets": "subnet", "vlans": "vlan", "next_hops": "next hop"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands: whose it is, whether that is a host's or an entry's own name, and in which plan."""

    path: str
    owner: str
    sure: bool
    scope: str = ""
    plan: str = ""
    within: tuple[str, ...] = ()


def said_in(path: str, documents: Iterable[Marked], keys: Keys) -> Iterator[Said]:
    """Each node is read once, however many aliases stand for it."""
    seen = set[int]()
    for document in documents:
        yield from _walk(document, _beginning(path), keys, seen)


def _beginning(path: str) -> _Place:
    """In host_vars/NAME.yml and host_vars/NAME/… all is that host's."""
    parts = path.split("/")
    if "host_vars" in parts[:-1]:
        name = parts[parts.index("host_vars") + 1]
        for suffix in (".yml", ".yaml", ".json"):
            name = name.removesuffix(suffix)
        return _Place(path, name, sure=True)
    return _Place(path, path, sure=False)


def _walk(node: Marked, place: _Place, keys: Keys, seen: set[int]) -> Iterator[Said]:
    if id(node) in seen:
        return
    seen.add(id(node))
    for item in node.items:
        if item.pairs or item.items:
            yield from _walk(item, place, keys, seen)
        elif place.plan and "/" in item.text and looks_numeric(item.text):
            yield Said("subnet", item.text, item.text, place.path, item.line, True, place.scope, place.within)
    if node.pairs:
        yield from _mapping(node, place, keys, seen)


def _mapping(node: Marked, place: _Place, keys: Keys, seen: set[int]) -> Iterator[Said]:
    here = _named(node, place)
    mask = next((found.text for key in _MASKS if (found := node.get(key))), "")
    route = any("hop" in key and keys.kinds.get(key) == "next hop" for key in _spoken(node))
    for key, value in node.pairs:
        name = "vlan" if _numbers_vlan(key.text, place.plan, keys) else key.text
        for item in _scalars(value):
            if kind := keys.kind(name, item.text):
                kind = "route" if kind == "subnet" and route else kind
                said = Said(kind, item.text, here.owner, here.path, item.line, False, here.scope, here.within, mask)
                yield replace(said, claims=_claims(said, here))
                here = replace(here, within=(*here.within, item.text)) if kind == "subnet" else here
    for key, value in node.pairs:
        if value.pairs or value.items:
            yield from _child(key, value, here, keys, seen)


def _spoken(node: Marked) -> tuple[str, ...]:
    return tuple(key.text for key, _ in node.pairs)


def _scalars(value: Marked) -> tuple[Marked, ...]:
    """The value itself, or those in its list that hold nothing else."""
    items = value.items or ((value,) if not value.pairs else ())
    return tuple(item for item in items if not item.pairs and not item.items)


def _named(node: Marked, place: _Place) -> _Place:
    """An entry of a plan has a name of its own; elsewhere the outermost name stands, which is the device's."""
    scope = found.text if (found := node.get("vrf")) and found.text else place.scope
    name = next((found.text for key in _NAMES if (found := node.get(key)) and found.text), "")
    if name and (place.plan or not place.sure):
        return replace(place, owner=name, sure=True, scope=scope)
    return replace(place, scope=scope)


def _numbers_vlan(key: str, plan: str, keys: Keys) -> bool:
    return key == "id" and "vlan" in plan and "vlan" in keys.kinds


def _claims(said: Said, here: _Place) -> bool:
    """Variables of a group are told to many hosts; they mention what somebody else has."""
    if said.kind == "address":
        return here.sure and "group_vars" not in here.path.split("/")
    if said.kind == "vlan":
        return "vlan" in here.plan and here.owner != here.path
    return said.kind == "subnet" and bool(here.plan)


def _child(key: Marked, value: Marked, here: _Place, keys: Keys, seen: set[int]) -> Iterator[Said]:
    if key.text in keys.plans:
        inside = replace(here, plan=key.text)
        if value.items:
            yield from _walk(value, inside, keys, seen)
        for name, entry in value.pairs:
            own = replace(inside, owner=name.text, sure=True)
            if "vlan" in key.text and name.tag == "int" and keys.kind("vlan", name.text):
                known = _named(entry, own).owner
                yield Said("vlan", name.text, known, here.path, name.line, known != name.text, here.scope)
            yield from _walk(entry, own, keys, seen)
    elif key.text == "hosts" and value.pairs:
        for name, entry in value.pairs:
            if looks_numeric(name.text):
                yield Said("address", name.text, name.text, here.path, name.line)
            yield from _walk(entry, replace(here, owner=name.text, sure=True, plan=""), keys, seen)
    elif value.items:
        # A list in an entry (pools, helpers) defines nothing by itself.
        yield from _walk(value, replace(here, plan=""), keys, seen)
    elif here.sure:
        yield from _walk(value, here, keys, seen)
    else:
        yield from _walk(value, replace(here, owner=key.text), keys, seen)
