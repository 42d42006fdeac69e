"""The deployer `kubernetes`: manifests of the tree applied, waited for, and pruned by what the inventory says.

The folder of the manifests stands for a host; what becomes of the objects are steps.
"""

import dataclasses
from collections.abc import Iterable

from gitops_hooks.plugin import (
    Deployer,
    Deployment,
    Drift,
    EdgeError,
    HostOutcome,
    HostState,
    Outcome,
    Plan,
    Preview,
    Prune,
    Rendered,
    Rendering,
    RunState,
    Say,
    Tool,
    Unrendered,
    Workbench,
    Workplace,
    hookimpl,
    plan_fault,
)
from gitops_hooks.plugins.kubernetes.applying import Applied, apply, wait_established, wait_healthy
from gitops_hooks.plugins.kubernetes.inventory import (
    Inventory,
    Overtaken,
    guard,
    read_inventory,
    write_inventory,
)
from gitops_hooks.plugins.kubernetes.kubectl import Halted, Unreachable
from gitops_hooks.plugins.kubernetes.look import find_drift, find_plan
from gitops_hooks.plugins.kubernetes.objects import Object, Refusal, stages
from gitops_hooks.plugins.kubernetes.pruning import left_out, prune
from gitops_hooks.plugins.kubernetes.told import Telling
from gitops_hooks.plugins.kubernetes.work import Work, keys_of, prepare


class Broken(Exception):
    """Something failed while the cluster was written to; whether it was there to be asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.state = HostState.UNREACHABLE if isinstance(error, Unreachable) else HostState.FAILED


@hookimpl
def gitops_deployers() -> Iterable[Deployer]:
    words = "applies manifests or a kustomization to a Kubernetes cluster, and prunes what went"
    rendering = Rendering(_render, tuple(Tool(name, ("version",)) for name in ("kubectl", "kustomize")))
    return (Deployer("kubernetes", words, deploy, drift=look, plan=plan, render=rendering),)


def _render(preview: Preview, bench: Workbench) -> Iterable[Rendered | Unrendered]:
    from gitops_hooks.plugins.kubernetes.preview import render

    return render(preview, bench)


def deploy(deployment: Deployment, workplace: Workplace, say: Say) -> Outcome:
    """Errors: EdgeError where what is granted or installed cannot be used."""
    telling = Telling(keys_of(deployment).manifests, say)
    try:
        work = prepare(deployment, workplace, telling)
        if deployment.approved and (why := _unapproved(work)):
            host = HostOutcome(telling.folder, HostState.FAILED, 0, why, untouched=True)
            return Outcome(RunState.FAILED, (host,), detail=f"failed: {telling.folder}")
        good = _brought(work)
    except Refusal as refusal:
        return Outcome(RunState.ERROR, (), detail=str(refusal))
    except Broken as broken:
        return _broken(telling, broken)
    except Halted as halted:
        return _halted(telling, halted.why, workplace.run_timeout)
    if good:
        state = HostState.CHANGED if telling.changed else HostState.OK
        return Outcome(RunState.SUCCESSFUL, (HostOutcome(telling.folder, state, telling.changed),))
    host = HostOutcome(telling.folder, HostState.FAILED, telling.changed, telling.fault)
    return Outcome(RunState.FAILED, (host,), detail=f"failed: {telling.folder}")


def look(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    """How the cluster differs from what was deployed. Errors: as deploy."""
    telling = Telling(keys_of(deployment).manifests, say)
    try:
        return find_drift(prepare(deployment, workplace, telling))
    except (Refusal, Overtaken, Unreachable) as error:
        return Drift(detail=str(error))
    except Halted as halted:
        return Drift(detail=f"the look was ended: {halted.why}")


def plan(deployment: Deployment, workplace: Workplace, say: Say) -> Plan:
    """What a change would do to the cluster. Errors: as deploy."""
    telling = Telling(keys_of(deployment).manifests, say)
    try:
        return find_plan(prepare(deployment, workplace, telling))
    except (Refusal, Overtaken, Unreachable) as error:
        return Plan(detail=str(error))
    except Halted as halted:
        return Plan(detail=f"the plan was ended: {halted.why}")


def _unapproved(work: Work) -> str:
    """Why what would be done is not what was approved. Errors: Broken, Halted."""
    try:
        return plan_fault(work.deployment.approved, find_plan(work))
    except (EdgeError, Overtaken, Unreachable) as error:
        raise Broken(error) from None


def _brought(work: Work) -> bool:
    try:
        return bring(work)
    except (EdgeError, Overtaken, Unreachable) as error:
        raise Broken(error) from None


def bring(work: Work) -> bool:
    """Whether everything is there, well, and nothing else. Errors: Overtaken, Unreachable, Halted, EdgeError."""
    applied, before = Applied(work.namespace), read_inventory(work.cluster, work.deployment, work.namespace)
    if not before.seen and not _lay_namespace(work, applied):
        return False
    claimed = _write(work, before, (*before.objects, *(one.object for one in work.manifests)))
    for stage in stages(work.manifests):
        guard(work.cluster, work.deployment, work.namespace)
        work.telling.say("apply")
        if not apply(work.cluster, stage, work.telling, applied, work.keys.force_conflicts):
            return False
        if not wait_established(work.cluster, applied, work.telling):
            return False
    if not wait_healthy(work.cluster, applied, work.keys.wait, work.telling):
        return False
    return _clear(work, claimed, applied)


def _lay_namespace(work: Work, applied: Applied) -> bool:
    """The inventory lies in the namespace, which may be an object of the tree itself."""
    own = [one for one in work.manifests if (one.object.kind, one.object.name) == ("Namespace", work.namespace)]
    if not own:
        return True
    good = apply(work.cluster, own, work.telling, applied, work.keys.force_conflicts)
    applied.values.clear()
    return good


def _clear(work: Work, claimed: Inventory, applied: Applied) -> bool:
    """Prune, and write down what is there now."""
    guard(work.cluster, work.deployment, work.namespace)
    left = left_out(claimed.objects, applied.objects, work.namespace)
    if work.keys.prune is Prune.NONE:
        _write(work, claimed, (*left, *applied.objects))
        return True
    work.telling.say("prune")
    kept = prune(work.cluster, left, applied, work.telling, work.keys.prune is Prune.ALL)
    _write(work, claimed, (*kept, *applied.objects))
    return not work.telling.fault


def _write(work: Work, before: Inventory, objects: Iterable[Object]) -> Inventory:
    return write_inventory(work.cluster, work.deployment, work.namespace, before, objects)


def _broken(telling: Telling, broken: Broken) -> Outcome:
    hosts = (HostOutcome(telling.folder, broken.state, telling.changed, str(broken)),)
    return Outcome(RunState.FAILED, hosts, detail=f"{broken.state.value}: {telling.folder}")


def _halted(telling: Telling, why: str, limit: float) -> Outcome:
    hosts = (HostOutcome(telling.folder, HostState.FAILED, telling.changed, f"ended early ({why})"),)
    if why == "canceled":
        words = "ended on request; deploy again to bring the cluster to one state"
        return dataclasses.replace(Outcome(RunState.CANCELED, hosts), detail=words)
    words = f"did not end within {limit:.0f} s; raise deploy_seconds in server.toml, or split the environment"
    return Outcome(RunState.FAILED, hosts, detail=words)
