"""YAML bytes → marked nodes with lines, or faults; the one guard in front of every YAML parser of ours.

Nodes are built from libyaml's events and never constructed into Python objects: composing crashes the
interpreter at 25,000 nested brackets, merge keys multiply, and bad dates raise errors of other classes.
"""

from collections.abc import Iterator
from dataclasses import field

import yaml

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.marked import Marked as Marked

_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """Budgets of one text: bytes, nesting, nodes as written, and nodes once every alias is expanded."""

    size: int = 4 * 1024 * 1024
    depth: int = 64
    nodes: int = 200_000
    expanded: int = 1_000_000


@dataclass(frozen=True, slots=True)
class YamlFault:
    """One fault and its 1-based line; `budget` says that a limit of ours ended the reading, where others read on."""

    line: int
    message: str
    budget: bool = False


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    line: int
    tag: str
    anchor: str | None
    children: list[Marked] = field(default_factory=list)
    weight: int = 1


_TOO_DEEP = "exceeded maximum nesting depth"


class _Stop(Exception):
    """A budget is spent or the text cannot be read any further."""

    def __init__(self, line: int, message: str, budget: bool = True) -> None:
        self.fault = YamlFault(line, message, budget)


class _Builder:
    """Open collections, anchors and budgets while the events of one text go by."""

    def __init__(self, limits: YamlLimits) -> None:
        self.limits = limits
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Marked, int]] = {}
        self.documents: list[Marked] = []
        self.faults: list[YamlFault] = []
        self.nodes = 0
        self.resolver = yaml.resolver.Resolver()

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        match event:
            case yaml.DocumentStartEvent():
                self.anchors.clear()
            case yaml.ScalarEvent():
                plain = not event.style
                tag = self._tag(event.tag, yaml.ScalarNode, event.value, event.implicit)
                self._complain_of_code(tag, line)
                self._close(Marked(line, tag, event.value, plain), event.anchor, 1, line)
            case yaml.AliasEvent():
                self._alias(str(event.anchor), line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(isinstance(event, yaml.MappingEndEvent))

    def _tag(self, tag: str | None, kind: type, value: str, implicit: tuple[bool, bool]) -> str:
        if tag is None or tag == "!":
            tag = str(self.resolver.resolve(kind, value, implicit))  # type: ignore[no-untyped-call]  # as shipped
        return tag.removeprefix(_CORE)

    def _complain_of_code(self, tag: str, line: int) -> None:
        if tag.startswith("python/"):
            self.faults.append(YamlFault(line, f"tag !!{tag[:60]} makes programs run; write plain values"))

    def _start(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if len(self.open) >= self.limits.depth:
            raise _Stop(line, f"nested deeper than {self.limits.depth} levels")
        default = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        tag = default if event.tag in (None, "!") else str(event.tag).removeprefix(_CORE)
        self._complain_of_code(tag, line)
        self.open.append(_Open(line, tag, event.anchor))

    def _end(self, mapping: bool) -> None:
        done = self.open.pop()
        if mapping:
            pairs = tuple(zip(done.children[::2], done.children[1::2], strict=True))
            self._complain_of_duplicates(pairs)
            node = Marked(done.line, done.tag, pairs=pairs)
        else:
            node = Marked(done.line, done.tag, items=tuple(done.children))
        self._close(node, done.anchor, done.weight, done.line)

    def _complain_of_duplicates(self, pairs: tuple[tuple[Marked, Marked], ...]) -> None:
        first: dict[tuple[str, str], Marked] = {}
        for key, _ in pairs:
            if key.pairs or key.items:
                continue
            if (earlier := first.setdefault((key.tag, key.text), key)) is not key:
                place = f"first on line {earlier.line}"
                self.faults.append(YamlFault(key.line, f"duplicate key {key.text[:60]!r}, {place}"))

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self.anchors:
            raise _Stop(line, f"alias *{anchor[:60]} stands for nothing before it", budget=False)
        node, weight = self.anchors[anchor]
        self._add(node, weight, line)

    def _close(self, node: Marked, anchor: str | None, weight: int, line: int) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise _Stop(line, f"more than {self.limits.nodes} nodes")
        if anchor is not None:
            self.anchors[anchor] = (node, weight)
        self._add(node, weight, line)

    def _add(self, node: Marked, weight: int, line: int) -> None:
        if not self.open:
            self.documents.append(node)
            return
        self.open[-1].children.append(node)
        self.open[-1].weight += weight
        if self.open[-1].weight > self.limits.expanded:
            raise _Stop(line, f"aliases expand to more than {self.limits.expanded} nodes")


def parse_yaml(text: bytes, limits: YamlLimits = YamlLimits()) -> tuple[tuple[Marked, ...], tuple[YamlFault, ...]]:
    """All documents of one text, and all faults: syntax, budgets, duplicate keys, bytes that are not UTF-8."""
    if len(text) > limits.size:
        return (), (YamlFault(0, f"larger than {limits.size} bytes", budget=True),)
    try:
        characters = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return (), (YamlFault(text.count(b"\n", 0, error.start) + 1, "not UTF-8; save the file as UTF-8"),)
    builder = _Builder(limits)
    try:
        for event in _events(characters):
            builder.take(event)
    except _Stop as stop:
        builder.faults.append(stop.fault)
    except yaml.MarkedYAMLError as error:
        builder.faults.append(_syntax_fault(error, limits))
    except yaml.reader.ReaderError as error:
        line = text.count(b"\n", 0, error.position) + 1
        builder.faults.append(YamlFault(line, f"character #x{int(error.character):04x} is not allowed in YAML"))
    except (yaml.YAMLError, ValueError) as error:
        builder.faults.append(YamlFault(0, " ".join(str(error).split())[:200]))
    return tuple(builder.documents), tuple(builder.faults)


def _events(characters: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(characters, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return events


def _syntax_fault(error: yaml.MarkedYAMLError, limits: YamlLimits) -> YamlFault:
    mark = error.problem_mark or error.context_mark
    if error.problem and error.problem.startswith(_TOO_DEEP):
        # Newer libyaml looks ahead, and stops at its own bound before our count of events gets there.
        return YamlFault(mark.line + 1 if mark else 0, f"nested deeper than {limits.depth} levels", budget=True)
    words = ", ".join(part for part in (error.problem, error.context) if part)
    return YamlFault(mark.line + 1 if mark else 0, words or "not YAML")
