"""The policy's keys of an environment that the deployer `kubernetes` deploys."""

import re
from collections.abc import Mapping

from gitops_hooks.core.policy_nodes import is_yes, read_text, read_truth
from gitops_hooks.core.policy_reading import Reading, read_path
from gitops_hooks.core.policy_times import read_seconds
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.kubernetes import Kubernetes, Prune

KEYS = ("manifests", "namespace", "force_conflicts", "prune", "wait")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_DAYS = 1


def read_kubernetes(fields: Mapping[str, Marked], reading: Reading) -> Kubernetes | None:
    """None where the environment says nothing of Kubernetes."""
    if not any(key in fields for key in KEYS):
        return None
    namespace = fields.get("namespace")
    known = "a name of a-z, 0-9 and -, at most 63 long"
    return Kubernetes(
        _read_folder(fields.get("manifests"), reading),
        read_text(namespace, "namespace", reading.faults, _NAMESPACE, known) if namespace else "",
        read_truth(fields.get("force_conflicts"), "force_conflicts", reading.faults),
        _read_prune(fields.get("prune"), reading),
        read_seconds(fields["wait"], "wait", _LONGEST_DAYS, reading) if "wait" in fields else Kubernetes("").wait,
    )


def _read_folder(node: Marked | None, reading: Reading) -> str:
    if node is not None and node.tag == "str" and node.text == ".":
        return "."
    return read_path(node, "manifests", reading)


def _read_prune(node: Marked | None, reading: Reading) -> Prune:
    if node is None:
        return Prune.SAFE
    if node.tag == "bool":
        return Prune.SAFE if is_yes(node) else Prune.NONE
    if node.tag == "str" and node.text == Prune.ALL.value:
        return Prune.ALL
    reading.complain(node, "prune: is one of true, false, all")
    return Prune.SAFE
