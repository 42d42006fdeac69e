"""Single values of YAML as they are meant: numbers, truths and nothing by the rules that PyYAML and Go's YAML share."""

import math
import re

from gitops_hooks.plugin import Marked

_DIGITS = 400
_YES = ("yes", "true", "on")
_SIXTY = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


class BadScalar(Exception):
    """A value that cannot be taken as what it looks like."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def plain_scalar(node: Marked) -> str | int | float | bool | None:
    """The value of one scalar; dates and what has a tag of its own stay text. Errors: BadScalar."""
    try:
        match node.tag:
            case "null":
                return None
            case "bool":
                return node.text.lower() in _YES
            case "int":
                return _whole(node.text.replace("_", ""))
            case "float":
                return _real(node.text.replace("_", "").lower())
    except ValueError:
        raise BadScalar(node.line, f"'{node.text[:40]}' is no number; quote it") from None
    return node.text


def _whole(text: str) -> int:
    """As YAML 1.1 counts: 0b…, 0x…, 0… in eights and 1:30 in sixties."""
    if len(text) > _DIGITS:
        raise ValueError(text)
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if ":" in digits:
        return sign * int(_sixties(digits))
    if digits.startswith("0") and digits != "0" and digits[1:2] not in "xbo":
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _real(text: str) -> float:
    sign, digits = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if digits in (".inf", ".nan"):
        raise ValueError(text)
    value = sign * (_sixties(digits) if _SIXTY.fullmatch(digits) else float(digits))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _sixties(digits: str) -> float:
    value = 0.0
    for part in digits.split(":"):
        value = value * 60 + float(part)
    return value
