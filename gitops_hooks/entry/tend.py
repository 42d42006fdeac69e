"""One look at one repository: mend what a killed writer left, say what is wrong, start what is due."""

from collections.abc import Collection
from datetime import UTC, datetime

from gitops_hooks.core.interval import full_run_due
from gitops_hooks.core.log_state import LogState
from gitops_hooks.core.plan import Broken, Deploy, Held, Settled, Wait
from gitops_hooks.edge import journal
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.launch import end_leftovers
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.aim import Aim, gate_again, read_log, take_aim
from gitops_hooks.entry.alarms import alarms
from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.deploying import Run, Start, begin, end, environment_ref, move
from gitops_hooks.entry.dropping import drop_unborn
from gitops_hooks.entry.ending import find_cancel
from gitops_hooks.entry.landing import close_intent, finish_change, mend_change
from gitops_hooks.entry.pulled_after import agent_alarms, are_back, hear_drift, release_left
from gitops_hooks.entry.pulling import go_on, is_awaited
from gitops_hooks.entry.rolling_back import roll_back
from gitops_hooks.entry.settle import pay
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import Deployment, Outcome, RunState
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event import Finished, Landed, Landing, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment

_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: runs that began, when the next step is due, what is wrong.

    `ends` are environments without a run and the tips of their logs: where one changed, a run has ended. `calm` are
    those where nothing is due. `faults` are alarms that upkeep may cure.
    """

    began: tuple[Run, ...]
    due: datetime | None
    alarms: tuple[str, ...]
    settled: bool
    ends: tuple[tuple[str, str], ...]
    calm: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def tend(sitting: Sitting, busy: Collection[str]) -> Look:
    """Bring one repository a step further; `busy` are its environments with a run under way."""
    mend(sitting)
    wrong = [*alarms(sitting), *agent_alarms(sitting)]
    began: list[Run] = []
    due: list[datetime] = []
    calm: list[str] = []
    faults: list[str] = []
    settled = not busy
    for environment in sitting.policy.environments:
        if environment.name in busy:
            continue
        found = _tend_or_fail(sitting, environment)
        if found is None and (later := next_full_run(sitting, environment)) and later > datetime.now(UTC):
            # Nothing is missing: the time of the next full run keeps nobody waiting. One that is held waits for a look.
            due.append(later)
        settled = settled and found is None
        calm += [environment.name] if found is None else []
        match found:
            case Run():
                began.append(found)
            case datetime():
                due.append(found)
            case Held(until=until):
                due += [until] if until else []
            case str():
                wrong.append(found)
            case EdgeError() | PolicyError():
                faults.append(f"{environment.name}: {found}")
    running = {*busy, *(run.deployment.environment.name for run in began)}
    still = [environment.name for environment in sitting.policy.environments if environment.name not in running]
    ends = tuple((name, sitting.repository.tip(environment_ref(name, "log"))) for name in still)
    alarming = (*wrong, *faults)
    return Look(tuple(began), min(due, default=None), alarming, settled, ends, tuple(calm), tuple(faults))


def mend(sitting: Sitting) -> None:
    """Close open intents and finish half-written changes: everything after a commit point is rebuilt."""
    sitting.record.sync()
    sitting.record.ensure_changes()
    for ref, _ in sitting.record.index.intents():
        with hold(sitting.state, ref, _LOCK_SECONDS):
            close_intent(sitting, ref)
    # A change that landed is told so before anything is written to the index about it.
    _finish_landed_changes(sitting)
    for number in sitting.record.index.unfinished():
        # Whoever writes a change holds its target's lock: under it nothing is half-written any more.
        with hold(sitting.state, sitting.record.index.target(number), _LOCK_SECONDS):
            if sitting.record.change(number):
                mend_change(sitting, number)
            else:
                drop_unborn(sitting, number)
    for debt in sitting.record.index.debts():
        with hold(sitting.state, debt.ref, _LOCK_SECONDS):
            pay(sitting, debt, SERVER, "")


def _finish_landed_changes(sitting: Sitting) -> None:
    """Changes whose landing is recorded, but whose own history does not say so yet."""
    index = sitting.record.index
    finished, tip = index.fact("finished"), sitting.repository.tip(LOG)
    if finished == tip:
        return
    landed: set[str] = set()
    fresh = True
    for event in sitting.record.events(LOG):
        # The last look may have been between an intent and its end: so back to the intent of every new end.
        fresh = fresh and event.oid != finished
        if not fresh and not landed:
            break
        if isinstance(event.body, Landed) and fresh:
            landed.add(event.body.landing)
        elif isinstance(event.body, Landing) and event.oid in landed:
            landed.remove(event.oid)
            if event.body.change:
                with hold(sitting.state, event.body.ref, _LOCK_SECONDS):
                    finish_change(sitting, event.body.change, event)
    index.set_fact("finished", tip)


def _tend_or_fail(
    sitting: Sitting, environment: Environment
) -> Run | datetime | Held | str | EdgeError | PolicyError | None:
    """The same, or what is wrong: who heard nothing of runs that have begun before could not record their ends."""
    try:
        with needing_room():
            return _tend_environment(sitting, environment)
    except (EdgeError, PolicyError) as error:
        return error


def _tend_environment(sitting: Sitting, environment: Environment) -> Run | datetime | Held | str | None:
    """A run that began, when to look again, what is wrong, or None where desired is deployed."""
    if refusal := judge_tip(sitting, environment.branch):
        return f"{environment.name} is Suspended: {refusal.reason}. {refusal.cure}"
    aim = take_aim(sitting, environment)
    if isinstance(aim.step, Broken):
        if is_awaited(aim.step.started):
            if later := go_on(sitting, environment, aim.step.started):
                return later
        else:
            _bury(sitting, environment, aim.step)
        aim = take_aim(sitting, environment)
    if roll_back(sitting, environment, aim):
        aim = take_aim(sitting, environment)
    move(sitting, environment_ref(environment.name, "desired"), aim.desired)
    match aim.step:
        case Deploy(commit=commit, attempt=attempt):
            start = Start(commit, attempt, aim.record, aim.log.carries(), bad=aim.log.bad, limit=aim.limit)
            return begin(sitting, environment, start) or datetime.now(UTC)
        case Wait():
            return _wait(sitting, environment, aim, aim.step)
        case Held():
            return aim.step
        case Settled():
            move(sitting, environment_ref(environment.name, "deployed"), aim.desired)
            hear_drift(sitting, environment, aim)
            return _full_run(sitting, environment, aim)
    return None


def _wait(sitting: Sitting, environment: Environment, aim: Aim, wait: Wait) -> Run | datetime:
    """Until the next try, but where agents have brought there since what the last one could not reach."""
    release_left(sitting, environment, aim)
    end = last_end(aim.log)
    if end is None or not are_back(sitting, environment, end):
        return wait.until
    start = Start(end.commit, end.attempt + 1, aim.record, aim.log.carries(), bad=aim.log.bad, awaited=True)
    return begin(sitting, environment, start) or datetime.now(UTC)


def _full_run(sitting: Sitting, environment: Environment, aim: Aim) -> Run | datetime | None:
    """A run over all hosts, where one is due and no gate keeps it."""
    due, now = next_full_run(sitting, environment, aim.log), datetime.now(UTC)
    if not due or due > now:
        return None
    gate = gate_again(sitting, environment, aim)
    if isinstance(gate, Held):
        return gate.until
    start = Start(aim.desired, 1, aim.record, aim.log.carries(), "its interval is over", bad=aim.log.bad)
    return begin(sitting, environment, start) or now


def next_full_run(sitting: Sitting, environment: Environment, log: LogState | None = None) -> datetime | None:
    """When a run over all hosts is due, where the policy asks for one."""
    if not environment.interval:
        return None
    end = last_end(log or read_log(sitting, environment.name))
    return full_run_due(environment, end.whole_at, sitting.entry.id) if end else None


def full_run_is_due(sitting: Sitting, environment: Environment, aim: Aim) -> bool:
    """Whether a run over all hosts begins as soon as somebody looks."""
    due = next_full_run(sitting, environment, aim.log)
    return bool(due and due <= sitting.ledger.clock()) and not isinstance(gate_again(sitting, environment, aim), Held)


def _bury(sitting: Sitting, environment: Environment, broken: Broken) -> None:
    """A run whose reconciler died: end what is left of it, then record its end."""
    started = broken.started.body
    if not isinstance(started, Started):
        raise EdgeError(environment.name, "its log begins a deployment with another event")
    if left := end_leftovers((started.run,), sitting.server.deploy_as):
        pids = ", ".join(str(one.pid) for one in left)
        raise EdgeError(environment.name, f"processes of a dead run do not end: {pids}; nothing is started before")
    number = broken.started.stamp.number
    deployment = Deployment(sitting.entry.id, environment, started.commit, number, started.run)
    canceled = find_cancel(sitting.record.events(environment_ref(environment.name, "log")))
    again = "the reconciler ended during the run; what is due is run again"
    outcome = Outcome(RunState.CANCELED, detail=canceled.detail if canceled else again)
    end(sitting, deployment, started.attempt, outcome)


def report_alarms(sitting: Sitting, alarms: Collection[str]) -> None:
    for alarm in alarms:
        journal.append(sitting.home, "alarm", {"repository": sitting.entry.name, "alarm": alarm})


def last_end(log: LogState) -> Finished | None:
    """The newest end in a log's state."""
    return log.finished.body if log.finished and isinstance(log.finished.body, Finished) else None
