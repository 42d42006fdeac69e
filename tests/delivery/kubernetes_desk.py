"""One environment of Kubernetes in its real box, with kubectl itself and the API server of the tests."""

import json
from dataclasses import replace
from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from gitops_hooks.model.kubernetes import Kubernetes
from tests.cluster.server import Cluster
from tests.delivery.boxed import Boxed, environment, lay
from tests.unpacked import KUBECTL

FOLDER = "k8s"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {text: %s}\n"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template: {spec: {containers: [{name: web, image: "web:%s"}]}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: %s}\n"
VALUE = "hunter2hunter2"


def make_desk(folder: Path, cluster: Cluster) -> Boxed:
    """A page and a program, and a second to get well."""
    keys = Kubernetes(FOLDER, "shop", wait=3)
    made = Boxed(environment("kubernetes", kubernetes=keys), "gitops_hooks.plugins.kubernetes.deployer", {})
    made.granted = Credentials(tools=(KUBECTL,))
    grant(made, folder, cluster.kubeconfig())
    made.tree = {f"{FOLDER}/page.yaml": CONFIG % "hello", f"{FOLDER}/web.yaml": WEB % 1}
    return made


def grant(desk: Boxed, folder: Path, kubeconfig: str) -> None:
    files = lay(folder / "granted", {"kubeconfig": kubeconfig})
    desk.granted = replace(desk.granted, kubeconfig=files["kubeconfig"])


def told(desk: Boxed) -> list[tuple[str, str]]:
    return [(step.state.value, step.task) for step in desk.steps]


def good(changed: int) -> Outcome:
    state = HostState.CHANGED if changed else HostState.OK
    return Outcome(RunState.SUCCESSFUL, (HostOutcome(FOLDER, state, changed),))


def failed(why: str, changed: int = 0, state: HostState = HostState.FAILED) -> Outcome:
    host = HostOutcome(FOLDER, state, changed, why)
    return Outcome(RunState.FAILED, (host,), 0.0, f"{state.value}: {FOLDER}")


def error(why: str) -> Outcome:
    return Outcome(RunState.ERROR, (), 0.0, why)


def inventory(cluster: Cluster) -> tuple[str, list[str]]:
    """The generation and the objects that the ConfigMap in the cluster names."""
    (name,) = [name for name in cluster.names("ConfigMap") if name.startswith("gitops-hooks-staging-")]
    written = cluster.get("ConfigMap", name)["data"]  # type: ignore[index]
    named = [f"{kind} {namespace}/{name}" for _, kind, namespace, name in json.loads(written["objects"])]
    return written["generation"], named


def keep(desk: Boxed, **keys: object) -> None:
    had = desk.environment.kubernetes
    desk.environment = replace(desk.environment, kubernetes=replace(had, **keys))
