"""What a hook asks of the warm judge, read strictly."""

import re

from gitops_hooks.core import warm_words as words
from gitops_hooks.model.lazy_dataclass import dataclass

_NONCE = re.compile(rb"[0-9a-f]{32}")
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_SECONDS = re.compile(rb"[0-9]{1,6}\.[0-9]{3}")
_NUMBER = re.compile(rb"[0-9]{1,3}")
_FIRST = 3
_FIXED = 6


@dataclass(frozen=True, slots=True)
class Request:
    """One hook of one push: `seconds` are left to it, `descriptors` are the numbers it inherited besides the three."""

    nonce: bytes
    name: bytes
    identity: bytes
    seconds: float
    descriptors: tuple[int, ...]
    environ: tuple[tuple[bytes, bytes], ...]


def parse_request(heard: bytes) -> Request | None:
    """None for anything that no hook of this release says."""
    fields = words.fields_of(heard)
    if len(fields) < _FIXED:
        return None
    version, nonce, name, identity, seconds, numbers = fields[:_FIXED]
    environ = tuple(_pair(field) for field in fields[_FIXED:])
    descriptors = _descriptors(numbers)
    is_good = (
        version == words.VERSION
        and _NONCE.fullmatch(nonce)
        and name in (*words.HOOKS, words.LOGIN, words.STATUS)
        and _DIGEST.fullmatch(identity)
        and _SECONDS.fullmatch(seconds)
        and all(key for key, _ in environ)
    )
    if not is_good or descriptors is None:
        return None
    return Request(nonce, name, identity, float(seconds), descriptors, environ)


def _pair(field: bytes) -> tuple[bytes, bytes]:
    name, sign, value = field.partition(b"=")
    return (name, value) if sign else (b"", b"")


def _descriptors(numbers: bytes) -> tuple[int, ...] | None:
    each = numbers.split(b",") if numbers else []
    if not all(_NUMBER.fullmatch(number) for number in each) or len(each) > words.MOST_DESCRIPTORS:
        return None
    found = tuple(int(number) for number in each)
    if len(set(found)) != len(found) or any(not _FIRST <= number < words.FIRST_OWN for number in found):
        return None
    return found
