"""The text of an option: decoded, and held against what it may be."""

import base64
import unicodedata

from gitops_hooks.core.options import Option

_BASE64 = "{base64}"
# Bidirectional overrides let a title read otherwise than it is.
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def decode_value(text: str) -> str | None:
    """The value itself, also out of {base64}; None where it cannot be read."""
    if not text.startswith(_BASE64):
        return text
    try:
        return base64.b64decode(text.removeprefix(_BASE64), validate=True).decode("utf-8").replace("\r\n", "\n")
    except ValueError:
        return None


def text_fault(option: Option, text: str) -> str:
    """What is wrong with a text, or an empty string."""
    if len(text.encode("utf-8", "surrogateescape")) > option.most:
        return f"longer than {option.most} bytes"
    if option.characters and len(text) > option.characters:
        return f"longer than {option.characters} characters"
    allowed = "\n\t" if option.lines else ""
    bad = next((char for char in text if char not in allowed and _is_hidden(char)), None)
    return f"U+{ord(bad):04X} has no place in it" if bad else ""


def _is_hidden(char: str) -> bool:
    return char in _BIDIRECTIONAL or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
