"""Objects that the tree does not have any more: those of them that our inventory names and that are still ours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.kubernetes.applying import Applied, read_objects
from gitops_hooks.plugins.kubernetes.kubectl import Kubectl, is_unknown
from gitops_hooks.plugins.kubernetes.objects import Object, rank
from gitops_hooks.plugins.kubernetes.told import Telling

# With these goes what others made in them, or what nobody can bring back.
SPARED = ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume")


def left_out(known: Sequence[Object], there: Iterable[Object], namespace: str) -> tuple[Object, ...]:
    """What the inventory names beside what is there, in the order in which it goes.

    A manifest that names no namespace is in that of the environment, or in none.
    """
    placed = {_place(one, space) for one in there for space in (one.namespace, one.namespace or namespace)}
    left = [one for one in known if not {_place(one, one.namespace), _place(one, one.namespace or namespace)} & placed]
    return tuple(sorted(left, key=rank, reverse=True))


def _place(one: Object, namespace: str) -> tuple[str, str, str, str]:
    return one.group, one.kind, namespace, one.name


def prune(
    cluster: Kubectl, left: Sequence[Object], applied: Applied, telling: Telling, everything: bool
) -> tuple[Object, ...]:
    """Delete it; answers what has to stay in the inventory, since it is spared or could not be deleted."""
    kept: list[Object] = []
    for one in left:
        try:
            value = _read(cluster, one)
        except EdgeError as error:
            telling.fail(one, f"cannot be pruned: {error}")
            kept.append(one)
            continue
        if value is None or str(value["metadata"].get("uid")) in applied.uids:
            continue  # gone already, or the same object under another name of its kind
        if not _is_ours(value, cluster.manager):
            telling.note(f"left alone, since somebody else has made it anew: {one}")
        elif one.kind in SPARED and not everything:
            telling.note(f"kept, since only prune: all deletes it: {one}")
            kept.append(one)
        elif not _delete(cluster, one, telling):
            kept.append(one)
    return tuple(kept)


def _read(cluster: Kubectl, one: Object) -> Mapping[str, Any] | None:
    try:
        found = read_objects(cluster, [one], "--show-managed-fields")
    except EdgeError as error:
        if is_unknown(str(error)):
            return None  # its kind went with its definition, and so did the object
        raise
    return found[0] if found else None


def _is_ours(value: Mapping[str, Any], manager: str) -> bool:
    listed = value["metadata"].get("managedFields") or ()
    return any(one.get("manager") == manager and one.get("operation") == "Apply" for one in listed)


def _delete(cluster: Kubectl, one: Object, telling: Telling) -> bool:
    path = cluster.lay("pruned.json", [json.dumps(one.manifest()).encode()])
    answer = cluster.run("delete", f"--filename={path}", "--ignore-not-found", "--wait=false")
    if answer.status:
        telling.fail(one, f"cannot be pruned: {answer.complaint}")
        return False
    telling.change("prune", one)
    return True
