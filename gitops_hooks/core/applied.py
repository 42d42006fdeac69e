"""What each host of an environment was brought to, folded from the environment's log.

A deployment that ended well leaves every host at its commit: those that it visited, and those of which it was proven
that nothing concerns them. So the log is read back to the newest such end, or to one that visited everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gitops_hooks.model.deployment import HostState, RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started

_MOST_RUNS = 200
_GOOD = (HostState.OK, HostState.CHANGED)


@dataclass(frozen=True, slots=True)
class Applied:
    """Where hosts stand: at `base`, but for those `at` other commits, and `doubtful` ones, of which nobody knows.

    `unknown` says why nothing is known of any host. `definition` is what the environment was then; `asked` that
    somebody asked for a deployment since the newest one began.
    """

    base: str = ""
    definition: str = ""
    at: tuple[tuple[str, str], ...] = ()
    doubtful: frozenset[str] = frozenset()
    unknown: str = ""
    asked: bool = False


@dataclass(slots=True)
class _Fold:
    at: dict[str, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    definitions: set[str] = field(default_factory=set)
    asked: bool = False

    def knows(self, host: str) -> bool:
        return host in self.at or host in self.doubtful

    def stands(self, base: str, unknown: str = "") -> Applied:
        if len(self.definitions) > 1:
            unknown = "its entry in the policy changed"
        definition = next(iter(self.definitions), "")
        return Applied(base, definition, tuple(self.at.items()), frozenset(self.doubtful), unknown, self.asked)


def fold_applied(newest_first: Iterable[Event]) -> Applied:
    """Read back as far as it takes, and no more than 200 deployments."""
    fold, ended, runs = _Fold(), dict[int, Finished](), 0
    for event in newest_first:
        match event.body:
            case Requested():
                fold.asked = fold.asked or not runs
            case Finished() as body:
                ended.setdefault(body.generation, body)
            case Started() as body:
                runs += 1
                if applied := _take(fold, body, ended.get(event.stamp.number)):
                    return applied
                if runs == _MOST_RUNS:
                    return fold.stands("", "nothing ended well for long")
    return fold.stands("", "it is the first" if not runs else "none ended well yet")


def _take(fold: _Fold, began: Started, end: Finished | None) -> Applied | None:
    """Take one deployment in; what it all amounts to where nothing older matters."""
    fold.definitions.add(began.definition)
    if end and end.state is RunState.SUCCESSFUL:
        return fold.stands(end.commit)
    told = end.hosts if end else ()
    for host in told:
        if not fold.knows(host.name):
            if host.state in _GOOD:
                fold.at[host.name] = began.commit
            else:
                fold.doubtful.add(host.name)
    if began.whole:
        # It visited everybody whom the playbook means, unless it told of nobody.
        return fold.stands(began.commit if told else "", "" if told else "the last one told nothing of its hosts")
    named = {host.name for host in told}
    fold.doubtful |= {host for host in began.limit if host not in named and not fold.knows(host)}
    return None
