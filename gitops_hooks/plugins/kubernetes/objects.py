"""Rendered manifests as objects: what each one is, its text for kubectl, and in which order they are applied."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_hooks.plugins.documents import read_documents

MOST = 2_000
SECRET = "Secret"  # noqa: S105  # a kind
_BETWEEN = re.compile(rb"^---[ \t]*$", re.MULTILINE)
# What others stand on or in comes first; what would refuse or reroute others, once they are there, comes last.
_FIRST = ("Namespace", "CustomResourceDefinition")
_ORDER = (
    *("Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "ResourceQuota", "LimitRange"),
    *("ServiceAccount", "Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim"),
    *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service"),
)
_LAST = ("Ingress", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class Refusal(Exception):
    """This tree must not be deployed like this; the words say why, with the cure."""


@dataclass(frozen=True, slots=True, order=True)
class Object:
    """One object of a cluster by what names it; `namespace` is empty where the manifest says none."""

    version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        return self.version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def manifest(self) -> dict[str, Any]:
        """As much as kubectl needs to find it."""
        place = {"namespace": self.namespace} if self.namespace else {}
        return {"apiVersion": self.version, "kind": self.kind, "metadata": {"name": self.name, **place}}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object with its text as it was rendered."""

    object: Object
    text: bytes


def read_manifests(rendered: bytes, namespace: str) -> tuple[Manifest, ...]:
    """Every object of it, each with the namespace that it will be in as far as its text says. Errors: Refusal."""
    found = tuple(_read_all(rendered))
    if not found:
        raise Refusal("the manifests are empty; an environment without objects is never meant")
    if len(found) > MOST:
        raise Refusal(f"the manifests are {len(found)} objects; {MOST} are the most, so split the environment")
    named: set[Object] = set()
    for each in found:
        placed = Object("/" + each.object.group, each.object.kind, each.object.namespace or namespace, each.object.name)
        if placed in named:
            raise Refusal(f"{each.object} is there twice; take one of them out")
        named.add(placed)
    return found


def _read_all(rendered: bytes) -> Iterator[Manifest]:
    for number, text in enumerate(_BETWEEN.split(rendered), 1):
        documents, faults = read_documents("rendered.yaml", text)
        if faults:
            raise Refusal(f"object {number} of the rendered manifests cannot be read: {faults[0].message}")
        for document in documents:
            yield Manifest(_identify(document.value, number), text)


def _identify(value: object, number: int) -> Object:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(metadata, dict):
        words = (value.get("apiVersion"), value.get("kind"), metadata.get("name"), metadata.get("namespace") or "none")
        version, kind, name, _ = (word if isinstance(word, str) and len(word) <= 253 else "" for word in words)
        if version and kind and name:
            return Object(version, kind, str(metadata.get("namespace") or ""), name)
    raise Refusal(f"object {number} of the rendered manifests has no apiVersion, kind and name")


def object_of(value: Mapping[str, Any]) -> Object:
    """What an object is that the cluster has told."""
    metadata = value.get("metadata") or {}
    return Object(
        str(value.get("apiVersion")),
        str(value.get("kind")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name")),
    )


def in_order(manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """As they are applied; the other way round is how they are deleted."""
    return tuple(sorted(manifests, key=lambda one: rank(one.object)))


def stages(manifests: Sequence[Manifest]) -> tuple[tuple[Manifest, ...], ...]:
    """Kinds and namespaces that others need, and then those others."""
    ordered = in_order(manifests)
    first = tuple(one for one in ordered if one.object.kind in _FIRST)
    rest = tuple(one for one in ordered if one.object.kind not in _FIRST)
    return tuple(stage for stage in (first, rest) if stage)


def rank(one: Object) -> tuple[int, Object]:
    """Where it comes."""
    if one.kind in _ORDER:
        return _ORDER.index(one.kind), one
    return len(_ORDER) + (1 + _LAST.index(one.kind) if one.kind in _LAST else 0), one
