"""What a change would do to the hosts before it lands: its resulting tree with `--check --diff`, as a guest there."""

from collections.abc import Callable

from gitops_hooks.plugin import Deployment, HostOutcome, HostPlan, HostState, Plan, Prospect, Say, Workplace
from gitops_hooks.plugins.ansible.differences import is_withheld
from gitops_hooks.plugins.ansible.dry_run import DryRun, dry_run

_PROSPECTS = {HostState.OK: Prospect.UNCHANGED, HostState.CHANGED: Prospect.CHANGES}


def plan(deployment: Deployment, workplace: Workplace, say: Say, canceled: Callable[[], bool]) -> Plan:
    """Look at what the tree would change. Errors: EdgeError where the workplace cannot be used."""
    run = dry_run(deployment, workplace, say, canceled)
    return Plan(tuple(_host(host, run) for host in run.hosts), run.detail)


def _host(host: HostOutcome, run: DryRun) -> HostPlan:
    """A host that was not looked at to the end is unknown, with what was found before."""
    found, more = run.differences(host)
    prospect = _PROSPECTS.get(host.state, Prospect.UNKNOWN)
    withheld = sum(is_withheld(one) for one in found)
    return HostPlan(host.name, prospect, found, more, withheld, host.detail)
