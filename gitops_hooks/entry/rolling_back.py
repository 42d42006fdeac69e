"""What an environment can be rolled back to: only what was live there, and ended well, and nobody turned away from."""

from dataclasses import dataclass
from itertools import islice

from gitops_hooks.entry.aim import Aim
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import RolledBack
from gitops_hooks.model.event import Finished, Started
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal

_MOST_BACK = 5000


@dataclass(frozen=True, slots=True)
class Good:
    """A commit that was Healthy here, and the event that recorded it as its branch's tip."""

    commit: str
    record: str


def find_good(sitting: Sitting, environment: Environment, aim: Aim, commit: str) -> Good | Refusal:
    """The commit that is asked for, or with NO_OID the last good one before what is desired."""
    name = environment.name
    if commit == aim.desired:
        return Refusal("rollback", f"{name} is meant to be at {commit[:12]} already.")
    if commit == aim.standing.recorded:
        cure = f"Let it go its way again:  ssh <host> env resume {name}"
        return Refusal("rollback", f"{commit[:12]} is the tip of {environment.branch}.", cure)
    good, bad = _look_back(sitting, environment, aim, commit)
    if good is not None:
        return good
    if commit == NO_OID:
        return Refusal("rollback", f"{name} was at no other commit before {aim.desired[:12]} that ended well.")
    if commit in bad:
        return Refusal("rollback", f"{name} was rolled back from {commit[:12]}, and it did not end well since.")
    log = f"Those that were:  ssh <host> env log {name}"
    return Refusal("rollback", f"{commit[:12]} was never a tip of {environment.branch} that ended well in {name}.", log)


def _look_back(sitting: Sitting, environment: Environment, aim: Aim, commit: str) -> tuple[Good | None, frozenset[str]]:
    """Newest first. What somebody rolled back from is bad until it ends well again."""
    bad: set[str] = set()
    well: dict[int, str] = {}
    for event in islice(sitting.record.events(environment_ref(environment.name, "log")), _MOST_BACK):
        match event.body:
            case RolledBack(left=left):
                bad.add(left)
            case Finished(state=RunState.SUCCESSFUL, commit=at, generation=generation) if at not in bad:
                well[generation] = at
            case Started(commit=at, record=record) if event.stamp.number in well:
                if commit in (NO_OID, at) and _is_before(sitting, aim, at, commit == NO_OID):
                    return Good(at, record), frozenset(bad)
    return None, frozenset(bad)


def _is_before(sitting: Sitting, aim: Aim, commit: str, strictly: bool) -> bool:
    """Whether the branch went through this commit, and where that is asked before what is desired now."""
    later = aim.desired if strictly else aim.standing.recorded
    return commit != later and sitting.repository.descends(later, commit)
