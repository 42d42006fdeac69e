"""Everything that a run, a look or a plan of a cluster stands on, made ready in the same way."""

import os
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.plugin import Deployment, EdgeError, Kubernetes, Progress, Workplace
from gitops_hooks.plugins.deployed_program import Place, last_moment, listen_for_term
from gitops_hooks.plugins.granted import hider
from gitops_hooks.plugins.kubernetes.difference import lay_comparer
from gitops_hooks.plugins.kubernetes.inventory import inventory_name
from gitops_hooks.plugins.kubernetes.kubeconfig import read_access
from gitops_hooks.plugins.kubernetes.kubectl import Kubectl, find_kubectl
from gitops_hooks.plugins.kubernetes.objects import Manifest, Refusal, read_manifests
from gitops_hooks.plugins.kubernetes.rendering import render
from gitops_hooks.plugins.kubernetes.told import Telling


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that a run or a look stands on."""

    deployment: Deployment
    keys: Kubernetes
    namespace: str
    cluster: Kubectl
    manifests: tuple[Manifest, ...]
    telling: Telling


def keys_of(deployment: Deployment) -> Kubernetes:
    if deployment.environment.kubernetes is None:
        raise EdgeError("policy", "the environment says nothing of its manifests")
    return deployment.environment.kubernetes


def prepare(deployment: Deployment, workplace: Workplace, telling: Telling) -> Work:
    """Render first, without network or credential. Errors: Refusal, EdgeError, Halted."""
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    telling.tell(Progress(hosts=(telling.folder,), task="kustomize"))
    keys, program = keys_of(deployment), find_kubectl(os.environ["PATH"])
    access = read_access(workplace.credentials, keys.namespace)
    place = Place(workplace.scratch, _environ(workplace.scratch), deadline, canceled)
    manifests = read_manifests(render(keys.manifests, program, workplace, place), access.namespace)
    _refuse_inventory(manifests, inventory_name(deployment))
    settings = access.lay(workplace.scratch / "kubeconfig")
    hide = hider(workplace.credentials, access.secrets)
    cluster = Kubectl(program, place, workplace.scratch, settings, inventory_name(deployment), hide)
    return Work(deployment, keys, access.namespace, cluster, manifests, telling)


def _environ(scratch: Path) -> dict[str, str]:
    said = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return said | {"HOME": str(scratch), "KUBECTL_EXTERNAL_DIFF": str(lay_comparer(scratch))}


def _refuse_inventory(manifests: tuple[Manifest, ...], name: str) -> None:
    if any((one.object.kind, one.object.name) == ("ConfigMap", name) for one in manifests):
        raise Refusal(f"ConfigMap {name} is the inventory of this environment, and no manifest; take it out")
