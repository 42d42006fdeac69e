"""What a repository excepts from the check `secrets`, each with its reason, in a file of its target branch."""

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_hooks.plugin import EdgeError, Finding, Marked, Severity, Tree, matches, parse_yaml

_KEYS = ("path", "kind", "reason")
_REASON = 10  # characters that say something


@dataclass(frozen=True, slots=True)
class Excepted:
    """Findings of one kind (or of each) in files that match a glob."""

    path: str
    kind: str

    def covers(self, path: str, kind: str) -> bool:
        return self.kind in ("", kind) and matches(self.path, path)


def load_exceptions(tree: Tree, place: str) -> tuple[tuple[Excepted, ...], tuple[Finding, ...]]:
    """Every exception of a file, none where there is no file, and its faults; with a fault nothing is excepted."""
    if tree.entry(place) is None:
        return (), ()
    try:
        text = tree.read(place)
    except EdgeError as error:
        return (), (Finding(place, 0, error.what),)
    documents, wrong = parse_yaml(text)
    faults = [Finding(place, fault.line, fault.message) for fault in wrong]
    entries = [item for document in documents for item in document.items]
    if any(document.tag not in ("seq", "null") for document in documents):
        faults.append(Finding(place, 1, "must be a list of exceptions, each with path and reason"))
    faults += [fault for entry in entries for fault in _faults(place, entry)]
    made = tuple(Excepted(_said(entry, "path"), _said(entry, "kind")) for entry in entries)
    return (() if faults else made), tuple(faults)


def _said(entry: Marked, key: str) -> str:
    value = entry.get(key)
    return value.text.strip() if value is not None else ""


def _faults(place: str, entry: Marked) -> Iterator[Finding]:
    for key, value in entry.pairs:
        if key.text not in _KEYS:
            yield Finding(place, key.line, f"unknown key '{key.text[:40]}'; allowed here: {', '.join(_KEYS)}")
        elif value.tag != "str":
            yield Finding(place, value.line, f"{key.text} must be text")
    if not _said(entry, "path"):
        yield Finding(place, entry.line, "an exception names its path")
    if len(_said(entry, "reason")) < _REASON:
        yield Finding(place, entry.line, f"an exception says its reason, in {_REASON} characters at least")


def told_of_target(faults: tuple[Finding, ...]) -> Iterator[Finding]:
    """A list that is broken on the target branch excepts nothing, and does not keep anybody from mending it."""
    for fault in faults:
        words = f"nothing is excepted while the target branch has this: {fault.message}"
        yield Finding(fault.path, fault.line, words, Severity.WARNING)
