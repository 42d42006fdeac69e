"""What an environment can be rolled back to: only what was live there, and ended well, and nobody turned away from.

The server rolls back itself from what failed by its own fault, where the policy says so: one event, as for people.
"""

from datetime import datetime
from itertools import islice

from gitops_hooks.core.gates import judge_windows
from gitops_hooks.core.log_state import PINNED, LogState
from gitops_hooks.core.own_fault import is_own_fault, to_roll_back
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.entry.aim import Aim
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import HostState, RunState
from gitops_hooks.model.environment_event import Canceled, RolledBack
from gitops_hooks.model.event import Finished, Requested, Started
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal

_MOST_BACK = 5000
_NAMED = 4


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
    if commit == NO_OID:
        good = find_last_good(sitting, environment, aim.desired)
        none = f"{name} was at no other commit before {aim.desired[:12]} that ended well."
        return good or Refusal("rollback", none)
    good, bad = _look_back(sitting, environment, aim.standing.recorded, commit)
    if good is not None:
        return good
    if sitting.repository.is_commit(commit) and sitting.repository.tree_of(commit) in bad:
        return Refusal("rollback", f"{name} was rolled back from {commit[:12]}, and it did not end well since.")
    log = f"Those that were:  ssh <host> env log {name}"
    return Refusal("rollback", f"{commit[:12]} was never a tip of {environment.branch} that ended well in {name}.", log)


def find_last_good(sitting: Sitting, environment: Environment, before: str) -> Good | None:
    """The newest commit on the way to this one that was Healthy here, and of which nobody turned away since."""
    return _look_back(sitting, environment, before, NO_OID)[0]


def _look_back(
    sitting: Sitting, environment: Environment, before: str, commit: str
) -> tuple[Good | None, frozenset[str]]:
    """Newest first. The tree that somebody rolled back from is bad until it ends well again."""
    bad: set[str] = set()
    well: dict[int, str] = {}
    repository = sitting.repository
    for event in islice(sitting.record.events(environment_ref(environment.name, "log")), _MOST_BACK):
        match event.body:
            case RolledBack(tree=tree):
                bad.add(tree)
            case Finished(state=RunState.SUCCESSFUL, commit=at, generation=generation) if (
                repository.is_commit(at) and repository.tree_of(at) not in bad
            ):
                well[generation] = at
            case Started(commit=at, record=record) if event.stamp.number in well:
                if commit in (NO_OID, at) and at != before and repository.descends(before, at):
                    return Good(at, record), frozenset(bad)
    return None, frozenset(bad)


def roll_back(sitting: Sitting, environment: Environment, aim: Aim) -> bool:
    """Record that the environment goes back to what was good, where its newest deployment failed by its own fault."""
    name, log = environment.name, environment_ref(environment.name, "log")
    failed, tip = to_roll_back(environment, aim.log), sitting.repository.tip(log)
    good = _way_back(sitting, environment, failed.commit) if failed else None
    if failed is None or good is None:
        return False
    skips = find_skipped(environment, aim.log, sitting.ledger.clock())
    body = RolledBack(
        Word(name),
        Oid(good.commit),
        Oid(good.record),
        failed.commit,
        failed.commit,
        tuple(Word(word) for word in skips),
        Text(f"deployment {failed.generation} of {failed.commit[:7]} failed{_failed_on(failed)}"),
        Oid(sitting.repository.tree_of(failed.commit)),
        failed.generation,
    )
    return not isinstance(sitting.ledger.append(log, body, SERVER, expect=tip), LostRace)


def _way_back(sitting: Sitting, environment: Environment, commit: str) -> Good | None:
    return None if was_good(sitting, environment.name, commit) else find_last_good(sitting, environment, commit)


def was_good(sitting: Sitting, name: str, commit: str) -> bool:
    """Whether this very tree ended well here, and nobody has turned away from it: why it fails now lies elsewhere."""
    repository = sitting.repository
    tree = repository.tree_of(commit)
    for event in islice(sitting.record.events(environment_ref(name, "log")), _MOST_BACK):
        match event.body:
            case RolledBack(tree=left) if left == tree:
                return False
            case Finished(state=RunState.SUCCESSFUL, commit=at) if at == commit or (
                repository.is_commit(at) and repository.tree_of(at) == tree
            ):
                return True
    return False


def _failed_on(end: Finished) -> str:
    names = [host.name for host in end.hosts if host.state is HostState.FAILED and not host.untouched]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f" on {' '.join(names[:_NAMED])}{more}" if names else ""


def will_roll_back(sitting: Sitting, name: str, end: Finished) -> Good | None:
    """Where the server goes back to after this end, whether it has said so already or not; for whoever watches."""
    environment = sitting.policy.environment(name)
    if environment is None or not environment.rolls_back or not is_own_fault(end, environment.rollout):
        return None
    for event in islice(sitting.record.events(environment_ref(name, "log")), _MOST_BACK):
        match event.body:
            case RolledBack(failed=failed, commit=commit, record=record) if failed == end.generation:
                return Good(commit, record)
            case Requested() | Canceled() | RolledBack():
                return None
            case Started(carries=carries) if event.stamp.number == end.generation:
                return _way_back(sitting, environment, end.commit) if PINNED not in carries else None
    return None


def find_skipped(environment: Environment, log: LogState, now: datetime) -> tuple[str, ...]:
    """The gates that would hold anything but a rollback at this moment."""
    gates = environment.gates
    outside = judge_windows(gates, now)
    found = (
        ("paused", log.paused is not None),
        ("manual", gates.manual),
        ("after", bool(gates.after)),
        (outside.gate if outside else "", outside is not None),
    )
    return tuple(word for word, holds_back in found if holds_back)
