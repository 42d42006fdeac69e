"""Plans of changes in words and for programs: their sums for everybody, what was found for who operates the hosts."""

import time
from collections.abc import Iterator

from gitops_hooks.core.govern import govern
from gitops_hooks.core.report import escape, field
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.plan_notes import PlanNotes, read_plan
from gitops_hooks.edge.terminal import is_open, tell
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.judge_environment import find_environment, judge_right
from gitops_hooks.entry.matter import Matter
from gitops_hooks.entry.planned import find_concerned, hold_plan
from gitops_hooks.entry.reach_words import matter_of
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.verb_words import say_verb
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.change_plan import PlanMade, PlannedEnvironment
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.plan_found import HostPlan, Plan
from gitops_hooks.model.request import Refusal

_PAUSE = 0.3
_NOT_SHOWN = "not shown (no_log, too many, or too large)"


def plan_lines(sitting: Sitting, record: ChangeRecord, matter: Matter) -> list[str]:
    """The lines of `change show`: the sums of the newest plan of the head, and whether it still holds."""
    made, head = record.plan_of(record.head.head), record.head.head
    governing = govern(sitting.policy, record.target)
    required = governing is not None and any(rule.plan for rule in governing.rules)
    lines = [line for one in (made.environments if made else ()) for line in field("plan", sums_of(one))]
    if record.plan_asked == head:
        return lines + field("plan" if not lines else "", "one was asked for; it is made as soon as it may be")
    if not made and not required:
        return []
    why = _why(sitting, record, matter)
    return lines + (field("plan" if not lines else "", why) if why else [])


def _why(sitting: Sitting, record: ChangeRecord, matter: Matter) -> str:
    try:
        concerned = find_concerned(sitting, record.target, matter.span, matter.merged)
        held = hold_plan(sitting, concerned, matter.span, matter.merged, record)
    except EdgeError as error:
        return str(error)
    return held.why


def sums_of(one: PlannedEnvironment) -> str:
    """`staging: 2 hosts change, 1 unchanged, 1 unknown`."""
    noun = "host changes" if one.changes == 1 else "hosts change"
    unknown = f", {one.unknown} unknown" if one.unknown else ""
    return f"{one.name}: {one.changes} {noun}, {one.unchanged} unchanged{unknown}"


def plan_sums(record: ChangeRecord) -> dict[str, object] | None:
    """The same for programs; null where there is no plan of the head."""
    made = record.plan_of(record.head.head)
    return _sums(made) if made else None


def _sums(made: PlanMade) -> dict[str, object]:
    environments = [
        {"name": one.name, "changes": one.changes, "unchanged": one.unchanged, "unknown": one.unknown}
        for one in made.environments
    ]
    return {
        "event": made.event,
        "head": made.head,
        "tree": made.tree,
        "digest": made.digest,
        "environments": environments,
    }


def show_plan(
    caller: Caller, sitting: Sitting, number: int, only: str = ""
) -> tuple[list[str] | Refusal, dict[str, object] | None]:
    """The newest plan of a change's head, of all environments or of one, in lines and as facts."""
    record = sitting.record.change(number)
    if record is None:
        return Refusal("change", f"There is no change {number}."), None
    if refusal := _may_not_read(caller, sitting, only) if only else None:
        return refusal, None
    made = record.plan_of(record.head.head)
    if made is None:
        return list(_nothing(record)), None
    notes = read_plan(sitting.state, number, made.digest)
    plans = [(one, _readable(caller, sitting, one.name, notes)) for one in made.environments if only in ("", one.name)]
    lines = [_head(record, made, notes)]
    for one, plan in plans:
        lines += [sums_of(one), *(_lines(plan) if isinstance(plan, Plan) else [f"  {plan}"])]
    if only and not plans:
        lines.append(f"it does not concern {escape(only)}")
    lines += _moved(sitting, record)
    found = {one.name: _facts(plan) for one, plan in plans if isinstance(plan, Plan)}
    return lines, _sums(made) | {"at": notes.at.isoformat() if notes else None, "found": found}


