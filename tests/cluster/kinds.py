"""What the server serves: its kinds, and how it tells them to kubectl (discovery and OpenAPI)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VERBS = ("create", "delete", "get", "list", "patch", "update")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind; `group` is empty for the oldest ones."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def api(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        return f"/apis/{self.api}" if self.group else f"/api/{self.version}"


BUILT_IN = (
    Kind("", "v1", "Namespace", "namespaces", False),
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "Service", "services"),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "StatefulSet", "statefulsets"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False),
    Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False),
)


def custom_kind(definition: Mapping[str, Any]) -> Kind:
    spec = definition["spec"]
    names = spec["names"]
    version = spec["versions"][0]["name"]
    return Kind(spec["group"], version, names["kind"], names["plural"], spec["scope"] == "Namespaced")


def discovery(path: str, kinds: Iterable[Kind]) -> dict[str, Any] | None:
    """The answer to a question of discovery, or None where it is none."""
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        groups = sorted({(kind.group, kind.version) for kind in kinds if kind.group})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*one) for one in groups]}
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0", "platform": "linux/amd64"}
    served = [kind for kind in kinds if kind.root == path]
    if not served:
        return None
    resources = [
        {"name": kind.plural, "singularName": "", "namespaced": kind.namespaced, "kind": kind.name, "verbs": VERBS}
        for kind in served
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": served[0].api, "resources": resources}


def _group(group: str, version: str) -> dict[str, Any]:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [served], "preferredVersion": served}


def openapi(path: str, kinds: Iterable[Kind]) -> dict[str, Any] | None:
    """Only what kubectl asks of it: that the server itself checks the fields of what it is given."""
    if path == "/openapi/v3":
        return {"paths": {kind.root.lstrip("/"): {"serverRelativeURL": f"/openapi/v3{kind.root}"} for kind in kinds}}
    served = [kind for kind in kinds if path == f"/openapi/v3{kind.root}"]
    if not served:
        return None
    paths = {f"{kind.root}/{kind.plural}/{{name}}": {"patch": _patch(kind)} for kind in served}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": paths}


def _patch(kind: Kind) -> dict[str, Any]:
    known = {"group": kind.group, "version": kind.version, "kind": kind.name}
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    asked = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    return {"x-kubernetes-group-version-kind": known, "parameters": asked, "responses": {}}
