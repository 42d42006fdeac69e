"""May this report replace the one before? Whose it is, of what, and whether it is newer."""

from collections.abc import Iterator, Sequence

from gitops_hooks.core.receive import refuse_all, shown
from gitops_hooks.model.agent import AGENT_REFS, Report
from gitops_hooks.model.people import Charge
from gitops_hooks.model.push import RefUpdate
from gitops_hooks.model.request import Refusal

RULE = "agent"
_NAMED = 5


def agent_ref(name: str) -> str:
    """`refs/agents/<name>`."""
    return f"{AGENT_REFS}{name}"


def judge_agent_refs(name: str, updates: Sequence[RefUpdate], options: Sequence[str]) -> Refusal | None:
    """An agent pushes exactly its own ref, to something, and says nothing with it."""
    own = agent_ref(name)
    faults = [f"{shown(update.ref)} is not {own}" for update in updates if update.ref != own]
    faults += [f"{own} is not taken away: a report replaces it" for one in updates if one.ref == own and one.deletes]
    faults += [f"a report takes no push options: {shown(option)}" for option in options]
    if not faults:
        return None
    return refuse_all(RULE, faults, f"{name} is an agent: it pushes {own}, and nothing else.")


def judge_report(report: Report, name: str, charge: Charge, before: Report | None) -> Refusal | None:
    """Every fault of a report at once."""
    faults = tuple(_faults(report, name, charge, before))
    return refuse_all(RULE, faults) if faults else None


def _faults(report: Report, name: str, charge: Charge, before: Report | None) -> Iterator[str]:
    told = (("agent", report.agent, name), ("repository", report.repository, charge.repository))
    for field, said, meant in (*told, ("environment", report.environment, charge.environment)):
        if said != meant:
            yield f"{field}: it says {shown(said)}, and this key is that of {meant}"
    if strange := [host.name for host in report.hosts if not charge.covers(host.name)]:
        names = " ".join(shown(host) for host in strange[:_NAMED])
        more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
        yield f"hosts: {name} does not answer for {names}{more}; it answers for {' '.join(charge.hosts[:_NAMED])}"
    if before and report.sequence <= before.sequence:
        yield f"sequence: {report.sequence} does not follow {before.sequence}, the last one here"