def _moved(sitting: Sitting, record: ChangeRecord) -> list[str]:
    """What is to be said where the plan is not one of what would land any more."""
    matter = matter_of(sitting, record) if record.state is ChangeState.OPEN else None
    why = _why(sitting, record, matter) if isinstance(matter, Matter) else ""
    return [escape(why)] if why else []


def _nothing(record: ChangeRecord) -> Iterator[str]:
    head = record.head.head
    if record.plan_asked == head:
        yield f"change {record.number} at {head[:12]}: a plan was asked for; it is made as soon as it may be"
        return
    yield f"change {record.number} at {head[:12]} has no plan"
    yield f"once all approvals are there:  ssh <host> change plan {record.number} {head}"


def _head(record: ChangeRecord, made: PlanMade, notes: PlanNotes | None) -> str:
    at = f", made {notes.at:%Y-%m-%d %H:%M:%S} UTC" if notes else ""
    return f"plan {made.digest[:12]} of change {record.number} at {made.head[:12]}{at}"


def _readable(caller: Caller, sitting: Sitting, name: str, notes: PlanNotes | None) -> Plan | str:
    """What was found in one environment, or why it is not told."""
    environment = sitting.policy.environment(name)
    if environment is None or not judge_right(sitting, environment, caller.actor or SERVER).holds:
        return f"what was found is for those who operate {name}"
    if notes is None or name not in notes.plans:
        return "what was found is not kept any more; have it planned again"
    return notes.plans[name]


def _lines(plan: Plan) -> Iterator[str]:
    if plan.detail and not plan.hosts:
        yield f"  {escape(plan.detail)}"
    for host in plan.hosts:
        yield f"{escape(host.name)}: {host.prospect.value}" + (f": {escape(host.detail)}" if host.detail else "")
        for one in host.differences:
            yield f"  {escape(_title(one))}"
            yield from (f"    {escape(line)}" for line in one.text.splitlines())
        if host.more:
            yield f"  {host.more} {_NOT_SHOWN}"


def _title(one: Difference) -> str:
    return ": ".join(filter(None, (one.place, one.task)))


def _facts(plan: Plan) -> dict[str, object]:
    return {"detail": plan.detail, "hosts": [_host_facts(host) for host in plan.hosts]}


def _host_facts(host: HostPlan) -> dict[str, object]:
    listed = [{"place": one.place, "task": one.task, "text": one.text} for one in host.differences]
    sums: dict[str, object] = {"more": host.more, "withheld": host.withheld, "detail": host.detail}
    return {"name": host.name, "prospect": host.prospect.value, "differences": listed, **sums}


def _may_not_read(caller: Caller, sitting: Sitting, name: str) -> Refusal | None:
    """Why this caller is not told of one environment's hosts."""
    environment = find_environment(sitting, name)
    if isinstance(environment, Refusal):
        return environment
    right = judge_right(sitting, environment, caller.actor or SERVER)
    if right.holds:
        return None
    return Refusal("operate", f"{right.reason} ({right.place})" if right.place else right.reason)


def ask_plan(caller: Caller, sitting: Sitting, asked: tuple[int, str], message: str, *, follow: bool) -> int | None:
    """Ask for a plan of this commit; the exit code, or None where it is there to be shown."""
    number, commit = asked
    answer = say_verb(caller, sitting, ("plan", number, commit), message)
    if isinstance(answer, Refusal):
        tell([f"gitops: {line}" for line in answer.reason.splitlines()] + ([answer.cure] if answer.cure else []))
        return 1
    if not answer.report.accepted or not follow:
        return 0 if answer.report.accepted else 1
    return None if _await_plan(sitting, number, commit) else 1


def _await_plan(sitting: Sitting, number: int, head: str) -> bool:
    """Wait for it, at most as long as a deployment is followed; whether it is there."""
    deadline = time.monotonic() + sitting.server.limits.follow_seconds
    while time.monotonic() < deadline and is_open(1):
        record = sitting.record.change(number)
        if record is None or record.plan_asked != head:
            return record is not None
        time.sleep(_PAUSE)
    tell([f"gitops: it is still being made; look at it:  ssh <host> change plan {number}"])
    return False
