"""What expressions in Ansible's texts can do beyond the host that they are evaluated for.

A word that lets one host see another, or that reads a text which nobody named, is found wherever it may be evaluated.
Too much is found rather than too little: nothing here is a parser of Jinja.
"""

import re

# Looked at on ansible-core 2.19, which evaluates no result of a template again.
_UNMISTAKABLE = (
    "hostvars|ansible_play_hosts|ansible_play_hosts_all|ansible_play_batch|play_hosts|ansible_delegated_vars|"
    "ansible_limit|varnames|inventory_hostnames|ansible_inventory_sources"
)
_OTHERS = re.compile(rf"\b(?:{_UNMISTAKABLE})\b")
_EVALUATED = re.compile(rf"\b(?:{_UNMISTAKABLE}|groups|vars|lipsum)\b")
_LOOKUP = re.compile(r"\b(?:lookup|query|q)\b")
_OF_FILES = re.compile(
    r"\b(?:lookup|query|q)\s*\(\s*(['\"])(?:ansible\.(?:builtin|legacy)\.)?(file|fileglob|ini|csvfile|env)\1\s*[,)]"
)
_ON_DISK = re.compile(
    r"\b(?:fileglob|realpath|exists|link_exists|is_file|is_dir|is_link|is_mount|is_same_file|same_file)\b"
    r"|\bis\s+(?:not\s+)?(?:ansible\.\w+\.)?(?:file|directory|link|mount)\b"
)
_APPLIES = re.compile(r"\b(select|reject|map|selectattr|rejectattr)\s*\(")
_NAMED = {
    "select": re.compile(r"\s*(?:\)|(['\"])(\w[\w.]*)\1\s*[,)])"),
    "map": re.compile(r"\s*(?:attribute\s*=|(['\"])(\w[\w.]*)\1\s*[,)])"),
    "selectattr": re.compile(r"\s*['\"][^'\"]*['\"]\s*(?:\)|,\s*(['\"])([\w.=<>!]+)\1\s*[,)])"),
}
# A text without any of these needs no second look.
_NOTABLE = re.compile(
    rf"\b(?:{_UNMISTAKABLE}|groups|vars|lipsum|lookup|query|q|is|select|reject|map|selectattr|rejectattr|fileglob|"
    r"realpath|exists|link_exists|is_\w+|same_file)\b"
)
_TESTS_ON_DISK = ("file", "directory", "link", "mount")
_INCLUDES = re.compile(r"\{%[-+]?\s*(include|import|from|extends)\b(.*?)[-+]?%\}", re.DOTALL)
_ANY_INCLUDE = re.compile(r"\{%[-+]?\s*(?:include|import|from|extends)\b")
_ONE_NAME = re.compile(
    r"""\s*(['"])([^'"{}\\]+)\1\s*(?:ignore\s+missing\s*)?(?:with(?:out)?\s+context\s*)?"""
    r"""(?:as\s+\w+\s*|import\s+[\w\s,]+)?(?:with(?:out)?\s+context\s*)?"""
)
_REMARKS = re.compile(r"\{#|\braw\b|#jinja2:")


def is_templated(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def is_notable(text: str) -> bool:
    """Whether one of the words that the following look for stands anywhere in a text."""
    return _NOTABLE.search(text) is not None


def crossing_word(text: str, evaluated: bool) -> str:
    """The word by which this text may see other hosts; empty where there is none.

    `evaluated` says that a text without braces can be an expression as well.
    """
    parts = [text] if evaluated else regions(text)
    found = _OTHERS.search(text) or next((word for part in parts if (word := _EVALUATED.search(part))), None)
    return found[0] if found else ""


def unread_word(text: str, evaluated: bool) -> str:
    """The word by which this text may evaluate another text, which nobody named."""
    for part in [text] if evaluated else regions(text):
        if len(_LOOKUP.findall(part)) > len(_OF_FILES.findall(part)):
            return "a lookup"
    return ""


def disk_word(text: str, evaluated: bool) -> str:
    """The word by which this text may read a file that nobody named, or ask whether it is there."""
    for part in [text] if evaluated else regions(text):
        if any(kind != "env" for _, kind in _OF_FILES.findall(part)):
            return "a lookup of files"
        if found := _ON_DISK.search(part):
            return found[0]
        for applied in _APPLIES.finditer(part):
            word = applied[1].replace("reject", "select")
            named = _NAMED[word].match(part, applied.end())
            if named is None or (named[2] or "").rpartition(".")[2] in (*_TESTS_ON_DISK, "fileglob"):
                return applied[1]
    return ""


def regions(text: str) -> list[str]:
    """What stands in braces; the whole text where raw blocks and remarks could mislead whoever reads it."""
    if not is_templated(text):
        return []
    if _REMARKS.search(text):
        return [text]
    found, at = list[str](), 0
    while (start := _next_start(text, at)) >= 0:
        at = _region_end(text, start + 2, "}}" if text[start + 1] == "{" else "%}")
        found.append(text[start:at])
    return found


def _next_start(text: str, at: int) -> int:
    starts = [place for mark in ("{{", "{%") if (place := text.find(mark, at)) >= 0]
    return min(starts, default=-1)


def _region_end(text: str, at: int, end: str) -> int:
    """Where a region ends; an end inside of quotes is none."""
    quote = ""
    while at < len(text):
        if quote:
            if text[at] == "\\":
                at += 1
            elif text[at] == quote:
                quote = ""
        elif text[at] in "'\"":
            quote = text[at]
        elif text.startswith(end, at):
            return at + 2
        at += 1
    return len(text)


def included(text: str) -> tuple[str, ...] | None:
    """The templates that a template names; None where it makes a name while it runs."""
    found = [_ONE_NAME.fullmatch(each[2]) for each in _INCLUDES.finditer(text)]
    if len(found) != len(_ANY_INCLUDE.findall(text)) or not all(found):
        return None
    return tuple(each[2] for each in found if each)


def includes(text: str) -> bool:
    return _ANY_INCLUDE.search(text) is not None
