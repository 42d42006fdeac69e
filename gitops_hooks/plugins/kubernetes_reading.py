"""What the check `kubernetes` knows of one change: its documents, the schemas, and the CRDs of the repository."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from posixpath import join

from gitops_hooks.plugin import Change, EdgeError, Finding, Severity, Tree, Workbench
from gitops_hooks.plugins.documents import FILES, JSON, YAML, Document, open_texts, read_documents
from gitops_hooks.plugins.kubernetes_manifests import items_of, judge_manifest, kind_of
from gitops_hooks.plugins.kubernetes_patches import Kustomizations
from gitops_hooks.plugins.kubernetes_schemas import Kind, Schemas, load_schemas

_CRD = "CustomResourceDefinition"
_MOST_FILES = 500


@dataclass(slots=True)
class Reading:
    """One run of the check; `faults` are those of reading, `files` the documents of each changed file."""

    change: Change
    tree: Tree
    bench: Workbench
    schemas: Schemas
    kustomizations: Kustomizations
    files: dict[str, tuple[Document, ...]] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)
    strangers: dict[Kind, tuple[str, int]] = field(default_factory=dict)

    @property
    def minor(self) -> int:
        return int(self.bench.options["version"].removeprefix("1."))

    def judge(self, path: str, documents: Sequence[Document]) -> Iterator[Finding]:
        """What is wrong with the manifests of one file."""
        for document in (item for whole in documents for item in items_of(whole)):
            kind = kind_of(document)
            if kind is None:
                continue
            told = judge_manifest(document, kind, self.schemas, self.minor)
            if told is None:
                self.strangers.setdefault(kind, (path, document.root.line))
            for each in told or ():
                if not (each.lack and self.kustomizations.is_patch(path)):
                    yield Finding(path, each.fault.line, each.fault.message, each.severity)

    def unknown(self) -> Iterator[Finding]:
        """Each kind of which nobody says how it is made, once."""
        for (version, kind), (path, line) in self.strangers.items():
            words = f"no schema of {kind[:60]} in {version[:80]} is known, so it was not looked at"
            cure = "name the folder of its CustomResourceDefinition in the option crds"
            yield Finding(path, line, f"{words}; {cure}", Severity.WARNING)


def open_reading(change: Change, tree: Tree, bench: Workbench) -> Reading | str:
    """Read what changed, and the CRDs. A string says why nothing can be judged."""
    schemas = load_schemas(bench.options["version"])
    if isinstance(schemas, str):
        return schemas
    reading = Reading(change, tree, bench, schemas, Kustomizations(tree))
    for path, text in open_texts(change, tree, bench.options["manifests"], bench.options["ignore"]):
        if isinstance(text, Finding):
            reading.faults.append(text)
            continue
        documents, faults = read_documents(path, text.encode())
        # In the words of the checks yaml and json: who asks for these too is told once.
        reading.faults += [Finding(path, fault.line, fault.message) for fault in faults]
        if any(kind_of(document) for document in documents):
            reading.files[path] = documents
    if reading.files:
        _add_definitions(reading)
    return reading


def _add_definitions(reading: Reading) -> None:
    """The CRDs of the option's places and of the change itself."""
    brought = dict(reading.files)
    places = reading.bench.options["crds"]
    paths = [path for place in places for path in _files(reading.tree, place.strip("/"))][:_MOST_FILES]
    for path in paths:
        if path not in brought:
            brought[path] = _read(reading.tree, path)
    for path, documents in brought.items():
        for document in (item for whole in documents for item in items_of(whole)):
            if (kind_of(document) or ("", ""))[1] == _CRD:
                _add(reading, path, document)


def _add(reading: Reading, path: str, document: Document) -> None:
    try:
        reading.schemas.add(document.value)
    except ValueError as error:
        reading.faults.append(Finding(path, document.root.line, str(error), Severity.WARNING))


def _read(tree: Tree, path: str) -> tuple[Document, ...]:
    try:
        return read_documents(path, tree.read(path))[0]
    except EdgeError:
        return ()


def _files(tree: Tree, place: str) -> Iterator[str]:
    """The YAML and JSON files of a place; a folder with all below it."""
    entry = tree.entry(place)
    if entry is None:
        return
    if entry.mode in FILES:
        if place.endswith((*YAML, *JSON)):
            yield place
        return
    for each in tree.list(place):
        yield from _files(tree, join(place, each.name))
