"""What rules in CEL can ask beside the language: addresses, prefixes and versions, by the names that Kubernetes uses.

An address, a prefix, a version is a text in its shortest form, so `ip(a) == ip(b)` compares meanings. Whatever is
not well-formed raises: the rule is then not answered, which refuses.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

_SEMVER = re.compile(
    r"(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})"
    r"(?:-((?:0|[1-9]\d{0,17}|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d{0,17}|\d*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_LONGEST = 256

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadCall(Exception):
    """What was given to a function that cannot take it."""


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise BadCall(f"{str(value)[:60]!r} is no {what}")
    return value


def _address(value: object) -> _Address:
    text = _text(value, "address")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise BadCall(f"{text[:60]!r} is no address") from None
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found.ipv4_mapped):
        raise BadCall(f"{text[:60]!r} has a zone or is an IPv4 address in disguise")
    return found


def _prefix(value: object) -> _Prefix:
    """Host bits may be set, as in the address of an interface."""
    text = _text(value, "prefix")
    try:
        if not re.fullmatch(r".+/\d{1,3}", text):
            raise ValueError(text)
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadCall(f"{text[:60]!r} is no prefix") from None


def _is(read: Callable[[object], object]) -> Callable[[object], bool]:
    def test(value: object) -> bool:
        try:
            read(value)
        except BadCall:
            return False
        return True

    return test


def _cidr(value: object) -> str:
    length = _prefix(value).prefixlen
    return f"{_address(str(value).partition('/')[0])}/{length}"


def _family(value: object) -> int:
    return _prefix(value).version if "/" in _text(value, "address") else _address(value).version


def _contains_address(outer: object, inner: object) -> bool:
    return _address(inner) in _prefix(outer)


def _contains_prefix(outer: object, inner: object) -> bool:
    large, small = _prefix(outer), _prefix(inner)
    # Of one version, which mypy cannot see.
    return large.version == small.version and small.subnet_of(large)  # type: ignore[arg-type]


def _overlaps(one: object, other: object) -> bool:
    return _prefix(one).overlaps(_prefix(other))


_Version = tuple[int, int, int, tuple[tuple[int, int, str], ...]]


def _version(value: object) -> _Version:
    """In the order of semver.org: a number is before a word, a pre-release before its release, builds do not count."""
    text = _text(value, "semantic version")
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise BadCall(f"{text[:60]!r} is no semantic version")
    major, minor, patch, before, _ = found.groups()
    parts = (
        tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".")) if before else ()
    )
    return int(major), int(minor), int(patch), parts or ((2, 0, ""),)


def _semver(value: object) -> str:
    _version(value)
    return str(value)


def _compared(one: object, other: object) -> int:
    left, right = _version(one), _version(other)
    return (left > right) - (left < right)


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "isIP": _is(_address),
    "ip": lambda value: str(_address(value)),
    "isCIDR": _is(_prefix),
    "cidr": _cidr,
    "family": _family,
    "masked": lambda value: str(_prefix(value)),
    "prefixLength": lambda value: _prefix(value).prefixlen,
    "containsIP": _contains_address,
    "containsCIDR": _contains_prefix,
    "overlaps": _overlaps,
    "isLoopback": lambda value: _address(value).is_loopback,
    "isSemver": _is(_version),
    "semver": _semver,
    "major": lambda value: _version(value)[0],
    "minor": lambda value: _version(value)[1],
    "patch": lambda value: _version(value)[2],
    "compareTo": _compared,
    "isLessThan": lambda one, other: _compared(one, other) < 0,
    "isGreaterThan": lambda one, other: _compared(one, other) > 0,
}
