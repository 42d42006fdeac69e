"""One deployment from its start in the record to its end in the record.

Start event (which gives the generation), attempted, the run, end event (the commit point), deployed.
"""

import secrets
import time
from dataclasses import field
from datetime import datetime

from gitops_hooks.core.govern import govern
from gitops_hooks.core.limit import Limit
from gitops_hooks.core.log_state import PINNED
from gitops_hooks.edge.drift_notes import drift_notes
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch import RunningDeployment, end_leftovers
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.progress import forget_progress, note_progress
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.refs import LostRace, RefMove
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.edge.tree import whole_tree
from gitops_hooks.entry.approved_plan import approved_for
from gitops_hooks.entry.ending import Watch
from gitops_hooks.entry.granting import granted_to
from gitops_hooks.entry.limiting import definition_of, find_limit, heal_limit
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Outcome, Progress, RunState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import NEVER, Event, Finished, Started
from gitops_hooks.model.event_words import Hosts, Oid, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode
from gitops_hooks.model.server import Limits

_DETAIL = 2000


def environment_ref(environment: str, name: str) -> str:
    """`refs/environments/<env>/<desired|attempted|deployed|log>`."""
    return f"refs/environments/{environment}/{name}"


@dataclass(frozen=True, slots=True)
class Start:
    """What begins: the commit with the event that recorded it, which try of it this is, and what holds on.

    `whole` says why it visits all hosts, where it is not for the log to say which; `out` are hosts that are out of
    sync, the only ones that are meant; `bad` are trees that the server rolled back from. `limit` is whom it visits,
    where that was worked out already. `awaited`: agents bring the hosts there.
    """

    commit: str
    attempt: int
    record: str
    carries: tuple[Word, ...] = ()
    whole: str = ""
    out: tuple[str, ...] = ()
    bad: tuple[Oid, ...] = ()
    limit: Limit | None = None
    awaited: bool = False


@dataclass(slots=True)
class Run:
    """A deployment under way: an open resource of the reconciler."""

    repository: str
    deployment: Deployment
    attempt: int
    child: RunningDeployment
    began: float
    watch: Watch = field(default_factory=Watch)

    def listen(self, sitting_state: "ProgressPlace") -> Outcome | None:
        """Take what was said since; the outcome once it is there."""
        for said in self.child.read():
            if isinstance(said, Outcome):
                return self.watch.judge(said)
            if isinstance(said, Progress):
                self.watch.hear(said.task)
                sitting_state.note(said, self.deployment.generation)
        return None


@dataclass(slots=True)
class ProgressPlace:
    """Where the progress of one environment is noted; hosts said once stay said."""

    sitting: Sitting
    environment: str
    hosts: tuple[str, ...] = ()

    def note(self, progress: Progress, generation: int) -> None:
        self.hosts = progress.hosts or self.hosts
        note_progress(self.sitting.state, self.environment, Progress(self.hosts, progress.task))
        if progress.steps:
            run_log(self.sitting.state, self.environment).append(generation, progress.steps)


def begin(sitting: Sitting, environment: Environment, start: Start) -> Run | None:
    """Record the start and launch the child; None where another was faster, or nothing was to be launched or could.

    What cannot even be launched is recorded as a deployment in error, and retried like any other. A run of agents is
    not launched: it is known by its start, which names no process (entry/pulling).
    """
    awaited = start.awaited or environment.mode is Mode.PULL
    run = "" if awaited else secrets.token_hex(8)
    log = environment_ref(environment.name, "log")
    tip = sitting.repository.tip(log)
    commit, attempt = start.commit, start.attempt
    limit = _limit_of(sitting, environment, start)
    approved = None if start.out else approved_for(sitting, environment, commit, start.record, start.carries)
    end_look(sitting, environment.name)
    event = sitting.ledger.append(log, _started(environment, start, limit, run), SERVER, expect=tip)
    if isinstance(event, LostRace):
        return None
    move(sitting, environment_ref(environment.name, "attempted"), commit)
    number, allowed = event.stamp.number, allowed_in(sitting, environment)
    deployment = Deployment(
        sitting.entry.id, environment, commit, number, run, limit.hosts, limit.left, allowed, approved=approved
    )
    if limit.hosts == ():
        end(sitting, deployment, attempt, Outcome(RunState.SUCCESSFUL, detail=limit.reason))
        return None
    if awaited:
        return None
    try:
        child = launch(sitting, deployment)
    except EdgeError as error:
        end(sitting, deployment, attempt, Outcome(RunState.ERROR, detail=str(error)))
        return None
    return Run(sitting.entry.name, deployment, attempt, child, time.monotonic())


