"""Looks at the hosts of environments where nothing is due, and brings back what is out of sync.

A look is never in the way: a deployment that becomes due ends it, and it begins anew afterwards.
"""

import secrets
from collections.abc import Collection, Container, Iterator
from dataclasses import field
from datetime import datetime

from gitops_hooks.core.drift import Drifting, drifted_by, fold_drift, heal_due, look_due
from gitops_hooks.core.plan import Held, Settled
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.drift_notes import Looked, drift_notes
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.aim import Aim, gate_again, take_aim
from gitops_hooks.entry.deploying import Run, Start, allowed_in, begin, end_look, environment_ref, launch
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.entry.tend import full_run_is_due
from gitops_hooks.model.deployment import Deployment, Outcome
from gitops_hooks.model.drift import Drift, Sync
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode

Key = tuple[str, str]


@dataclass(slots=True)
class Looking:
    """A look under way: an open resource; `asked` is whose asking it answers."""

    deployment: Deployment
    child: RunningDeployment
    asked: str
    found: Drift | None = None

    def listen(self) -> Outcome | None:
        """Take what was said since; the outcome once it is there."""
        for said in self.child.read():
            if isinstance(said, Outcome):
                return said
            if isinstance(said, Drift):
                self.found = said
        return None


@dataclass(frozen=True, slots=True)
class Look:
    """Deployments that began, to bring hosts back; when something is due next; and what is wrong."""

    began: tuple[Run, ...] = ()
    due: datetime | None = None
    alarms: tuple[str, ...] = ()


