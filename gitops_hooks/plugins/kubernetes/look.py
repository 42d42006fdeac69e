"""How the cluster differs from what was deployed, and what a change would do to it; nothing is written."""

from gitops_hooks.plugin import Difference, Drift, HostDrift, HostPlan, Plan, Prospect, Prune, Sync
from gitops_hooks.plugins.granted import WITHHELD
from gitops_hooks.plugins.kubernetes.difference import Found, find_differences
from gitops_hooks.plugins.kubernetes.inventory import read_inventory
from gitops_hooks.plugins.kubernetes.pruning import SPARED, left_out
from gitops_hooks.plugins.kubernetes.work import Work

_MOST, _MOST_PLANNED = 20, 100
_CUT = "… the rest is too long to be kept"


def find_drift(work: Work) -> Drift:
    """Errors: Overtaken, Unreachable, Halted, EdgeError."""
    found = Found()
    if not read_inventory(work.cluster, work.deployment, work.namespace).seen:
        found.differences.append(Difference("", "the inventory of this environment is gone"))
    work.telling.say("diff")
    # Forced: a look is no attempt, and whoever changed a field by hand owns it now.
    find_differences(work.cluster, work.manifests, work.namespace, True, found)
    sync = Sync.OUT if found.differences else (Sync.UNKNOWN if found.unknown else Sync.SYNCED)
    kept, more = tuple(found.differences[:_MOST]), max(0, len(found.differences) - _MOST)
    return Drift((HostDrift(work.telling.folder, sync, kept, more, found.unknown),))


def find_plan(work: Work) -> Plan:
    """Errors: as find_drift."""
    found, inventory = Found(), read_inventory(work.cluster, work.deployment, work.namespace)
    work.telling.say("diff")
    find_differences(work.cluster, work.manifests, work.namespace, work.keys.force_conflicts, found)
    if work.keys.prune is not Prune.NONE:
        left = left_out(inventory.objects, [one.object for one in work.manifests], work.namespace)
        going = [one for one in left if work.keys.prune is Prune.ALL or one.kind not in SPARED]
        found.differences += [Difference("", f"prune {one}") for one in going]
    prospect = Prospect.CHANGES if found.differences else Prospect.UNCHANGED
    kept = tuple(found.differences[:_MOST_PLANNED])
    withheld = sum(one.text == WITHHELD or one.text.endswith(_CUT) for one in kept)
    prospect = Prospect.UNKNOWN if found.unknown else prospect
    more = len(found.differences) - len(kept)
    return Plan((HostPlan(work.telling.folder, prospect, kept, more, withheld, found.unknown),))
