"""The playbook with `--check --diff` on the rails of a deployment: what looks and plans have in common."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from gitops_hooks.plugin import Deployment, Difference, HostOutcome, Outcome, Progress, Say, Workplace, summary
from gitops_hooks.plugins.ansible.answers import Refusal
from gitops_hooks.plugins.ansible.deployer import fenced
from gitops_hooks.plugins.ansible.differences import Differences
from gitops_hooks.plugins.ansible.fence import Life
from gitops_hooks.plugins.ansible.inventory_run import Intended, read_intended
from gitops_hooks.plugins.ansible.outcome import judge, judge_nobody
from gitops_hooks.plugins.ansible.pinned import pin, pin_routes
from gitops_hooks.plugins.ansible.preflight import check_hosts
from gitops_hooks.plugins.ansible.rescan import rescan
from gitops_hooks.plugins.ansible.run import Playbook, Rails
from gitops_hooks.plugins.ansible.withheld import withholder


@dataclass(frozen=True, slots=True)
class DryRun:
    """What became of every host that was meant, and its differences; without hosts `detail` says why not."""

    hosts: tuple[HostOutcome, ...] = ()
    found: Mapping[str, Sequence[Difference]] = field(default_factory=dict)
    detail: str = ""

    def differences(self, host: HostOutcome) -> tuple[tuple[Difference, ...], int]:
        """What would change there, and how many changes are not told."""
        found = tuple(self.found.get(host.name, ()))
        return found, max(0, host.changed - len(found))


def dry_run(deployment: Deployment, workplace: Workplace, say: Say, canceled: Callable[[], bool]) -> DryRun:
    """Go to the hosts of this deployment and change nothing. Errors: EdgeError where the workplace cannot be used."""
    scan = rescan(workplace.project, deployment.allowed)
    if scan.refusal:
        return DryRun(detail=scan.refusal)
    pinned = pin(workplace, deployment.environment)
    vault = scan.vault and pinned.credentials.vault_password is not None
    own = dataclasses.replace(workplace, credentials=pinned.credentials)
    differences = Differences(workplace.project, say, withholder(pinned.credentials, vault))
    with closing(Playbook(Rails(deployment, own, pinned, differences, canceled), workplace.run_timeout)) as playbook:
        try:
            intended = read_intended(deployment.environment, own, playbook.ask, vault).limited(deployment.hosts)
        except Refusal as refusal:
            return DryRun(detail=str(refusal))
        if not intended.targets:
            return DryRun(detail="no play means any of the hosts that are to be looked at")
        say(Progress(hosts=intended.names))
        outcome = _run(_logged_in(intended, workplace.credentials.user), playbook)
    return DryRun(outcome.hosts, differences.found, outcome.detail)


def _logged_in(intended: Intended, user: str) -> Intended:
    """The same hosts, logged in to as the user that the server's file names."""
    if not user:
        return intended
    targets = tuple(dataclasses.replace(target, user=user) for target in intended.targets)
    return Intended(targets, tuple(dataclasses.replace(route, user=user) for route in intended.routes))


def _run(intended: Intended, playbook: Playbook) -> Outcome:
    rails = playbook.rails
    deployment, workplace, pinned = rails.deployment, rails.workplace, rails.pinned
    ready, aside = check_hosts(intended.targets, deployment, workplace)
    if not ready:
        return judge_nobody(aside)
    names = [one.target.name for one in ready]
    # What has not landed becomes nobody else on a host, whatever a play says: extra vars beat it.
    pinned_too = {"ansible_become": False} if deployment.plan and not pinned.credentials.become else {}
    pin_routes(pinned, fenced(intended.routes, ready), names, workplace.connect_timeout, pinned_too)
    with Life(tuple(one.taken for one in ready)):
        status = playbook.run()
    for one in ready:
        one.close()
    return _with_aside(judge(names, rails.listener.record, status, workplace.run_timeout), aside, intended.names)


def _with_aside(judged: Outcome, aside: Sequence[HostOutcome], names: Sequence[str]) -> Outcome:
    """The outcome of all hosts in the inventory's order, those too that could not be looked at."""
    known = {host.name: host for host in (*judged.hosts, *aside)}
    hosts = tuple(known[name] for name in names if name in known)
    return dataclasses.replace(judged, hosts=hosts, detail=judged.detail or (summary(aside) if aside else ""))
