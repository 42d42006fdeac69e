"""Makes plans of changes: one after the other in each repository, environment by environment, never in the way.

A deployment that becomes due ends what runs there; that environment is planned anew afterwards. Nothing is recorded
before all of them are done, so a kill anywhere leaves the plan to be made.
"""

import dataclasses
import secrets
import time
from collections.abc import Collection, Container
from dataclasses import field
from datetime import UTC, datetime

from gitops_hooks.core.approved_plan import environment_key, seal_of
from gitops_hooks.core.plan import Broken, Deploy, Settled
from gitops_hooks.core.planned_content import counts_of, digest_of
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.drift_notes import drift_notes
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.plan_notes import PlanNotes, digest_key, write_plan
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.aim import take_aim
from gitops_hooks.entry.deploying import allowed_in, end_look, start_child
from gitops_hooks.entry.granting import granted_for_plan
from gitops_hooks.entry.landing import mend_change
from gitops_hooks.entry.limiting import definition_of
from gitops_hooks.entry.plan_wanting import PlanWanting, Wanted
from gitops_hooks.entry.planned import Concerned, says_the_same
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.entry.tend import full_run_is_due
from gitops_hooks.model.change import ChangeState
from gitops_hooks.model.change_event import Planned
from gitops_hooks.model.change_plan import PlannedEnvironment
from gitops_hooks.model.deployment import Deployment, Outcome
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.plan_found import Plan
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.server import PLAN

_LOCK_SECONDS = 5.0


@dataclass(slots=True)
class Going:
    """One environment's part of a plan under way: an open resource."""

    environment: str
    child: RunningDeployment
    found: Plan | None = None

    def listen(self) -> Outcome | None:
        """Take what was said since; the outcome once it is there."""
        for said in self.child.read():
            if isinstance(said, Outcome):
                return said
            if isinstance(said, Plan):
                self.found = said
        return None


@dataclass(slots=True)
class Making:
    """One plan under way: what was found so far, and the part that runs now."""

    wanted: Wanted
    began: float
    found: dict[str, Plan] = field(default_factory=dict)
    going: Going | None = None

    def next(self) -> Concerned | None:
        """The part that comes next."""
        return next((one for one in self.wanted.concerned if one.environment.name not in self.found), None)

    def end(self) -> str:
        """End what runs; what it found counts for nothing. What does not end, in words.

        It stays noted, so that nothing begins there before it has ended.
        """
        going, self.going = self.going, None
        if going is None:
            return ""
        going.child.kill()
        return going.child.let_go()


@dataclass(slots=True)
class Plans:
    """All plans that are made at this moment, one in each repository; an open resource of the reconciler."""

    home: Home
    makings: dict[str, Making] = field(default_factory=dict)
    wanting: dict[str, PlanWanting] = field(default_factory=dict)
    served: dict[tuple[str, int], float] = field(default_factory=dict)

    @property
    def children(self) -> list[RunningDeployment]:
        return [making.going.child for making in self.makings.values() if making.going]

    def planned_in(self, repository: str) -> tuple[str, ...]:
        """The environments of a repository whose hosts are visited for a plan now."""
        making = self.makings.get(repository)
        return (making.going.environment,) if making and making.going else ()

    def obey_stop(self) -> None:
        """Nothing runs while all deployments are stopped."""
        if self.children and read_stop(self.home):
            self.close()

    def give_way(self, sitting: Sitting) -> None:
        """End the part of a plan whose environment is deployed to now. Errors: EdgeError where it does not end."""
        for name in self.planned_in(sitting.entry.name):
            environment = sitting.policy.environment(name)
            if environment is None or _is_due(sitting, environment):
                self.makings[sitting.entry.name].end()
                end_look(sitting, name)

    def look(self, sitting: Sitting, busy: Collection[str]) -> None:
        """Begin what is wanted where nothing else runs, and end what nobody wants any more. Errors: EdgeError."""
        name = sitting.entry.name
        wanted = self.wanting.setdefault(name, PlanWanting()).look(sitting)
        making = self.makings.get(name)
        if making and not any(_is_still(sitting, making.wanted, one) for one in wanted):
            making.end()
            del self.makings[name]
            making = None
        if making is None and wanted and not read_stop(self.home):
            # Whoever was served longest ago first, so that one that is never done keeps nobody waiting.
            first = min(wanted, key=lambda one: (self.served.get((name, one.number), 0.0), one.number))
            self.served[name, first.number] = time.monotonic()
            making = self.makings[name] = Making(first, time.monotonic())
        if making:
            self._go_on(sitting, making, busy)

    def _go_on(self, sitting: Sitting, making: Making, busy: Collection[str]) -> None:
        part = making.next()
        if making.going or (part and (part.environment.name in busy or read_stop(self.home))):
            return
        if part is None:
            # It could not be recorded when it ended.
            self._finish(sitting.entry.name, making)
            return
        try:
            making.going = _begin(sitting, making.wanted, part)
        except EdgeError as error:
            making.found[part.environment.name] = Plan(detail=str(error))
            self._go_on(sitting, making, busy)

    def listen(self, ready: Container[object]) -> list[str]:
        """Hear what has something to say; a line for each part that has ended, after which another look is due."""
        ended = []
        for name, making in tuple(self.makings.items()):
            going = making.going
            if going is None or going.child not in ready or (outcome := going.listen()) is None:
                continue
            fault = making.end()
            found = Plan(detail=fault) if fault else going.found or Plan(detail=outcome.detail or "the plan was ended")
            making.found[going.environment] = found
            ended.append(f"{name}: change {making.wanted.number}: planned for {going.environment}")
            if making.next() is None:
                self._finish(name, making)
        return ended

    def _finish(self, name: str, making: Making) -> None:
        """What cannot be recorded now is tried again at the next look, and not planned again."""
        try:
            with needing_room():
                record_plan(self.home, name, making)
        except (EdgeError, PolicyError, OSError):
            return
        del self.makings[name]

    def close(self) -> None:
        """End all of it; the next reconciler makes them anew."""
        for making in self.makings.values():
            making.end()
        self.makings.clear()


