"""Whether a custom resource is well, by the status that controllers are asked to write (the rules of kstatus).

A kind that nobody knows here says it in the same few words: which generation was seen, and the conditions Ready,
Available, Reconciling and Stalled.
"""

from collections.abc import Mapping
from typing import Any

from gitops_hooks.plugins.kubernetes.judged import Health, Value, Well, condition_of, number_of

_GOOD = Health(Well.HEALTHY)
_UNSEEN = Health(Well.PROGRESSING, "not seen by its controller yet")
# What the API server itself serves has no controllers of others, and is well as soon as it is there.
_BUILT_IN = frozenset(
    {
        *("", "apps", "batch", "autoscaling", "policy", "extensions"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "apiextensions", "authentication", "authorization", "certificates"),
                *("coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node"),
                *("rbac.authorization", "resource", "scheduling", "storage"),
            )
        ),
    }
)


def is_custom(group: str) -> bool:
    """Whether a kind of this group is not one of Kubernetes' own; APIServices have a status like others."""
    return group not in _BUILT_IN


def has_said(value: Value) -> bool:
    """Whether its controller has written any status."""
    return bool(value.get("status"))


def judge_standard(value: Value) -> Health:
    """How it is; one whose status says nothing of this is well as soon as it is there."""
    metadata, status = _mapping(value.get("metadata")), _mapping(value.get("status"))
    generation = number_of(metadata, "generation")
    if metadata.get("deletionTimestamp"):
        return Health(Well.PROGRESSING, "it is being deleted")
    if "observedGeneration" in status and number_of(status, "observedGeneration") < generation:
        return _UNSEEN
    if (stalled := condition_of(status, "Stalled")).get("status") == "True":
        return Health(Well.DEGRADED, _words(stalled) or "it is stalled")
    if (working := condition_of(status, "Reconciling")).get("status") == "True":
        return Health(Well.PROGRESSING, _words(working) or "it is being reconciled")
    told = next(filter(None, (condition_of(status, kind) for kind in ("Ready", "Available"))), None)
    if told is None:
        return _GOOD
    if "observedGeneration" in told and number_of(told, "observedGeneration") < generation:
        return _UNSEEN
    if told.get("status") == "True":
        return _GOOD
    return Health(Well.PROGRESSING, ": ".join(filter(None, (f"not {str(told['type']).lower()} yet", _words(told)))))


def _words(condition: Mapping[str, Any]) -> str:
    return ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))


def _mapping(found: object) -> Value:
    return found if isinstance(found, dict) else {}
