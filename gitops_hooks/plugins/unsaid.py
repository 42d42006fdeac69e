"""Two texts or values held against each other, and told without what looks like a secret."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_hooks.plugin import WITHHELD
from gitops_hooks.plugins.secrets_shapes import shapes_in
from gitops_hooks.plugins.secrets_values import is_about_randomness, is_literal_secret, is_random, is_secret_name

_ASSIGNMENT = re.compile(r"""(?<![\w.-])["']?([\w.-]{1,100})["']?\s{0,20}[=:]\s{0,20}("[^"]*"|'[^']*'|\S+)""")
_VALUE = 120
_LINES = 40
_DEEPEST = 40
_UNSET = "not set"

Plain = Any  # str | int | float | bool | None | list[Plain] | dict[str, Plain]


def is_unsaid(name: str, value: object) -> bool:
    """Whether a value must not be told: by its name, by its shape, or since it looks drawn by chance."""
    if is_secret_name(name) and not isinstance(value, dict | list | bool | None):
        return True
    if not isinstance(value, str):
        return False
    if isinstance(value, Sealed):
        return True
    drawn = is_random(value) and not is_about_randomness(name)
    return drawn or any(shapes_in(value.encode("utf-8", "replace")))


def value_differences(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each place below a name where two mappings differ, and how: `nginx.port`, `80 → 81`."""
    for key in sorted({*old, *new}):
        here = f"{name}.{key}" if name else key
        before, after = old.get(key, _Unset), new.get(key, _Unset)
        if before == after and type(before) is type(after):
            continue
        if isinstance(before, dict) and isinstance(after, dict) and here.count(".") < _DEEPEST:
            yield from value_differences(here, before, after)
        else:
            told = (_told(here, before), _told(here, after))
            yield here, WITHHELD if told == (WITHHELD, WITHHELD) else " → ".join(told)


class Sealed(str):
    """An encrypted value: two are the same where the same was sealed in the same way."""

    __slots__ = ()


class _Unset:
    """What is not there at all."""


def _told(path: str, value: object) -> str:
    if value is _Unset:
        return _UNSET
    masked = masked_value(value, path.rpartition(".")[2], is_secret_name(path.partition(".")[0]))
    plain = isinstance(masked, str) and masked.isprintable() and masked
    text = str(masked) if plain else json.dumps(masked, ensure_ascii=False, default=str)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def masked_value(value: Plain, name: str = "", secret: bool = False) -> Plain:
    """The same value without secrets; `secret` says that all of it is one."""
    if isinstance(value, dict):
        secret = secret or is_secret_name(name)
        named = value.get("name")
        return {
            # As containers have it: the name of a variable stands beside its value.
            key: masked_value(each, str(key), secret or (key == "value" and is_secret_name(str(named))))
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [masked_value(each, name, secret) for each in value]
    if secret and not isinstance(value, bool | None):
        return WITHHELD
    return WITHHELD if is_unsaid(name, value) else value


def masked_lines(text: str) -> list[str]:
    """The lines of a text; of those that hold a secret nothing is told."""
    lines = text.splitlines()
    hidden = {at for first, last, _ in shapes_in(text.encode("utf-8", "replace")) for at in range(first, last + 1)}
    return [
        WITHHELD if number in hidden or any(map(_holds_secret, _ASSIGNMENT.finditer(line))) else line
        for number, line in enumerate(lines, 1)
    ]


def _holds_secret(match: "re.Match[str]") -> bool:
    name, value = match[1], match[2].strip("\"',;")
    return (is_secret_name(name) and is_literal_secret(value)) or is_unsaid("", value)


def text_difference(old: str, new: str) -> str:
    """How one text became another, as a unified difference without its head; empty where they are the same."""
    return "" if old == new else lines_difference(masked_lines(old), masked_lines(new))


def lines_difference(old: Sequence[str], new: Sequence[str]) -> str:
    """The same of lines of which nothing is secret any more; where these are the same, that was what differs."""
    told = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    more = [f"… {len(told) - _LINES} more lines"] if len(told) > _LINES + 1 else []
    return "\n".join([*told[: _LINES if more else None], *more]) or WITHHELD