@dataclass(slots=True)
class Looks:
    """All looks that run at this moment, by repository and environment."""

    home: Home
    runs: dict[Key, Looking] = field(default_factory=dict)
    known: dict[Key, tuple[str, Drifting]] = field(default_factory=dict)

    @property
    def children(self) -> list[RunningDeployment]:
        return [looking.child for looking in self.runs.values()]

    def obey_stop(self) -> None:
        """Nothing runs while all deployments are stopped."""
        if self.runs and read_stop(self.home):
            self.close()

    def give_way(self, sitting: Sitting) -> None:
        """End the looks of environments where a deployment is due. Errors: EdgeError where one does not end."""
        for key in [key for key in self.runs if key[0] == sitting.entry.name]:
            environment = sitting.policy.environment(key[1])
            if environment is None or _is_due(sitting, environment):
                self._end(key)
                end_look(sitting, key[1])

    def look(self, sitting: Sitting, calm: Collection[str]) -> "Look":
        """Begin looks, and deployments that bring hosts back. Never raises for one of them: runs have begun before."""
        began: list[Run] = []
        due: list[datetime] = []
        wrong: list[str] = []
        for environment in sitting.policy.environments:
            if environment.name not in calm or (sitting.entry.name, environment.name) in self.runs:
                continue
            try:
                found = tuple(self._step(sitting, environment))
            except (EdgeError, OSError) as error:
                wrong.append(f"{environment.name}: its hosts cannot be looked at: {error}")
                continue
            began += [one for one in found if isinstance(one, Run)]
            due += [one for one in found if isinstance(one, datetime)]
        return Look(tuple(began), min(due, default=None), tuple(wrong))

    def _step(self, sitting: Sitting, environment: Environment) -> Iterator[Run | datetime]:
        """Bring hosts back, or look at them, or say when either is due."""
        notes = drift_notes(sitting.state, environment.name)
        asked = notes.asked()
        # The hosts of a pulled environment are their agents' to look at, and to bring back.
        if environment.mode is Mode.PULL or not (environment.drift or asked) or read_stop(sitting.home):
            return
        aim = take_aim(sitting, environment)
        gate = gate_again(sitting, environment, aim)
        paused = isinstance(gate, Held) and gate.gate == "paused"
        if not isinstance(aim.step, Settled) or (paused and not asked):
            return
        known, now = self._fold(sitting, environment, aim), sitting.ledger.clock()
        last = notes.read()
        if environment.self_heal and not isinstance(gate, Held) and last and last.commit == aim.desired:
            limits = sitting.server.limits
            hosts, after = heal_due(known, last.found, limits.retry_seconds, limits.retry_most_seconds)
            if hosts and (after is None or after <= now):
                start = Start(aim.desired, 1, aim.record, aim.log.carries(), out=hosts, bad=aim.log.bad)
                yield begin(sitting, environment, start) or now
                return
            if hosts and after:
                yield after
        due = now if asked else look_due(environment, last.at if last else None, known, sitting.entry.id)
        if due and due <= now:
            self._begin(sitting, environment, aim, asked)
        elif due:
            yield due

    def _fold(self, sitting: Sitting, environment: Environment, aim: Aim) -> Drifting:
        """Read again only where the log has grown."""
        key, log = (sitting.entry.name, environment.name), environment_ref(environment.name, "log")
        tip = sitting.repository.tip(log) + aim.desired
        if self.known.get(key, ("",))[0] != tip:
            self.known[key] = (tip, fold_drift(sitting.record.events(log), aim.desired))
        return self.known[key][1]

    def _begin(self, sitting: Sitting, environment: Environment, aim: Aim, asked: str) -> None:
        number = aim.log.started.stamp.number if aim.log.started else 0
        run, notes = secrets.token_hex(8), drift_notes(sitting.state, environment.name)
        end_look(sitting, environment.name)
        notes.note_run(run)
        allowed = allowed_in(sitting, environment)
        deployment = Deployment(sitting.entry.id, environment, aim.desired, number, run, allowed=allowed, look=True)
        try:
            child = launch(sitting, deployment)
        except EdgeError as error:
            _record(sitting, deployment, Drift(detail=str(error)), asked)
            return
        self.runs[sitting.entry.name, environment.name] = Looking(deployment, child, asked)

    def listen(self, ready: Container[object]) -> list[str]:
        """Hear the looks that have something to say; a line for each that has ended."""
        ended = []
        for key, looking in tuple(self.runs.items()):
            if looking.child not in ready or (outcome := looking.listen()) is None:
                continue
            if fault := self._end(key):
                # It stays noted, so that nothing begins there before it has ended.
                ended.append(f"{key[0]}: {key[1]}: {fault}")
                continue
            found = looking.found or Drift(detail=outcome.detail or "the look was ended")
            try:
                with needing_room():
                    ended.append(f"{key[0]}: {key[1]}: {_take(self.home, key[0], looking, found)}")
            except (EdgeError, PolicyError, OSError) as error:
                # Nothing is noted, so that it is looked again.
                ended.append(f"{key[0]}: {key[1]}: a look at its hosts could not be recorded: {error}")
        return ended

    def _end(self, key: Key) -> str:
        """What does not end, in words."""
        looking = self.runs.pop(key)
        looking.child.kill()
        return looking.child.let_go()

    def close(self) -> None:
        """End every look; the next reconciler looks again."""
        for key in tuple(self.runs):
            self._end(key)


def _is_due(sitting: Sitting, environment: Environment) -> bool:
    aim = take_aim(sitting, environment)
    if not isinstance(aim.step, Settled):
        return True
    return full_run_is_due(sitting, environment, aim)


def _take(home: Home, name: str, looking: Looking, found: Drift) -> str:
    """Record what a look found, unless a deployment has begun since."""
    sitting, deployment = open_sitting(home, name), looking.deployment
    environment = deployment.environment.name
    with using(sitting.state):
        if drift_notes(sitting.state, environment).running() != deployment.run_id:
            return "a look at its hosts is worth nothing, since a deployment has begun"
        return _record(sitting, deployment, found, looking.asked)


def _record(sitting: Sitting, deployment: Deployment, found: Drift, asked: str) -> str:
    """The event where the log does not say it already, then the notes: a kill between them costs another look."""
    name = deployment.environment.name
    notes, log = drift_notes(sitting.state, name), environment_ref(name, "log")
    known = fold_drift(sitting.record.events(log), deployment.commit)
    event = drifted_by(name, deployment.commit, deployment.generation, found, known)
    if event:
        sitting.ledger.log(log, event, SERVER)
    notes.write(Looked(sitting.ledger.clock(), deployment.commit, found))
    notes.answer(asked)
    notes.forget_run()
    out = sum(host.sync is Sync.OUT for host in found.hosts)
    return f"looked at {len(found.hosts)} hosts, {out} out of sync" + (f": {found.detail}" if found.detail else "")
