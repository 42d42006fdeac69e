"""What files say of a network, held against each other; told is what the change touches or causes."""

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_hooks.plugin import Change, EdgeError, Finding, Tree, matches_any
from gitops_hooks.plugins.network_files import Unread, read_network
from gitops_hooks.plugins.network_words import Address, Prefix, Said, has_host_bits, read_address, read_subnet

_VLANS = range(1, 4095)


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding, every file that has a part in it, and what it is whatever the lines."""

    path: str
    line: int
    message: str
    files: frozenset[str]
    key: str


def judge_network(change: Change, tree: Tree, target: Tree, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Errors: EdgeError for options that say nothing, and where there is more than is read."""
    changed = {file.path for file in change.files if concerns(file.path, options["paths"])}
    if not changed:
        return
    apart = [_prefix_option(text, name) for name in ("shared", "known") for text in options[name]]
    shared, known = apart[: len(options["shared"])], apart[len(options["shared"]) :]
    faults = _faults(*read_network(tree, options), shared, known, options["vlan_scope"])
    elsewhere = any(not fault.files & changed for fault in faults)
    # Lines move and do not count; a file that stands untouched between two others may be at fault only now.
    old = _faults(*read_network(target, options), shared, known, options["vlan_scope"]) if elsewhere else []
    before = {(fault.path, fault.key) for fault in old}
    for fault in faults:
        if fault.files & changed or (fault.path, fault.key) not in before:
            yield Finding(fault.path, fault.line, fault.message)


def concerns(path: str, globs: Iterable[str]) -> bool:
    """A path that is not UTF-8 can be matched by no pattern, and therefore meets every one."""
    return any("\ud800" <= char <= "\udfff" for char in path) or matches_any(globs, path)


def _prefix_option(text: str, option: str) -> Prefix:
    found = read_subnet(text)
    if isinstance(found, str):
        raise EdgeError(option, f"'{text[:60]}' is neither an address nor a prefix")
    return found


def _faults(
    said: list[Said], unread: list[Unread], shared: list[Prefix], known: list[Prefix], vlans: str
) -> list[Fault]:
    found = [_unread(each) for each in unread]
    good: list[tuple[Said, Address | Prefix | int]] = []
    for each in said:
        value = _value(each)
        if isinstance(value, str):
            found.append(_fault(each, f"{each.kind} {each.text} is none: {value}"))
        else:
            good.append((each, value))
    found += _duplicates([each for each, _ in good if each.kind == "address" and each.claims], shared)
    found += _overlaps([each for each, _ in good if each.kind == "subnet" and each.claims], shared)
    found += _lost([each for each, _ in good if each.kind == "next hop"], [*_nets(each for each, _ in good), *known])
    found += _renamed([each for each, _ in good if each.kind == "vlan" and each.claims], vlans)
    return sorted(found, key=lambda fault: (fault.path, fault.line, fault.message))


def _unread(each: Unread) -> Fault:
    message = f"{each.reason}; what is not read cannot be judged"
    return Fault(each.path, each.line, message, frozenset({each.path}), message)


def _fault(said: Said, message: str, other: Said | None = None) -> Fault:
    """`message` has `{}` where the other's place stands."""
    places = {said.path, other.path} if other else {said.path}
    told = message.replace("{}", other.place) if other else message
    return Fault(said.path, said.line, told, frozenset(places), message)


def _value(said: Said) -> Address | Prefix | int | str:
    """What it means; in words, why it means nothing."""
    if said.kind == "vlan":
        number = int(said.text[:9])
        return number if number in _VLANS else "a VLAN is 1 to 4094"
    if said.kind not in ("subnet", "route"):
        return read_address(said.text)
    prefix = read_subnet(said.text)
    if not isinstance(prefix, str) and has_host_bits(said.text, prefix):
        return f"it has host bits; the prefix is {prefix}"
    return prefix


