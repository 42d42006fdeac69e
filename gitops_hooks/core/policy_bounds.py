"""The policy's `linear`, `commits`, `files`, `read_only` and `freeze` → what they bound."""

import re
import unicodedata
from collections.abc import Mapping

from gitops_hooks.core.freeze import parse_window
from gitops_hooks.core.globs import path_fault
from gitops_hooks.core.patterns import found_in, pattern_fault
from gitops_hooks.core.policy_nodes import (
    is_a,
    is_yes,
    read_count,
    read_fields,
    read_glob,
    read_items,
    read_text,
    read_truth,
)
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.bounds import Bounds, CommitBounds, FileBounds, Window

KEYS = ("linear", "read_only", "freeze", "commits", "files")

_COMMITS = ("must", "must_not", "signoff", "author", "committer")
_LISTS = ("forbidden", "allowed", "forbidden_extensions", "allowed_extensions", "symlinks", "submodules", "lfs")
_FILES = ("max_size", "max_files", "max_path", *_LISTS)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_SIZE = re.compile(r"([1-9][0-9]{0,11})([KMG]?)")
_REASON = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,200}")
_EXTENSION = re.compile(r"[^\x00-\x20\x7f/.*?]{1,32}")
_TEXT = re.compile(r"[^\x00]+", re.DOTALL)
_PUSHER = re.compile("pusher|any")


def read_bounds(fields: Mapping[str, Marked], reading: Reading) -> Bounds:
    """What one rule bounds; an absent key bounds nothing."""
    return Bounds(
        linear=read_truth(fields.get("linear"), "linear", reading.faults),
        read_only=read_reason(fields.get("read_only"), "read_only", reading),
        commits=_read_commits(fields["commits"], reading) if "commits" in fields else None,
        files=_read_files(fields["files"], reading) if "files" in fields else None,
        freeze=read_freeze(fields.get("freeze"), reading),
    )


def read_reason(node: Marked | None, what: str, reading: Reading) -> str:
    """The reason why something is closed, where `true` is one that is not told; empty where it is open."""
    if node is None:
        return ""
    if node.tag == "bool":
        return "no reason is given" if is_yes(node) else ""
    return read_text(node, what, reading.faults, _REASON, "true, false or a reason in one line")


def _read_commits(node: Marked, reading: Reading) -> CommitBounds:
    fields = read_fields(node, "commits", _COMMITS, reading.faults)
    must, must_not = (_read_patterns(fields.get(key), key, reading) for key in ("must", "must_not"))
    author, committer = (_read_pusher(fields.get(key), key, reading) for key in ("author", "committer"))
    signoff = read_truth(fields.get("signoff"), "signoff", reading.faults)
    return CommitBounds(reading.place(node), must, must_not, signoff, author, committer)


def _read_pusher(node: Marked | None, key: str, reading: Reading) -> bool:
    return node is not None and read_text(node, key, reading.faults, _PUSHER, "pusher or any") == "pusher"


def _read_patterns(node: Marked | None, key: str, reading: Reading) -> tuple[str, ...]:
    found = []
    for item in read_items(node, key, reading.faults):
        pattern = read_text(item, key, reading.faults, _TEXT, "a pattern")
        if pattern and (fault := pattern_fault(pattern)):
            reading.complain(item, f"{key}: '{shown(pattern)}' {shown(fault)}")
        elif pattern and key == "must_not" and found_in(pattern, ""):
            reading.complain(item, f"must_not: '{shown(pattern)}' fits every message, and nothing could be pushed")
        elif pattern:
            found.append(pattern)
    return tuple(found)


def _read_files(node: Marked, reading: Reading) -> FileBounds:
    fields = read_fields(node, "files", _FILES, reading.faults)
    globs = {key: _read_list(fields.get(key), key, reading) for key in _LISTS}
    return FileBounds(
        place=reading.place(node),
        max_size=_read_size(fields.get("max_size"), reading),
        max_files=read_count(fields["max_files"], "max_files", reading.faults) if "max_files" in fields else 0,
        max_path=read_count(fields["max_path"], "max_path", reading.faults) if "max_path" in fields else 0,
        forbidden=globs["forbidden"] or (),
        allowed=globs["allowed"],
        forbidden_extensions=globs["forbidden_extensions"] or (),
        allowed_extensions=globs["allowed_extensions"],
        symlinks=globs["symlinks"],
        submodules=globs["submodules"],
        lfs=globs["lfs"],
    )


def _read_size(node: Marked | None, reading: Reading) -> int:
    if node is None:
        return 0
    found = _SIZE.fullmatch(node.text) if node.tag in ("int", "str") else None
    if found:
        return int(found[1]) * _UNITS[found[2]]
    written = shown(node.text) if node.tag in ("int", "str") else "what stands here"
    reading.complain(node, f"max_size: '{written}' is not a number of bytes, as 500000, 500K, 20M or 1G")
    return 1


def _read_list(node: Marked | None, key: str, reading: Reading) -> tuple[str, ...] | None:
    """None where the key is absent."""
    if node is None:
        return None
    items = read_items(node, key, reading.faults)
    if key.endswith("extensions"):
        words = "an extension without its dot, as yml"
        return tuple(read_text(item, key, reading.faults, _EXTENSION, words).casefold() for item in items)
    if key in ("forbidden", "allowed"):
        return tuple(read_glob(item, key, reading.faults) for item in items)
    return tuple(_read_exact(item, key, reading) for item in items)


def _read_exact(node: Marked, key: str, reading: Reading) -> str:
    path = unicodedata.normalize("NFC", read_text(node, key, reading.faults, _TEXT, "a path"))
    if path and (fault := path_fault(path)):
        reading.complain(node, f"{key}: '{shown(path)}' {fault}")
    elif any(char in path for char in "*?"):
        reading.complain(node, f"{key}: '{shown(path)}' is a pattern; each path is named exactly")
    return path


def read_freeze(node: Marked | None, reading: Reading) -> tuple[Window, ...]:
    """The freezes in a list; none where there is no node."""
    return tuple(
        window for item in read_items(node, "freeze", reading.faults) if (window := _read_window(item, reading))
    )


def _read_window(node: Marked, reading: Reading) -> Window | None:
    if not is_a("str", node, "freeze", reading.faults):
        return None
    window = parse_window(node.text, reading.place(node))
    if isinstance(window, str):
        reading.complain(node, f"freeze: '{shown(node.text)}' {window}")
        return None
    return window
