"""Texts of HCL as they are meant: escapes, `$${` and `%%{`, and the indentation of `<<-`."""

import re

_PIECE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))|([$%])\4\{", re.DOTALL)
_SHORT = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class BadText(Exception):
    """A text that HCL would not take."""


def read_literal(raw: str, *, escapes: bool) -> str:
    """A literal part of a text; heredocs have no escapes. Errors: BadText."""
    if escapes and "\n" in raw:
        raise BadText("a text in quotes ends on its line; use <<EOT for several")
    if not escapes:
        return raw.replace("$${", "${").replace("%%{", "%{")
    return _PIECE.sub(_meant, raw)


def _meant(found: re.Match[str]) -> str:
    four, eight, short, sign = found.groups()
    if sign:
        return f"{sign}{{"
    if four or eight:
        number = int(four or eight, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise BadText(f"{found.group()} is no character")
        return chr(number)
    if short not in _SHORT:
        raise BadText(f"{found.group()} is no escape of HCL")
    return _SHORT[short]


def indented(text: str) -> str:
    """Without the indentation that all its lines have; empty lines do not count."""
    lines = text.split("\n")
    widths = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip(" \t")]
    least = min(widths, default=0)
    return "\n".join(line[least:] if line.strip(" \t") else line.lstrip(" \t") for line in lines)
