"""How hosts differ from what was deployed: the same playbook on the same rails, with `--check --diff`."""

from collections.abc import Callable

from gitops_hooks.plugin import Deployment, Drift, HostDrift, HostOutcome, HostState, Say, Sync, Workplace
from gitops_hooks.plugins.ansible.dry_run import DryRun, dry_run

_STATES = {HostState.OK: Sync.SYNCED, HostState.CHANGED: Sync.OUT}


def look(deployment: Deployment, workplace: Workplace, say: Say, canceled: Callable[[], bool]) -> Drift:
    """Look at the hosts of this environment. Errors: EdgeError where the workplace cannot be used."""
    run = dry_run(deployment, workplace, say, canceled)
    return Drift(tuple(_host(host, run) for host in run.hosts), run.detail)


def _host(host: HostOutcome, run: DryRun) -> HostDrift:
    """A host whose look ended early is out of sync by what was found before, and unknown where nothing was."""
    found, more = run.differences(host)
    sync = Sync.OUT if found or host.changed else _STATES.get(host.state, Sync.UNKNOWN)
    return HostDrift(host.name, sync, found, more, host.detail)
