"""A look is a plan of what is deployed already: what it found, as how the hosts differ."""

from gitops_hooks.plugin import Drift, HostDrift, Plan, Prospect, Sync

_SYNC = {Prospect.CHANGES: Sync.OUT, Prospect.UNCHANGED: Sync.SYNCED, Prospect.UNKNOWN: Sync.UNKNOWN}
_MOST = 20


def drift_of(plan: Plan) -> Drift:
    """At most 20 differences of a host, and how many more there are."""
    hosts = []
    for host in plan.hosts:
        kept = host.differences[:_MOST]
        more = host.more + len(host.differences) - len(kept)
        hosts.append(HostDrift(host.name, _SYNC[host.prospect], kept, more, host.detail))
    return Drift(tuple(hosts), plan.detail)
