"""How hosts differ from what was deployed: the same playbook on the same rails, with `--check --diff`."""

import dataclasses
from collections.abc import Callable, Sequence

from gitops_hooks.plugin import (
    Deployment,
    Drift,
    HostDrift,
    HostOutcome,
    HostState,
    Outcome,
    Progress,
    Say,
    Sync,
    Workplace,
)
from gitops_hooks.plugins.ansible.deployer import fenced
from gitops_hooks.plugins.ansible.differences import Differences
from gitops_hooks.plugins.ansible.fence import Life
from gitops_hooks.plugins.ansible.inventory_run import Intended, Refusal, read_intended
from gitops_hooks.plugins.ansible.outcome import judge, judge_nobody, summary
from gitops_hooks.plugins.ansible.pinned import Pinned, pin, pin_routes
from gitops_hooks.plugins.ansible.preflight import check_hosts
from gitops_hooks.plugins.ansible.rescan import rescan
from gitops_hooks.plugins.ansible.run import run_playbook
from gitops_hooks.plugins.ansible.withheld import withholder

_STATES = {HostState.OK: Sync.SYNCED, HostState.CHANGED: Sync.OUT}


def look(deployment: Deployment, workplace: Workplace, say: Say, canceled: Callable[[], bool]) -> Drift:
    """Look at the hosts of this environment. Errors: EdgeError where the workplace cannot be used."""
    scan = rescan(workplace.project, deployment.allowed)
    if scan.refusal:
        return Drift(detail=scan.refusal)
    pinned = pin(workplace, deployment.environment)
    vault = scan.vault and pinned.credentials.vault_password is not None
    try:
        intended = read_intended(deployment.environment, workplace, pinned, vault).limited(deployment.hosts)
    except Refusal as refusal:
        return Drift(detail=str(refusal))
    if not intended.targets:
        return Drift(detail="no play means any of the hosts that are to be looked at")
    say(Progress(hosts=intended.names))
    own = dataclasses.replace(workplace, credentials=pinned.credentials)
    differences = Differences(workplace.project, say, withholder(pinned.credentials, vault))
    outcome = _run(intended, deployment, own, pinned, (differences, canceled))
    return Drift(tuple(_host(host, differences) for host in outcome.hosts), outcome.detail)


def _run(
    intended: Intended,
    deployment: Deployment,
    workplace: Workplace,
    pinned: Pinned,
    terms: tuple[Differences, Callable[[], bool]],
) -> Outcome:
    differences, canceled = terms
    ready, aside = check_hosts(intended.targets, deployment, workplace)
    if not ready:
        return judge_nobody(aside)
    names = [one.target.name for one in ready]
    pin_routes(pinned, fenced(intended.routes, ready), names, workplace.connect_timeout)
    with Life(tuple(one.taken for one in ready)):
        status = run_playbook(deployment, workplace, pinned, differences, canceled)
    for one in ready:
        one.client.close()
    return _with_aside(judge(names, differences.record, status, workplace.run_timeout), aside, intended.names)


def _with_aside(judged: Outcome, aside: Sequence[HostOutcome], names: Sequence[str]) -> Outcome:
    """The outcome of all hosts in the inventory's order, those too that could not be looked at."""
    known = {host.name: host for host in (*judged.hosts, *aside)}
    hosts = tuple(known[name] for name in names if name in known)
    return dataclasses.replace(judged, hosts=hosts, detail=judged.detail or (summary(aside) if aside else ""))


def _host(host: HostOutcome, differences: Differences) -> HostDrift:
    """A host whose look ended early is out of sync by what was found before, and unknown where nothing was."""
    found = tuple(differences.found.get(host.name, ()))
    sync = Sync.OUT if found or host.changed else _STATES.get(host.state, Sync.UNKNOWN)
    return HostDrift(host.name, sync, found, max(0, host.changed - len(found)), host.detail)
