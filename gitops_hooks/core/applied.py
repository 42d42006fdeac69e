"""What each host of an environment was brought to, folded from the environment's log.

A deployment that ended well leaves every host at its commit: those that it visited, and those of which it was proven
that nothing concerns them. So the log is read back to the newest such end, or to one that visited everybody.
"""

from collections.abc import Iterable
from dataclasses import field, replace

from gitops_hooks.model.deployment import HostOutcome, RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class Applied:
    """Where hosts stand: at `base`, but for those `at` other commits, and `doubtful` ones, of which nobody knows.

    `unknown` says why nothing is known of any host. `definition` is what the environment was then; `asked` that
    somebody asked for a deployment since the newest one began. `missed` are doubtful ones at a commit, since the
    deployments that they missed are proven not to have touched them.
    """

    base: str = ""
    definition: str = ""
    at: tuple[tuple[str, str], ...] = ()
    doubtful: frozenset[str] = frozenset()
    unknown: str = ""
    asked: bool = False
    missed: tuple[tuple[str, str], ...] = ()

    def back(self) -> "Applied":
        """The same for a way back: who missed what is to be undone has nothing of it."""
        return replace(
            self, at=(*self.at, *self.missed), doubtful=self.doubtful - {host for host, _ in self.missed}, missed=()
        )


@dataclass(slots=True)
class _Fold:
    """`missing` were missed by what was read so far, and untouched by it: something older tells where they stand.

    With a `base` all others are known.
    """

    at: dict[str, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    missed: dict[str, str] = field(default_factory=dict)
    base: str | None = None
    definitions: set[str] = field(default_factory=set)
    asked: bool = False

    def wants(self, host: str) -> bool:
        """Whether an older deployment can still tell something of this host."""
        known = host in self.at or host in self.doubtful or host in self.missed
        return host in self.missing or (self.base is None and not known)

    def stands(self, base: str, unknown: str = "") -> Applied:
        """What it all amounts to, where hosts of which nothing was told are at this commit."""
        if self.base is None and not unknown:
            self.missed |= dict.fromkeys(self.missing, base)
        elif not unknown:
            base, self.missed = self.base or "", self.missed | dict.fromkeys(self.missing, base)
        else:
            self.doubtful |= self.missing
        if len(self.definitions) > 1:
            unknown = "its entry in the policy changed"
        definition, doubtful = next(iter(self.definitions), ""), frozenset(self.doubtful | set(self.missed))
        missed = tuple(self.missed.items())
        return Applied(base, definition, tuple(self.at.items()), doubtful, unknown, self.asked, missed)

    def take(self, host: HostOutcome, commit: str) -> None:
        """What became of one host in a deployment of this commit."""
        if not self.wants(host.name):
            return
        late = host.name in self.missing
        if host.state.is_good:
            (self.missed if late else self.at)[host.name] = commit
        elif not host.untouched:
            self.doubtful.add(host.name)
        else:
            self.missing.add(host.name)
            return
        self.missing.discard(host.name)

    def doubt(self, hosts: Iterable[str]) -> None:
        lost = {host for host in hosts if self.wants(host)}
        self.doubtful |= lost
        self.missing -= lost


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
                    return _broken_off(fold, "nothing ended well for long")
    return _broken_off(fold, "it is the first" if not runs else "none ended well yet")


def _broken_off(fold: _Fold, unknown: str) -> Applied:
    """There is nothing more to be read: hosts that are still looked for may have anything."""
    if fold.base is None:
        return fold.stands("", unknown)
    fold.doubt(tuple(fold.missing))
    return fold.stands("")


def _take(fold: _Fold, began: Started, end: Finished | None) -> Applied | None:
    """Take one deployment in; what it all amounts to where nothing older matters."""
    fold.definitions.add(began.definition)
    if end and end.state is RunState.SUCCESSFUL:
        return fold.stands(end.commit)
    told = end.hosts if end else ()
    named = {host.name for host in told}
    for host in told:
        fold.take(host, began.commit)
    if not began.whole:
        fold.doubt(host for host in began.limit if host not in named)
        return None
    if not told:
        if fold.base is not None:
            return _broken_off(fold, "")
        return fold.stands("", "the last one told nothing of its hosts")
    # It visited everybody whom the playbook means; who is still looked for further back was not touched by it.
    fold.missed |= dict.fromkeys(fold.missing - named, began.commit)
    fold.missing &= named
    if not fold.missing:
        return fold.stands(began.commit if fold.base is None else fold.base)
    fold.base = began.commit if fold.base is None else fold.base
    return None