def _started(environment: Environment, start: Start, limit: Limit, run: str) -> Started:
    return Started(
        Word(environment.name),
        Oid(start.commit),
        Oid(start.record),
        Word(run),
        start.attempt,
        start.carries,
        limit.hosts is None,
        tuple(Word(host) for host in limit.hosts or ()),
        Word(definition_of(environment)),
        Text(limit.reason[:_DETAIL]),
        start.bad,
    )


def _limit_of(sitting: Sitting, environment: Environment, start: Start) -> Limit:
    if start.limit:
        return start.limit
    if start.out:
        return heal_limit(sitting, environment, start.commit, start.out)
    log, back = environment_ref(environment.name, "log"), PINNED in start.carries
    return find_limit(sitting, environment, start.commit, log, start.whole, back=back)


def allowed_in(sitting: Sitting, environment: Environment) -> tuple[tuple[str, ...], ...]:
    """What may run on the deployer, by the policy of now: what it does not allow any more does not run any more."""
    governing = govern(sitting.policy, environment.branch)
    return governing.controller if governing else ()


def end_look(sitting: Sitting, environment: str) -> None:
    """Whatever looks at the hosts ends before they are deployed to, also where a killed reconciler left it behind.

    Errors: EdgeError where it does not end.
    """
    notes = drift_notes(sitting.state, environment)
    if run := notes.running():
        if left := end_leftovers((run,), sitting.server.deploy_as):
            pids = ", ".join(str(one.pid) for one in left)
            raise EdgeError(environment, f"a look at its hosts does not end: {pids}; nothing is started before")
        notes.forget_run()


def launch(sitting: Sitting, deployment: Deployment) -> RunningDeployment:
    """Start the child, with the tree and what the server grants. Errors: EdgeError."""
    granted, tree = _granted(sitting, deployment.environment), sitting.repository.tree_of(deployment.commit)
    return start_child(sitting, deployment, granted, tree, sitting.server.limits)


def start_child(
    sitting: Sitting, deployment: Deployment, granted: Credentials, tree: str, limits: Limits
) -> RunningDeployment:
    """The child of a deployment, a look or a plan. Errors: EdgeError."""
    server = sitting.server
    return RunningDeployment.start(
        deployment,
        granted,
        whole_tree(sitting.repository.git2, tree, server.limits.input_size),
        limits=limits,
        plugins=server.plugins,
        deploy_as=server.deploy_as,
    )


def _granted(sitting: Sitting, environment: Environment) -> Credentials:
    found = sitting.server.credentials_for(sitting.entry.id, environment.name, environment.branch)
    if found is None:
        raise EdgeError(environment.name, "the server grants it no credential; add a [[credential]] to server.toml")
    return granted_to(environment.deployer, found, sitting.server.tool_folders)


def end(sitting: Sitting, deployment: Deployment, attempt: int, outcome: Outcome) -> Event:
    """Record how it ended; `deployed` moves only on success."""
    name = deployment.environment.name
    body = Finished(
        Word(name),
        Oid(deployment.commit),
        deployment.generation,
        attempt,
        outcome.state,
        round(outcome.seconds),
        Hosts(outcome.hosts),
        Text(outcome.detail[:_DETAIL]),
        deployment.left,
        _whole_at(sitting, deployment, outcome),
    )
    event = sitting.ledger.log(environment_ref(name, "log"), body, SERVER)
    if outcome.state is RunState.SUCCESSFUL:
        move(sitting, environment_ref(name, "deployed"), deployment.commit)
    forget_progress(sitting.state, name)
    return event


def record_end(home: Home, name: str, run: Run, outcome: Outcome) -> None:
    """The same, for who has held no sitting: that of the start may be an hour old."""
    sitting = open_sitting(home, name)
    with using(sitting.state):
        end(sitting, run.deployment, run.attempt, outcome)


def _whole_at(sitting: Sitting, deployment: Deployment, outcome: Outcome) -> datetime:
    """When all hosts were visited last: now, or as the end before this one says."""
    if deployment.hosts is None and (outcome.hosts or outcome.state is RunState.SUCCESSFUL):
        return sitting.ledger.clock()
    events = sitting.record.events(environment_ref(deployment.environment.name, "log"))
    return next((event.body.whole_at for event in events if isinstance(event.body, Finished)), NEVER)


def move(sitting: Sitting, ref: str, commit: str) -> None:
    """Bring a derived ref to a commit. Errors: EdgeError where another moves it at the same time."""
    stands = sitting.repository.tip(ref)
    if stands == commit:
        return
    if lost := sitting.ledger.refs.move([RefMove(ref, stands, commit)]):
        raise EdgeError(ref, lost.words)