def _duplicates(said: list[Said], shared: list[Prefix]) -> Iterator[Fault]:
    owners: dict[tuple[str, Address], dict[str, Said]] = {}
    for each in said:
        address = read_address(each.text)
        if not isinstance(address, str) and not _is_nobodys(address) and not _inside(address, shared):
            owners.setdefault((each.scope, address), {}).setdefault(each.owner, each)
    for (_, address), having in owners.items():
        first, *others = having.values()
        for other in others:
            yield _fault(other, f"address {address} of {other.owner} is {first.owner}'s too ({{}})", first)


def _is_nobodys(address: Address) -> bool:
    return address.is_unspecified or address.is_loopback or address.is_multicast


def _inside(address: Address, prefixes: Iterable[Prefix]) -> bool:
    return any(address in prefix for prefix in prefixes)


def _overlaps(said: list[Said], shared: list[Prefix]) -> Iterator[Fault]:
    """In order of their beginnings a prefix overlaps only those that are open when it begins."""
    known = [
        (each, prefix) for each in said if not isinstance(prefix := read_subnet(each.text), str) and prefix.prefixlen
    ]
    known.sort(key=lambda pair: (pair[0].scope, pair[1].version, int(pair[1].network_address), pair[1].prefixlen))
    opened: list[tuple[Said, Prefix]] = []
    for each, prefix in known:
        while opened and (opened[-1][0].scope != each.scope or prefix.network_address not in opened[-1][1]):
            opened.pop()
        if opened and not _inside(prefix.network_address, shared):
            outer, around = opened[-1]
            same = around == prefix and outer.owner == each.owner
            if not same and outer.text not in each.within:
                yield _fault(each, f"subnet {prefix} of {each.owner} overlaps {around} of {outer.owner} ({{}})", outer)
        opened.append((each, prefix))


def _nets(said: Iterable[Said]) -> Iterator[Prefix]:
    """Subnets that files mention or define, and those that interfaces stand in."""
    for each in said:
        text = (
            f"{each.text}/{each.mask}" if each.kind == "address" and each.mask and "/" not in each.text else each.text
        )
        if each.kind in ("address", "subnet") and "/" in text:
            prefix = read_subnet(text)
            if not isinstance(prefix, str) and prefix.prefixlen:
                yield prefix


def _lost(said: list[Said], nets: Iterable[Prefix]) -> Iterator[Fault]:
    """Where no subnet of that version is known there is nothing to hold a next hop against."""
    known = sorted(set(nets), key=lambda net: (net.version, int(net.network_address), net.prefixlen))
    merged = {version: _merged(net for net in known if net.version == version) for version in (4, 6)}
    for each in said:
        address = read_address(each.text)
        if isinstance(address, str) or address.is_link_local or address.is_unspecified or not merged[address.version]:
            continue
        ranges = merged[address.version]
        at = bisect.bisect_right(ranges, (int(address), 2**128)) - 1
        if at < 0 or ranges[at][1] < int(address):
            yield _fault(
                each, f"next hop {address} is in no subnet that is known; is it mistyped, or its subnet missing?"
            )


def _merged(nets: Iterable[Prefix]) -> list[tuple[int, int]]:
    """First and last addresses of what the prefixes cover, in order and apart."""
    found: list[tuple[int, int]] = []
    for net in nets:
        first, last = int(net.network_address), int(net.broadcast_address)
        if not found or found[-1][1] < first:
            found.append((first, last))
    return found


def _renamed(said: list[Said], scope: str) -> Iterator[Fault]:
    """One VLAN under two names, within what shares its VLANs."""
    names: dict[tuple[str, str, int], dict[str, Said]] = {}
    for each in said:
        where = {"file": each.path, "folder": each.path.rpartition("/")[0], "all": ""}[scope]
        names.setdefault((where, each.scope, int(each.text)), {}).setdefault(each.owner, each)
    for (_, _, number), having in names.items():
        first, *others = having.values()
        for other in others:
            yield _fault(other, f"VLAN {number} is {other.owner} here and {first.owner} elsewhere ({{}})", first)
