"""What this environment has in the cluster, kept there in a ConfigMap: what may be pruned, and who wrote last.

It is written before anything is applied, so that whatever a killed run has applied is known to the next one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_hooks.plugin import Deployment, EdgeError
from gitops_hooks.plugins.kubernetes.kubectl import Answer, Kubectl
from gitops_hooks.plugins.kubernetes.objects import Object

_TRIES = 5
_NO_PLACE = 'namespaces "'
_LABELS = {"app.kubernetes.io/managed-by": "gitops-hooks"}


class Overtaken(Exception):
    """A newer deployment has been here; the words say which."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the cluster says; `seen` is the version of it that a write must replace, empty where there is none."""

    objects: tuple[Object, ...] = ()
    generation: int = 0
    seen: str = ""


def inventory_name(deployment: Deployment) -> str:
    """The ConfigMap, and the manager of fields: one of its own for each environment of each repository."""
    name = deployment.environment.name
    return f"gitops-hooks-{name}-{hashlib.sha256(f'{deployment.repository} {name}'.encode()).hexdigest()[:8]}"


def read_inventory(cluster: Kubectl, deployment: Deployment, namespace: str) -> Inventory:
    """Errors: Overtaken, EdgeError, Unreachable, Halted."""
    name = inventory_name(deployment)
    answer = cluster.run("get", "configmap", name, f"--namespace={namespace}", "--ignore-not-found", "-o=json")
    if answer.status:
        raise EdgeError(f"inventory {namespace}/{name}", answer.complaint)
    found = answer.items()
    inventory = _parse(found[0], f"{namespace}/{name}") if found else Inventory()
    if inventory.generation > deployment.generation:
        raise Overtaken(
            f"deployment {inventory.generation} has been here, and this one is {deployment.generation}; an older one "
            "never writes after a newer one"
        )
    return inventory


def write_inventory(
    cluster: Kubectl, deployment: Deployment, namespace: str, before: Inventory, objects: Iterable[Object]
) -> Inventory:
    """Replace exactly what was read; what somebody else wrote meanwhile is read again, and may be newer.

    Errors: as read_inventory.
    """
    wanted = tuple(sorted(set(objects)))
    for _ in range(_TRIES):
        text = json.dumps(_content(deployment, namespace, before, wanted)).encode()
        verb = "replace" if before.seen else "create"
        path = cluster.lay("inventory.json", [text])
        answer = cluster.run(verb, f"--filename={path}", f"--field-manager={cluster.manager}", "-o=json")
        if not answer.status:
            return Inventory(wanted, deployment.generation, _version(answer.items()[0]))
        if not _is_lost(answer):
            cure = (
                f"; make the namespace {namespace}, or make it one of the manifests"
                if _NO_PLACE in answer.complaint
                else ""
            )
            raise EdgeError(f"inventory {namespace}/{inventory_name(deployment)}", answer.complaint + cure)
        before = read_inventory(cluster, deployment, namespace)
        wanted = tuple(sorted({*wanted, *before.objects}))
    raise EdgeError(f"inventory {namespace}/{inventory_name(deployment)}", "somebody else writes it all the time")


def guard(cluster: Kubectl, deployment: Deployment, namespace: str) -> None:
    """Before each stage: whether this is still the newest. Errors: as read_inventory."""
    read_inventory(cluster, deployment, namespace)


def _is_lost(answer: Answer) -> bool:
    return any(f"({word})" in answer.complaint for word in ("Conflict", "AlreadyExists"))


def _content(deployment: Deployment, namespace: str, before: Inventory, objects: tuple[Object, ...]) -> dict[str, Any]:
    told = [[one.version, one.kind, one.namespace, one.name] for one in objects]
    metadata: dict[str, Any] = {"name": inventory_name(deployment), "namespace": namespace, "labels": _LABELS}
    if before.seen:
        metadata["resourceVersion"] = before.seen
    written = {
        "format": "1",
        "environment": deployment.environment.name,
        "commit": deployment.commit,
        "generation": str(deployment.generation),
        "objects": json.dumps(told),
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": written}


def _parse(value: Mapping[str, Any], name: str) -> Inventory:
    try:
        written = value["data"]
        if written["format"] != "1":
            raise ValueError("its format is not known")
        objects = tuple(Object(*map(str, each)) for each in json.loads(written["objects"]))
        return Inventory(objects, int(written["generation"]), _version(value))
    except (KeyError, TypeError, ValueError):
        words = "cannot be read, so what it names would be forgotten; mend it, or delete it if all of that may stay"
        raise EdgeError(f"inventory {name}", words) from None


def _version(value: Mapping[str, Any]) -> str:
    return str(value["metadata"]["resourceVersion"])
