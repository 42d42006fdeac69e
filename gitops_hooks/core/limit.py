"""Where hosts stand × what reaches them on the way to a commit → the hosts that a deployment visits."""

from collections.abc import Callable

from gitops_hooks.core.applied import Applied
from gitops_hooks.core.reach import Reached
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_COMMITS = 16
_MOST_HOSTS = 2_000


@dataclass(frozen=True, slots=True)
class Limit:
    """The hosts to visit (None: all of them), how many are left alone, and why it is so."""

    hosts: tuple[str, ...] | None
    left: int
    reason: str


def everybody(reason: str) -> Limit:
    return Limit(None, 0, reason)


def limit_of(applied: Applied, reach: Callable[[str], Reached]) -> Limit:
    """Whom a deployment visits; `reach` answers what touches the environment from a commit to the one that is meant."""
    at = dict(applied.at)
    commits = dict.fromkeys((applied.base, *at.values()))
    if len(commits) > _MOST_COMMITS:
        return everybody("its hosts stand at too many commits")
    needed, reasons, together = set(applied.doubtful), list[str](), ""
    there = frozenset[str]()
    for old in commits:
        reached = reach(old)
        if not reached.bounded or not reached.inventories:
            return everybody("its inventory is none that can be counted")
        there, together = reached.inventories[-1].hosts, together or reached.together
        fresh = {host for host in reached.hosts if at.get(host, applied.base) == old}
        needed |= fresh
        reasons += [why.words for why in reached.why if fresh & set(why.hosts)]
    return _decide(applied, frozenset(needed) & there, there, (together, reasons))


def _decide(applied: Applied, needed: frozenset[str], there: frozenset[str], told: tuple[str, list[str]]) -> Limit:
    together, reasons = told
    if needed and together:
        # One of them may need to know of another, which has to be visited for that.
        return everybody(together)
    words = reasons[0] + (f" and {len(reasons) - 1} more" if len(reasons) > 1 else "") if reasons else ""
    if applied.doubtful & needed:
        words = words or "they missed something"
    if needed and (needed == there or len(needed) > _MOST_HOSTS):
        return everybody(words)
    if not needed and applied.asked:
        return everybody("it was asked for")
    return Limit(tuple(sorted(needed)), len(there - needed), words or "nothing concerns its hosts")
