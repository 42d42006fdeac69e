"""How a run is judged: by Ansible's own sums against the hosts that were meant, and by nothing that was printed."""

from collections.abc import Sequence

from gitops_hooks.plugin import HostOutcome, HostState, Outcome, RunState, summary
from gitops_hooks.plugins.ansible.events import Record

CANCELED = "ended on request; deploy again to bring the hosts to one state"


def late(limit: float) -> str:
    """What is said of a run that is over its time, however far it came."""
    return f"did not end within {limit:.0f} s; raise the limit or split the play"


def judge(intended: Sequence[str], record: Record, status: str, limit: float) -> Outcome:
    """One outcome for every intended host; `status` is ansible-runner's word, `limit` the run's seconds."""
    hosts = tuple(_host(name, record) for name in intended)
    if status == "canceled":
        return Outcome(RunState.CANCELED, hosts, detail=CANCELED)
    if status == "timeout":
        return Outcome(RunState.FAILED, hosts, detail=late(limit))
    if record.fault:
        return Outcome(RunState.ERROR, hosts, detail=record.fault)
    if record.stats is None:
        why = record.complaint or "no reason was given"
        return Outcome(RunState.ERROR, hosts, detail=f"Ansible ended without a summary: {why}")
    bad = [host for host in hosts if not host.state.is_good]
    if bad:
        return Outcome(RunState.FAILED, hosts, detail=summary(bad))
    if status != "successful":
        return Outcome(RunState.FAILED, hosts, detail="Ansible ended badly although every host is well; deploy again")
    return Outcome(RunState.SUCCESSFUL, hosts)


def judge_nobody(set_aside: Sequence[HostOutcome]) -> Outcome:
    """No host was ready, so nothing was started."""
    return Outcome(RunState.FAILED, tuple(set_aside), detail=summary(set_aside))


def _host(name: str, record: Record) -> HostOutcome:
    changed = record.changed.get(name, 0)
    if record.stats is not None:
        changed = record.stats["changed"].get(name, 0)
    lost = record.lost.get(name)
    if lost is not None and lost.refused:
        return HostOutcome(name, HostState.FAILED, changed, str(lost))
    if lost or (record.stats and record.stats["dark"].get(name)):
        detail = f"was lost during the run: {lost}" if lost else "was lost during the run"
        return HostOutcome(name, HostState.UNREACHABLE, changed, detail)
    if record.stats is None:
        return _unfinished(name, record, changed)
    if record.stats["failures"].get(name):
        return HostOutcome(name, HostState.FAILED, changed, _failure(name, record))
    if not record.stats["processed"].get(name):
        words = "no task was run on it: an earlier play ended the run"
        return HostOutcome(name, HostState.SKIPPED, 0, words, untouched=True)
    return HostOutcome(name, HostState.CHANGED if changed else HostState.OK, changed)


def _unfinished(name: str, record: Record, changed: int) -> HostOutcome:
    if name in record.failed:
        return HostOutcome(name, HostState.FAILED, changed, _failure(name, record))
    if name in record.touched:
        return HostOutcome(name, HostState.FAILED, changed, "the run ended before it was done with this host")
    return HostOutcome(name, HostState.SKIPPED, 0, "no task was run on it")


def _failure(name: str, record: Record) -> str:
    trouble = record.failed.get(name)
    return "failed; Ansible did not say in which task" if trouble is None else str(trouble)
