"""One manifest: which kind it is, what its schema finds in it, and API versions that are gone or on their way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_hooks.plugin import Severity
from gitops_hooks.plugins.documents import Document, find_node, line_of_key
from gitops_hooks.plugins.json_text import Fault
from gitops_hooks.plugins.kubernetes_removed import GONE, GROUPS
from gitops_hooks.plugins.kubernetes_schemas import Kind, Schemas
from gitops_hooks.plugins.schema_words import errors_of

# What programs read that speak of apiVersion and kind too, and what no cluster ever stores.
_PROGRAMS = re.compile(
    r"(?:.*\.)?config\.k8s\.io|audit\.k8s\.io|client\.authentication\.k8s\.io|kubeadm\.k8s\.io|apiserver\.k8s\.io"
    r"|kind\.x-k8s\.io|eksctl\.io|skaffold|k3d\.io|backstage\.io|ctlptl\.dev|minikube.*"
)
_PLACEHOLDER = re.compile(r"\$\{|\{\{|\$\(")
_QUOTED = re.compile(r"must (?:be|match) |fits none")


@dataclass(frozen=True, slots=True)
class Told:
    """One fault of a manifest; `lack` is something missing, which a patch may leave out, or a word of patches."""

    fault: Fault
    severity: Severity = Severity.ERROR
    lack: bool = False


def kind_of(document: Document) -> Kind | None:
    """apiVersion and kind of what a cluster stores; None for every other document."""
    value = document.value
    if not isinstance(value, dict):
        return None
    version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str) or (version, kind) == ("v1", "Config"):
        return None
    group = version.rpartition("/")[0]
    return None if _PROGRAMS.fullmatch(group) or _PLACEHOLDER.search(version + kind) else (version, kind)


def items_of(document: Document) -> Iterator[Document]:
    """The document itself, or what a List holds."""
    value = document.value
    if kind_of(document) != ("v1", "List") or not isinstance(value.get("items"), list):
        yield document
        return
    for index, item in enumerate(value["items"]):
        yield Document(item, lambda index=index: find_node(document.root, ["items", index]))  # type: ignore[misc]


def judge_manifest(document: Document, kind: Kind, schemas: Schemas, minor: int) -> Iterator[Told] | None:
    """What is wrong with one manifest; None where no schema of its kind is known."""
    gone = GONE.get(kind)
    if gone and gone.removed and minor >= gone.removed:
        words = f"{kind[1]} in {kind[0]} is gone since Kubernetes 1.{gone.removed}; use {gone.instead}"
        return iter([_about_version(document, words, Severity.ERROR)])
    validator = schemas.validator(kind)
    if validator is not None:
        return _judge(document, kind, schemas, minor)
    version = kind[0]
    if schemas.knows_group(version) or version.rpartition("/")[0] in GROUPS:
        others = schemas.versions_of(kind[1])
        hint = f"; it is in {', '.join(others)}" if others else "; is its name or that of its group mistyped?"
        words = f"Kubernetes 1.{minor} knows no {kind[1][:60]} in {version[:60]}{hint}"
        return iter([_about_version(document, words, Severity.ERROR)])
    return None


def _about_version(document: Document, words: str, severity: Severity) -> Told:
    return Told(Fault(line_of_key(document.root, [], "apiVersion"), words), severity)


def _judge(document: Document, kind: Kind, schemas: Schemas, minor: int) -> Iterator[Told]:
    gone = GONE.get(kind)
    if gone and minor >= gone.deprecated:
        until = f", and gone from 1.{gone.removed} on" if gone.removed else ""
        words = f"{kind[1]} in {kind[0]} is deprecated since Kubernetes 1.{gone.deprecated}{until}; use {gone.instead}"
        yield _about_version(document, words, Severity.WARNING)
    validator = schemas.validator(kind)
    for fault in errors_of(validator, document) if validator else ():
        yield from _kept(fault, document)
    metadata = document.value.get("metadata")
    if kind in schemas.custom and isinstance(metadata, dict):
        inside = Document(metadata, lambda: find_node(document.root, ["metadata"]))
        for fault in errors_of(schemas.metadata(), inside):
            yield from _kept(Fault(fault.line, f"metadata.{fault.message}"), document)
    if not kind[1].endswith(("Review", "List")) and not _is_named(metadata):
        yield Told(Fault(line_of_key(document.root, [], "metadata"), "metadata: 'name' is missing"), lack=True)


def _is_named(metadata: object) -> bool:
    return isinstance(metadata, dict) and bool(metadata.get("name") or metadata.get("generateName"))


def _kept(fault: Fault, document: Document) -> Iterator[Told]:
    """An error, unless the value is a placeholder that something fills in before it reaches a cluster."""
    place, _, words = fault.message.rpartition(": ")
    if _QUOTED.match(words) and place:
        node = find_node(document.root, [int(step) if step.isdigit() else step for step in place.split(".")])
        if _PLACEHOLDER.search(node.text) or any(key.pairs for key, _ in node.pairs):
            return
    fault = Fault(fault.line, fault.message.replace("must be null or ", "must be "))
    yield Told(fault, lack=words.endswith("is missing") or words.startswith("'$"))
