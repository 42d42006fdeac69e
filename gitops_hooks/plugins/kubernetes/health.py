"""Whether an object is well, judged as `kubectl rollout status` and Argo CD do; what nobody judges is at once."""

from collections.abc import Callable, Mapping

from gitops_hooks.plugins.kubernetes.judged import Health, Value, Well, condition_of, number_of
from gitops_hooks.plugins.kubernetes.standard_status import is_custom, judge_standard

__all__ = ["Health", "Well", "is_watched", "judge"]

_GOOD = Health(Well.HEALTHY)


def judge(value: Value) -> Health:
    """How an object is that the cluster has told."""
    found = _JUDGES.get(_kind(value))
    if found:
        return found(value, _mapping(value.get("spec")), _mapping(value.get("status")))
    return judge_standard(value) if is_custom(_kind(value)[0]) else _GOOD


def is_watched(version: str, kind: str) -> bool:
    """Whether there is anything to wait for."""
    group = version.rpartition("/")[0]
    return (group, kind) in _JUDGES or is_custom(group)


def _kind(value: Value) -> tuple[str, str]:
    return str(value.get("apiVersion", "")).rpartition("/")[0], str(value.get("kind", ""))


def _going(why: str) -> Health:
    return Health(Well.PROGRESSING, why)


def _bad(why: str) -> Health:
    return Health(Well.DEGRADED, why)


def _is_unseen(value: Value, status: Value) -> bool:
    return number_of(status, "observedGeneration") < number_of(_mapping(value.get("metadata")), "generation")


def _deployment(value: Value, spec: Value, status: Value) -> Health:
    if spec.get("paused") is True:
        return _GOOD
    if _is_unseen(value, status):
        return _going("not seen by its controller yet")
    progress = condition_of(status, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return _bad(str(progress.get("message") or "it exceeded its progress deadline"))
    wanted, there = _replicas(spec), number_of(status, "replicas")
    updated, available = number_of(status, "updatedReplicas"), number_of(status, "availableReplicas")
    if updated < wanted:
        return _going(f"{updated} of {wanted} replicas are updated")
    if there > updated:
        return _going(f"{there - updated} old replicas are still there")
    if available < updated:
        return _going(f"{available} of {updated} replicas are available")
    return _GOOD


def _stateful(value: Value, spec: Value, status: Value) -> Health:
    strategy = _mapping(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete":
        return _GOOD
    if _is_unseen(value, status):
        return _going("not seen by its controller yet")
    wanted, ready = _replicas(spec), number_of(status, "readyReplicas")
    if ready < wanted:
        return _going(f"{ready} of {wanted} replicas are ready")
    kept = number_of(_mapping(strategy.get("rollingUpdate")), "partition")
    updated = number_of(status, "updatedReplicas")
    if kept:
        return _going(f"{updated} of {wanted - kept} replicas are updated") if updated < wanted - kept else _GOOD
    if status.get("updateRevision") != status.get("currentRevision"):
        return _going(f"{updated} of {wanted} replicas are updated")
    return _GOOD


def _daemons(value: Value, spec: Value, status: Value) -> Health:
    if _mapping(spec.get("updateStrategy")).get("type") == "OnDelete":
        return _GOOD
    if _is_unseen(value, status):
        return _going("not seen by its controller yet")
    wanted = number_of(status, "desiredNumberScheduled")
    for key, words in (("updatedNumberScheduled", "updated"), ("numberAvailable", "available")):
        if number_of(status, key) < wanted:
            return _going(f"{number_of(status, key)} of {wanted} pods are {words}")
    return _GOOD


def _job(_: Value, spec: Value, status: Value) -> Health:
    failed = condition_of(status, "Failed")
    if failed.get("status") == "True":
        return _bad(": ".join(str(failed[key]) for key in ("reason", "message") if failed.get(key)) or "it failed")
    if spec.get("suspend") is True or condition_of(status, "Complete").get("status") == "True":
        return _GOOD
    return _going("not complete yet")


def _pod(_: Value, __: Value, status: Value) -> Health:
    phase = status.get("phase")
    if phase == "Failed":
        return _bad(str(status.get("message") or "it failed"))
    if phase == "Succeeded" or condition_of(status, "Ready").get("status") == "True":
        return _GOOD
    return _going("not ready yet")


def _claim(_: Value, __: Value, status: Value) -> Health:
    phase = str(status.get("phase") or "Pending")
    if phase == "Lost":
        return _bad("its volume is lost")
    return _GOOD if phase == "Bound" else _going(f"{phase}, not bound yet")


def _definition(_: Value, __: Value, status: Value) -> Health:
    names = condition_of(status, "NamesAccepted")
    if names.get("status") == "False":
        return _bad(str(names.get("message") or "its names are taken"))
    return _GOOD if condition_of(status, "Established").get("status") == "True" else _going("not established yet")


def _replicas(spec: Value) -> int:
    return number_of(spec, "replicas") if "replicas" in spec else 1


def _mapping(found: object) -> Value:
    return found if isinstance(found, dict) else {}


_JUDGES: Mapping[tuple[str, str], Callable[[Value, Value, Value], Health]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful,
    ("apps", "DaemonSet"): _daemons,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