def _is_still(sitting: Sitting, making: Wanted, wanted: Wanted) -> bool:
    """Whether what is made is what is wanted: a branch that moves without any effect there ends nothing."""
    return making.key == wanted.key and says_the_same(sitting, wanted.concerned, making.tree, wanted.tree)


def _is_due(sitting: Sitting, environment: Environment) -> bool:
    """Whether a deployment begins there as soon as it may."""
    aim = take_aim(sitting, environment)
    if not isinstance(aim.step, Settled):
        return isinstance(aim.step, Deploy | Broken)
    return full_run_is_due(sitting, environment, aim)


def _begin(sitting: Sitting, wanted: Wanted, part: Concerned) -> Going:
    """Start one part. Errors: EdgeError where it cannot be launched, or a run before it does not end."""
    environment, run = part.environment, secrets.token_hex(8)
    end_look(sitting, environment.name)
    # Noted like a look: whatever begins there next ends it first, also where this process is killed.
    drift_notes(sitting.state, environment.name).note_run(run)
    started = take_aim(sitting, environment).log.started
    generation = started.stamp.number if started else 0
    deployment = Deployment(
        sitting.entry.id,
        environment,
        wanted.head,
        generation,
        run,
        part.hosts,
        allowed=allowed_in(sitting, environment),
        look=True,
        plan=True,
    )
    return Going(environment.name, _launch(sitting, deployment, wanted.tree))


def _launch(sitting: Sitting, deployment: Deployment, tree: str) -> RunningDeployment:
    """With the plan credential and no other."""
    server, environment = sitting.server, deployment.environment
    found = server.credentials_for(sitting.entry.id, environment.name, environment.branch, PLAN)
    if found is None:
        raise EdgeError(environment.name, "the server grants it no plan credential")
    seconds = min(server.limits.deploy_seconds, server.limits.plan_seconds)
    granted = granted_for_plan(environment.deployer, found, server.tool_folders)
    return start_child(sitting, deployment, granted, tree, dataclasses.replace(server.limits, deploy_seconds=seconds))


def record_plan(home: Home, name: str, making: Making) -> None:
    """The notes, then the event, unless the change has ended meanwhile. Errors: EdgeError, PolicyError, OSError."""
    # Opened anew: the sitting of the start may be an hour old.
    sitting, wanted = open_sitting(home, name), making.wanted
    with using(sitting.state), hold(sitting.state, wanted.ref, _LOCK_SECONDS):
        sitting.record.sync()
        record = sitting.record.change(wanted.number)
        if record is None or record.state is not ChangeState.OPEN or record.head.head != wanted.head:
            return
        key = digest_key(sitting.state)
        digest = digest_of(making.found, wanted.tree, key)
        write_plan(sitting.state, wanted.number, PlanNotes(datetime.now(UTC), digest, making.found))
        sitting.record.index.begin(wanted.number)
        sitting.ledger.log(meta_ref(wanted.number), _planned(making, digest, key), SERVER)
        mend_change(sitting, wanted.number)


def _planned(making: Making, digest: str, key: bytes) -> Planned:
    wanted = making.wanted
    return Planned(
        wanted.number,
        Oid(wanted.head),
        Oid(wanted.tip),
        Oid(wanted.tree),
        Oid(wanted.policy),
        Word(digest),
        tuple(Word(_environment(one, making, key).word) for one in wanted.concerned),
        round(time.monotonic() - making.began),
    )


def _environment(one: Concerned, making: Making, key: bytes) -> PlannedEnvironment:
    name = one.environment.name
    plan = making.found[name]
    seal = seal_of(plan, making.wanted.tree, environment_key(key, name))
    return PlannedEnvironment(name, definition_of(one.environment), one.reach, *counts_of(plan), seal)
