"""What the controllers of a cluster would write into an object's status, at once."""

from typing import Any


def settle(value: dict[str, Any], sick: bool) -> None:
    """Well, or (for a sick one) as it looks where nothing comes up."""
    make = _MAKERS.get(value["kind"])
    if make:
        value["status"] = make(value, sick)


def _deployment(value: dict[str, Any], sick: bool) -> dict[str, Any]:
    wanted = value["spec"].get("replicas", 1)
    found: dict[str, Any] = {"observedGeneration": value["metadata"]["generation"], "replicas": wanted}
    found |= {"updatedReplicas": wanted, "availableReplicas": 0 if sick else wanted}
    return found


def _stateful(value: dict[str, Any], sick: bool) -> dict[str, Any]:
    wanted = value["spec"].get("replicas", 1)
    found = {"observedGeneration": value["metadata"]["generation"], "readyReplicas": 0 if sick else wanted}
    return found | {"updatedReplicas": wanted, "currentRevision": "a", "updateRevision": "a"}


def _job(_: dict[str, Any], sick: bool) -> dict[str, Any]:
    kind = {"type": "Failed", "reason": "BackoffLimitExceeded"} if sick else {"type": "Complete"}
    return {"conditions": [kind | {"status": "True", "message": "it was tried often enough" if sick else ""}]}


def _established(_: dict[str, Any], sick: bool) -> dict[str, Any]:
    return {"conditions": [{"type": "Established", "status": "False" if sick else "True"}]}


def _shop(value: dict[str, Any], sick: bool) -> dict[str, Any]:
    """A kind of somebody else's, whose controller says what all are asked to say; a quiet one says nothing."""
    if value["metadata"]["name"] == "quiet":
        return {}
    ready = {"type": "Ready", "status": "False" if sick else "True", "message": "no goods" if sick else ""}
    return {"observedGeneration": value["metadata"]["generation"], "conditions": [ready]}


_MAKERS = {
    "Shop": _shop,
    "Deployment": _deployment,
    "StatefulSet": _stateful,
    "Job": _job,
    "CustomResourceDefinition": _established,
    "PersistentVolumeClaim": lambda _, sick: {"phase": "Pending" if sick else "Bound"},
    "Namespace": lambda _, sick: {"phase": "Active"},
}
