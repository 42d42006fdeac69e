"""Objects brought into the cluster by server-side apply, in order, and waited for until they are well."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.kubernetes.health import Well, is_watched, judge
from gitops_hooks.plugins.kubernetes.kubectl import Answer, Kubectl, is_unknown
from gitops_hooks.plugins.kubernetes.objects import Manifest, Object, object_of
from gitops_hooks.plugins.kubernetes.standard_status import has_said, is_custom
from gitops_hooks.plugins.kubernetes.told import Telling

_APPLY_SECONDS = 900.0
_READ_SECONDS = 300.0  # kubectl asks 50 times a second, once for each object
_POLL_SECONDS = 2.0
# How long a new custom resource may be without a word of its controller; there may be none.
_FIRST_WORD_SECONDS = 10.0
_MOST_NAMED = 5
_CONFLICT = "conflict with "
_CURE = "; take the field out of the manifest, or let the policy say force_conflicts: true"
_ESTABLISHED_SECONDS = 60
# What the cluster itself writes beside what was wished for.
_ITS_OWN = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink")


@dataclass(slots=True)
class Applied:
    """What the cluster answered for each object that is there now."""

    namespace: str
    values: list[Mapping[str, Any]] = field(default_factory=list)
    created: set[Object] = field(default_factory=set)

    @property
    def uids(self) -> frozenset[str]:
        return frozenset(str(value["metadata"]["uid"]) for value in self.values)

    @property
    def objects(self) -> tuple[Object, ...]:
        return tuple(object_of(value) for value in self.values)


def read_objects(cluster: Kubectl, objects: Iterable[Object], *more: str) -> tuple[dict[str, Any], ...]:
    """Those of them that are there. Errors: EdgeError, Unreachable, Halted."""
    listed = [one.manifest() for one in objects]
    if not listed:
        return ()
    path = cluster.lay("asked.json", [json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}).encode()])
    words = ("get", f"--filename={path}", "--ignore-not-found", "-o=json", *more)
    answer = cluster.run(*words, seconds=_READ_SECONDS)
    if answer.status:
        raise EdgeError("kubectl get", answer.complaint)
    return answer.items()


def apply(cluster: Kubectl, stage: Sequence[Manifest], telling: Telling, applied: Applied, forced: bool) -> bool:
    """One stage; whether all of it is there now."""
    before = {_key(value): value for value in _read_known(cluster, stage)}
    answer = _apply(cluster, stage, forced)
    if not answer.status:
        _tell(answer.items(), before, telling, applied)
        return True
    if len(stage) == 1:
        telling.fail(stage[0].object, _cured(answer.complaint))
        return False
    # Of many it does not say which one is at fault. Each again: what is there already stays as it is.
    good = True
    for one in stage:
        answer = _apply(cluster, [one], forced)
        if answer.status:
            good = False
            telling.fail(one.object, _cured(answer.complaint))
        else:
            _tell(answer.items(), before, telling, applied)
    return good


def _read_known(cluster: Kubectl, stage: Sequence[Manifest]) -> tuple[dict[str, Any], ...]:
    """What is there before; where a kind is not even known, apply says so with the object's name."""
    try:
        return read_objects(cluster, [one.object for one in stage])
    except EdgeError as error:
        if is_unknown(str(error)):
            return ()
        raise


def _apply(cluster: Kubectl, stage: Sequence[Manifest], forced: bool) -> Answer:
    path = cluster.lay("applied.yaml", [one.text for one in stage])
    words = ["apply", "--server-side", f"--field-manager={cluster.manager}", f"--filename={path}", "-o=json"]
    return cluster.run(*words, *(["--force-conflicts"] if forced else []), seconds=_APPLY_SECONDS)


def _cured(complaint: str) -> str:
    return complaint + _CURE if _CONFLICT in complaint else complaint


def _tell(
    values: Iterable[Mapping[str, Any]], before: Mapping[Object, Mapping[str, Any]], telling: Telling, applied: Applied
) -> None:
    for value in values:
        old = before.get(_key(value))
        if old is None:
            telling.change("create", object_of(value))
            applied.created.add(_key(value))
        elif _wished(old) != _wished(value):
            telling.change("update", object_of(value))
        applied.values.append(value)


def _key(value: Mapping[str, Any]) -> Object:
    found = object_of(value)
    return Object("/" + found.group, found.kind, found.namespace, found.name)


def _wished(value: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: each for key, each in value.get("metadata", {}).items() if key not in _ITS_OWN}
    return {**value, "metadata": metadata, "status": None}


def wait_healthy(cluster: Kubectl, applied: Applied, seconds: int, telling: Telling) -> bool:
    """Whether all are well in time. Errors: EdgeError, Unreachable, Halted."""
    watched = [one for one in applied.objects if is_watched(one.version, one.kind)]
    began = time.monotonic()
    until = began + seconds
    while watched:
        values = {_key(value): value for value in read_objects(cluster, watched)}
        early = time.monotonic() - began < min(_FIRST_WORD_SECONDS, seconds / 2)
        young = applied.created if early else set[Object]()
        waiting = {one: _judged(values, one, young) for one in watched}
        bad = {one: why for one, (well, why) in waiting.items() if well is Well.DEGRADED}
        going = {one: why for one, (well, why) in waiting.items() if well is Well.PROGRESSING}
        if bad or (going and time.monotonic() >= until):
            for one, why in (bad or going).items():
                telling.fail(one, f"Degraded: {why}" if bad else f"not healthy after {seconds} s: {why}")
            return False
        if not going:
            return True
        telling.say(f"waits for {', '.join(map(str, list(going)[:_MOST_NAMED]))}")
        cluster.rest(min(_POLL_SECONDS, max(0.1, until - time.monotonic())))
    return True


def _judged(values: Mapping[Object, Mapping[str, Any]], one: Object, young: set[Object]) -> tuple[Well, str]:
    """`young` are objects whose controllers may not have found them yet: until they have, no status says nothing."""
    key = Object("/" + one.group, one.kind, one.namespace, one.name)
    value = values.get(key)
    if value is None:
        return Well.DEGRADED, "somebody has deleted it"
    if key in young and is_custom(one.group) and not has_said(value):
        return Well.PROGRESSING, "no status yet"
    found = judge(value)
    return found.well, found.why


def wait_established(cluster: Kubectl, applied: Applied, telling: Telling) -> bool:
    """Kinds are served a moment after their definition is there; without it no object of them is taken."""
    made = [value for value in applied.values if object_of(value).kind == "CustomResourceDefinition"]
    return wait_healthy(cluster, Applied(applied.namespace, made), _ESTABLISHED_SECONDS, telling)
