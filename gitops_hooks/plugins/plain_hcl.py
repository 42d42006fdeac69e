"""HCL files as values, in the shape that conftest gives to a policy: blocks as mappings by type and labels with lists
of bodies at their ends, literals as what they are, every other expression as its text in `${…}`.

No expression is evaluated. What HCL itself would refuse, or two readers could understand in two ways, is refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gitops_hooks.plugins.plain_hcl_text import BadText, indented, read_literal
from gitops_hooks.plugins.terraform.hcl import fault_of, root_of

if TYPE_CHECKING:
    from tree_sitter import Node

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
Plain = Any  # str | int | float | bool | None | list[Plain] | dict[str, Plain]
_PARTS = ("template_interpolation", "template_directive")


class BadHcl(Exception):
    """What cannot be read, with its 1-based line."""

    def __init__(self, node: "Node", message: str) -> None:
        super().__init__(message)
        self.line = node.start_point.row + 1
        self.message = message


def read_hcl_text(text: str) -> dict[str, Plain]:
    """Errors: BadHcl; RecursionError for what is nested without end."""
    root = root_of(text.encode())
    if root.has_error:
        line, words = fault_of(root)
        bad = BadHcl(root, words)
        bad.line = line
        raise bad
    found: dict[str, Plain] = {}
    for child in _meant(root):
        if child.type != "body":
            raise BadHcl(child, "this is an object, and HCL has arguments and blocks")
        found = _body(child)
    return found


def _meant(node: "Node") -> list["Node"]:
    return [child for child in node.children if child.type != "comment"]


def _body(body: "Node") -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    arguments: set[str] = set()
    for child in _meant(body):
        name = _source(_meant(child)[0])
        if name in arguments or (child.type == "attribute" and name in found):
            raise BadHcl(child, f"'{name[:60]}' stands twice")
        if child.type == "attribute":
            arguments.add(name)
            found[name] = _expression(_meant(child)[-1])
        else:
            _add_block(child, found)
    return found


def _add_block(block: "Node", found: dict[str, Plain]) -> None:
    parts = _meant(block)
    names = [_label(part) for part in parts if part.type in ("identifier", "string_lit")]
    value: dict[str, Plain] = next((_body(part) for part in parts if part.type == "body"), {})
    inner: Plain = found
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            break
    bodies = inner.setdefault(names[-1], []) if isinstance(inner, dict) else None
    if not isinstance(bodies, list):
        raise BadHcl(block, f"block '{names[0][:60]}' stands with more labels and with fewer")
    bodies.append(value)


def _label(node: "Node") -> str:
    return _source(node) if node.type == "identifier" else _quoted(node)


def _expression(node: "Node") -> Plain:
    """The value of an expression; what is no literal is its text."""
    parts = _meant(node)
    if len(parts) == 1 and (read := _READERS.get(parts[0].type)):
        return read(parts[0])
    # Parentheses hide no literal.
    if len(parts) == 3 and parts[0].type == "(" and parts[1].type == "expression":
        return _expression(parts[1])
    return f"${{{_source(node)}}}"


def _literal(node: "Node") -> Plain:
    child = node.children[0]
    match child.type:
        case "string_lit":
            return _quoted(child)
        case "numeric_lit":
            return _number(child)
        case "bool_lit":
            return _source(child) == "true"
        case "null_lit":
            return None
    raise BadHcl(node, "a literal of a kind that is not known")


def _number(node: "Node") -> int | float:
    text = _source(node)
    if not _NUMBER.fullmatch(text):
        raise BadHcl(node, f"'{text[:40]}' is no number in HCL")
    value = int(text) if text.isdigit() and len(text) < 400 else float(text)
    if value == float("inf"):
        raise BadHcl(node, f"'{text[:40]}' is too large")
    return value


def _operation(node: "Node") -> Plain:
    """`-1` and `!true` are literals; all else is text."""
    inner = node.children[0]
    parts = _meant(inner)
    if inner.type == "unary_operation" and len(parts) == 2 and parts[1].type == "literal_value":
        sign, value = parts[0].type, _literal(parts[1])
        if sign == "-" and isinstance(value, int | float) and not isinstance(value, bool):
            return -value
        if sign == "!" and isinstance(value, bool):
            return not value
    return f"${{{_source(node)}}}"


def _collection(node: "Node") -> Plain:
    inner = _meant(node)[0]
    if inner.type == "tuple":
        return [_expression(each) for each in _meant(inner) if each.type == "expression"]
    found: dict[str, Plain] = {}
    for each in _meant(inner):
        if each.type == "object_elem":
            key, value = (part for part in _meant(each) if part.type == "expression")
            name = _key(key)
            if name in found:
                raise BadHcl(each, f"duplicate key '{name[:60]}'")
            found[name] = _expression(value)
    return found


def _key(node: "Node") -> str:
    """A bare word is itself, `(word)` an expression."""
    parts = _meant(node)
    if len(parts) == 1 and parts[0].type == "variable_expr":
        return _source(node)
    return _spoken(node)


def _template(node: "Node") -> Plain:
    inner = _meant(node)[0]
    if inner.type == "heredoc_template":
        return _heredoc(inner)
    parts = inner.children
    whole = [part for part in parts if not part.type.startswith("quoted_template_")]
    if len(whole) == 1 and whole[0].type == "template_interpolation" and _tight(whole[0], parts[0], parts[-1]):
        return next((_expression(part) for part in whole[0].children if part.type == "expression"), "")
    return "".join(_pieces(inner, parts[0].end_byte, parts[-1].start_byte, _raw_quoted))


def _tight(part: "Node", before: "Node", after: "Node") -> bool:
    """Spaces beside it belong to the text, though the parser leaves them out."""
    return before.end_byte == part.start_byte and part.end_byte == after.start_byte


def _heredoc(node: "Node") -> str:
    first, last = (part for part in node.children if part.type == "heredoc_identifier")
    whole = _bytes(node)
    start = node.start_byte + whole.index(b"\n", first.end_byte - node.start_byte) + 1
    end = node.start_byte + whole.rindex(b"\n", 0, last.start_byte - node.start_byte) + 1
    pieces = _pieces(node, start, end, lambda _, raw: read_literal(raw, escapes=False)) if start < end else []
    text = "".join(pieces)
    return indented(text) if whole.startswith(b"<<-") else text


def _pieces(node: "Node", start: int, end: int, read: Callable[["Node", str], str]) -> list[str]:
    """The literal parts between `start` and `end`, read, and the others as they are spoken."""
    whole, at, found = _bytes(node), start, []
    for part in node.children:
        if part.type in _PARTS:
            found.append(read(node, whole[at - node.start_byte : part.start_byte - node.start_byte].decode()))
            found.append(_interpolated(part))
            at = part.end_byte
    found.append(read(node, whole[at - node.start_byte : end - node.start_byte].decode()))
    return found


def _interpolated(part: "Node") -> str:
    if part.type == "template_directive":
        return _source(part)
    return next((_spoken(each) for each in part.children if each.type == "expression"), "")


def _spoken(node: "Node") -> str:
    """An expression within a text: a literal becomes part of it."""
    value = _expression(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    plain = isinstance(value, int | float)
    return _source(node).strip("() \t\n") if plain else f"${{{_source(node)}}}"


def _quoted(node: "Node") -> str:
    return _raw_quoted(node, _source(node)[1:-1])


def _raw_quoted(node: "Node", raw: str) -> str:
    try:
        return read_literal(raw, escapes=True)
    except BadText as error:
        raise BadHcl(node, str(error)) from None


def _bytes(node: "Node") -> bytes:
    return node.text or b""


def _source(node: "Node") -> str:
    return _bytes(node).decode()


_READERS: Mapping[str, Callable[["Node"], Plain]] = {
    "literal_value": _literal,
    "operation": _operation,
    "collection_value": _collection,
    "template_expr": _template,
}
