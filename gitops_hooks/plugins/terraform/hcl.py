"""HCL files read by tree-sitter: the first fault, and the blocks that run programs or speak to others.

Its tree is walked by a cursor, never by recursion, and no expression is evaluated.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops_hooks.plugin import Finding, Severity

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_DOES = {
    "data external": "runs a program whenever a plan is made",
    "data http": "asks an address whenever a plan is made",
    "backend http": "keeps the state, with every secret in it, at an address",
    "provisioner": "runs programs where Terraform runs, or on the new machine",
}


@dataclass(frozen=True, slots=True)
class Block:
    """The head of one block with the block around it: `data "external" "a"` is ("data", "external", "a")."""

    words: tuple[str, ...]
    line: int
    around: str


@dataclass(frozen=True, slots=True)
class Hcl:
    """One file: its outer and second blocks, and the first fault (line and words) if there is one."""

    path: str
    blocks: tuple[Block, ...]
    fault: tuple[int, str] | None = None


_LEVELS = 1000  # of the syntax tree: several for each bracket
_OPENING = (b"[", b"{", b"(")


@functools.cache
def _parser() -> "Parser":
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def read_hcl(path: str, text: bytes) -> Hcl:
    root = root_of(text)
    blocks = tuple(_blocks(root))
    return Hcl(path, blocks, fault_of(root) if root.has_error else None)


def root_of(text: bytes) -> "Node":
    """The tree of one file, with its errors in it."""
    return _parser().parse(text).root_node


def is_too_deep(text: bytes) -> bool:
    """Whether a file is nested as only a machine would, so that whoever reads it next may not come to its end."""
    if sum(map(text.count, _OPENING)) * 4 < _LEVELS:
        return False
    cursor = root_of(text).walk()
    while cursor.depth <= _LEVELS:
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return False
    return True


def _blocks(root: "Node") -> Iterator[Block]:
    """Blocks two deep: provisioners stand in resources, backends in `terraform`."""
    for outer in _inside(root):
        words = _head(outer)
        yield Block(words, outer.start_point.row + 1, "")
        for inner in _inside(outer):
            yield Block(_head(inner), inner.start_point.row + 1, words[0] if words else "")


def _inside(node: "Node") -> Iterator["Node"]:
    bodies = [child for child in node.children if child.type == "body"]
    for body in bodies or [node]:
        yield from (child for child in body.children if child.type == "block")


def _head(block: "Node") -> tuple[str, ...]:
    words = (child for child in block.children if child.type in ("identifier", "string_lit"))
    return tuple((word.text or b"").decode("utf-8", "replace").strip('"') for word in words)


def fault_of(root: "Node") -> tuple[int, str]:
    """The first place that cannot be read."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and (node.is_error or node.is_missing):
            return node.start_point.row + 1, _words(node)
        if node is not None and node.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return 0, "this cannot be read as HCL"


def _words(node: "Node") -> str:
    if node.is_missing:
        return f"this cannot be read as HCL: '{node.type}' is missing"
    return "this cannot be read as HCL"


def reach_findings(hcl: Hcl, options: Mapping[str, str]) -> Iterator[Finding]:
    """Blocks that reach out of what the file says, each as severe as the policy wants it."""
    for block in hcl.blocks:
        kind = _kind(block)
        if kind and options[kind] != "ignore":
            does = next(words for head, words in _DOES.items() if " ".join(block.words).startswith(head))
            words = f"{_shown(block)} {does}; whoever approves should know"
            yield Finding(hcl.path, block.line, words, Severity(options[kind]))


def _kind(block: Block) -> str:
    match block.words:
        case ("data", "external" | "http", *_) if not block.around:
            return "external_data"
        case ("provisioner", *_) if block.around == "resource":
            return "provisioners"
        case ("backend", "http") if block.around == "terraform":
            return "http_backend"
    return ""


def _shown(block: Block) -> str:
    first, *names = block.words
    return " ".join([first, *(f'"{name[:40]}"' for name in names)])
