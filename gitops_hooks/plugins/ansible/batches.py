"""A rollout in batches: which hosts follow which, when the next batch is not begun, and what it all amounts to."""

from collections.abc import Sequence

from gitops_hooks.plugin import HostOutcome, HostState, Outcome, Rollout, RunState, listed, summary


def stop_reason(outcome: Outcome, rollout: Rollout) -> str:
    """Why no batch may follow the one that ended like this; empty where one may."""
    bad = _bad(outcome.hosts)
    if said := _said(outcome):
        return said
    return rollout.stop_words(len(bad), len(outcome.hosts))


def put_together(
    intended: Sequence[str], aside: Sequence[HostOutcome], ends: Sequence[Outcome], batches: int, stopped: str
) -> Outcome:
    """One outcome of all batches that were begun; `stopped` is why the last of them was the last."""
    known = {host.name: host for host in (*(host for end in ends for host in end.hosts), *aside)}
    left = [name for name in intended if name not in known]
    where = f"after batch {len(ends)} of {batches}"
    words_left = f"nothing was run on it: the rollout stopped {where}"
    hosts = tuple(known.get(name) or _not_begun(name, words_left) for name in intended)
    last, said = ends[-1], _said(ends[-1])
    words = [said or summary(_bad(tuple(known.values())))]
    if left:
        words += [f"stopped {where}" + ("" if said else f": {stopped}"), f"not begun: {listed(left)}"]
    detail = "; ".join(filter(None, words))
    if last.state in (RunState.CANCELED, RunState.ERROR):
        return Outcome(last.state, hosts, detail=detail)
    return Outcome(RunState.FAILED if detail else RunState.SUCCESSFUL, hosts, detail=detail)


def _not_begun(name: str, words: str) -> HostOutcome:
    return HostOutcome(name, HostState.SKIPPED, detail=words, untouched=True)


def _bad(hosts: Sequence[HostOutcome]) -> list[HostOutcome]:
    return [host for host in hosts if not host.state.is_good]


def _said(end: Outcome) -> str:
    """What is wrong with a batch as a whole; empty where its hosts say it all."""
    return "" if end.detail == summary(_bad(end.hosts)) else end.detail
