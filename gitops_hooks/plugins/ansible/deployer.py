"""The deployer `ansible`: looks at everything before the first task, runs the playbook on rails, judges by hosts.

Paramiko, ansible-runner and what needs them are imported inside functions: hooks load this module too.
"""

import dataclasses
import re
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from gitops_hooks.plugin import (
    Deployer,
    Deployment,
    Drift,
    EdgeError,
    Outcome,
    Plan,
    Preview,
    Progress,
    Rendered,
    Rendering,
    RunState,
    Say,
    Unrendered,
    Workbench,
    Workplace,
    hookimpl,
)

if TYPE_CHECKING:
    from gitops_hooks.plugins.ansible.inventory_run import Intended
    from gitops_hooks.plugins.ansible.pinned import Route
    from gitops_hooks.plugins.ansible.preflight import Ready
    from gitops_hooks.plugins.ansible.run import Runs

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@hookimpl
def gitops_deployers() -> Iterable[Deployer]:
    return (
        Deployer(
            "ansible",
            "runs a playbook over SSH against the pinned hosts of an inventory",
            deploy,
            checks=("controller",),
            drift=_drift,
            plan=_plan,
            render=Rendering(_render),
        ),
    )


def _render(preview: Preview, bench: Workbench) -> Iterable[Rendered | Unrendered]:
    from gitops_hooks.plugins.ansible.preview import render

    return render(preview, bench)


def deploy(deployment: Deployment, workplace: Workplace, say: Say) -> Outcome:
    """Bring the hosts of this environment to the tree. Errors: EdgeError where the workplace cannot be used."""
    from gitops_hooks.plugins.ansible.answers import Refusal
    from gitops_hooks.plugins.ansible.events import Listener
    from gitops_hooks.plugins.ansible.inventory_run import read_intended
    from gitops_hooks.plugins.ansible.pinned import pin
    from gitops_hooks.plugins.ansible.rescan import rescan
    from gitops_hooks.plugins.ansible.run import Rails, Runs
    from gitops_hooks.plugins.ansible.withheld import withholder

    if not _RUN_ID.fullmatch(deployment.run_id):
        raise EdgeError("deployer", "its run id is no plain word")
    canceled, deadline = _listen_for_term(), time.monotonic() + workplace.run_timeout
    scan = rescan(workplace.project, deployment.allowed)
    if scan.refusal:
        return Outcome(RunState.ERROR, detail=scan.refusal)
    pinned = pin(workplace, deployment.environment)
    vault = scan.vault and pinned.credentials.vault_password is not None
    listener = Listener(workplace.project, say, withholder(pinned.credentials, vault))
    # Preflight and run use the same copies of key and known_hosts.
    own = dataclasses.replace(workplace, credentials=pinned.credentials)
    with closing(Runs(Rails(deployment, own, pinned, listener, canceled))) as runs:
        try:
            intended = read_intended(deployment.environment, own, runs.ask, vault).limited(deployment.hosts)
        except Refusal as refusal:
            return Outcome(RunState.FAILED if refusal.nothing else RunState.ERROR, detail=str(refusal))
        if not intended.targets:
            return Outcome(RunState.SUCCESSFUL, detail="no play means any of the hosts that are to be visited")
        say(Progress(hosts=intended.names))
        return _deploy_to(intended, runs, deadline)


def _drift(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    from gitops_hooks.plugins.ansible.drift import look

    return look(deployment, workplace, say, _listen_for_term())


def _plan(deployment: Deployment, workplace: Workplace, say: Say) -> Plan:
    from gitops_hooks.plugins.ansible.plan import plan

    return plan(deployment, workplace, say, _listen_for_term())


def _deploy_to(intended: "Intended", runs: "Runs", deadline: float) -> Outcome:
    from gitops_hooks.plugins.ansible.fence import Life
    from gitops_hooks.plugins.ansible.outcome import judge_nobody
    from gitops_hooks.plugins.ansible.preflight import check_hosts
    from gitops_hooks.plugins.ansible.rolling import Site, roll_out

    ready, aside = check_hosts(intended.targets, runs.rails.deployment, runs.rails.workplace)
    if not ready:
        return judge_nobody(aside)
    site = Site(runs, fenced(intended.routes, ready), deadline, {one.target.name: one for one in ready})
    with Life(tuple(one.taken for one in ready)):
        ends = roll_out(site)
    for one in ready:
        one.close()
    return ends.put_together(intended.names, aside)


def fenced(routes: "Iterable[Route]", ready: "Iterable[Ready]") -> "tuple[Route, ...]":
    taken = {one.target.name: one.taken for one in ready}
    return tuple(
        dataclasses.replace(route, prefix=found.prefix, pythons=found.pythons)
        if (found := taken.get(route.name))
        else dataclasses.replace(route, prefix="")
        for route in routes
    )


def _listen_for_term() -> Callable[[], bool]:
    """Whether this program was asked to end: a run that is asked still says what became of each host."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    return lambda: bool(asked)
