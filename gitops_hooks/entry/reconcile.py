"""The reconciler: compares what should be live with what is, until they are equal. A lost bell costs seconds."""

import contextlib
import os
import select
import signal
import sys
import time
from dataclasses import field
from datetime import UTC, datetime

from gitops_hooks.core.utc_time import write_time
from gitops_hooks.edge.bell import Bell, open_bell, rotate_log
from gitops_hooks.edge.command_run import RunningCommand
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.teller import Teller
from gitops_hooks.edge.upkeep import Upkeep
from gitops_hooks.entry.auto_land import land_waiting
from gitops_hooks.entry.beside import Beside
from gitops_hooks.entry.deploying import ProgressPlace, Run, record_end
from gitops_hooks.entry.preempting import pre_empt
from gitops_hooks.entry.pressing import end_canceled, end_silent, obey_stop, pressing_in
from gitops_hooks.entry.reverting import open_reverts
from gitops_hooks.entry.sitting import brought_up, open_sitting
from gitops_hooks.entry.stop_told import tell_stop
from gitops_hooks.entry.tend import mend, report_alarms, tend
from gitops_hooks.model.deployment import Outcome, RunState
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.news import NotifyEntry
from gitops_hooks.model.server import RepositoryEntry, ServerFile

_UPKEEP_PAUSE = 0.1
_END_SECONDS = 10.0
_LEAST_PAUSE = 0.05


@dataclass(slots=True)
class Reconciler:
    """The one process of a server that deploys; what it knows is only what runs at this moment."""

    home: Home
    bell: Bell
    teller: Teller
    beside: Beside
    runs: dict[tuple[str, str], tuple[Run, ProgressPlace]] = field(default_factory=dict)
    alarms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept_up: dict[str, float] = field(default_factory=dict)
    upkeep: Upkeep | None = None
    ends: dict[tuple[str, str], str] = field(default_factory=dict)
    notify: tuple[NotifyEntry, ...] = ()

    def look(self) -> tuple[bool, datetime | None]:
        """One look at every repository: whether all is settled, and when the next step is due."""
        obey_stop(self.home, self.runs)
        self.beside.obey_stop()
        server = load_server(self.home)
        rotate_log(self.home)
        self._let_go()
        end_silent(self.runs, server.limits.idle_seconds)
        if server.notify != self.notify:
            # Who is new hears how things stand, and so does whoever set it up.
            self.notify = server.notify
            self.teller.ring()
        settled, due = not self.runs, []
        for entry in server.repositories:
            try:
                with needing_room():
                    self._keep_up(entry, server)
                    calm, next_due = self._look_at(entry.name)
            except (EdgeError, PolicyError) as error:
                # One broken repository never keeps the others waiting.
                calm, next_due = False, None
                self.kept_up.pop(entry.name, None)
                self._alarm(entry.name, (str(error),))
            settled = settled and calm
            due += [next_due] if next_due else []
        self.teller.poll()
        if fault := self.beside.start_commands():
            say(fault)
        return settled, min(due, default=None)

    @property
    def busy(self) -> bool:
        """Whether something runs whose end is to be recorded."""
        return bool(self.runs) or self.beside.busy

    def _look_at(self, name: str) -> tuple[bool, datetime | None]:
        sitting = open_sitting(self.home, name)
        busy = {environment for repository, environment in self.runs if repository == name}
        with using(sitting.state):
            tell_stop(sitting)
            mend(sitting)
            for landed in land_waiting(sitting):
                number = landed.effect.record.number if landed.effect.record else 0
                say(f"{name}: change {number} landed, as {landed.actor.name} had asked")
            sitting = brought_up(sitting)
            fault = self.beside.look_at_commands(sitting)
            pre_empt(sitting, self.runs)
            end_canceled(sitting, self.runs)
            self.beside.give_way(sitting)
            look = tend(sitting, busy)
            drift = self.beside.look_at_hosts(sitting, look.calm)
            fault += self.beside.look_at_plans(sitting, busy, (*look.began, *drift.began))
        for run in (*look.began, *drift.began):
            environment = run.deployment.environment.name
            self.runs[name, environment] = (run, ProgressPlace(sitting, environment))
            say(f"{name}: {environment}: deployment {run.deployment.generation} of {run.deployment.commit[:12]}")
        with using(sitting.state):
            fault += open_reverts(sitting)
        # Also of what ended while no reconciler lived: to the first look every end is new.
        ends = {(name, environment): tip for environment, tip in look.ends}
        if not ends.items() <= self.ends.items():
            self.ends |= ends
            self.teller.ring()
        if look.faults:
            self.kept_up.pop(name, None)
        found = (*look.alarms, *fault, *drift.alarms)
        if found != self.alarms.get(name):
            report_alarms(sitting, found)
        self._alarm(name, found)
        due = min((each for each in (look.due, drift.due) if each), default=None)
        return look.settled and not found and not drift.began, due

    def _keep_up(self, entry: RepositoryEntry, server: ServerFile) -> None:
        """Now and then, and after every fault: a lock file of a killed git may be what is in the way.

        One repository at a time, beside everything else.
        """
        self._let_go()
        if self.upkeep is not None:
            return
        last, limits = self.kept_up.get(entry.name), server.limits
        if last is None or time.monotonic() - last >= limits.upkeep_seconds:
            self.kept_up[entry.name] = time.monotonic()
            state = self.home.state(entry.id)
            self.upkeep = Upkeep(entry.path, state, server.git, limits.upkeep_most_seconds, limits)

    def _let_go(self) -> None:
        """End maintenance that is done, whatever became of its repository: sweeping and removal wait for its hold."""
        if self.upkeep is not None and self.upkeep.poll():
            self.upkeep = None

    def finish_upkeep(self) -> None:
        """Wait for the maintenance under way."""
        if self.upkeep is not None:
            self.upkeep.finish()

    def _alarm(self, name: str, alarms: tuple[str, ...]) -> None:
        if alarms and alarms != self.alarms.get(name):
            for alarm in alarms:
                say(f"{name}: ALARM: {alarm}")
        self.alarms[name] = alarms

    def rest(self, due: datetime | None) -> None:
        """Sleep until something may have changed: a bell, an end, a time that is due, or a run that is silent."""
        began, limits = time.monotonic(), load_server(self.home).limits
        pause = limits.reconcile_seconds
        if due:
            pause = min(pause, max(_LEAST_PAUSE, (due - datetime.now(UTC)).total_seconds()))
        if self.runs:
            pause = min(pause, pressing_in(self.runs, limits.idle_seconds))
        while (left := began + pause - time.monotonic()) > 0:
            if self.listen(left):
                break

    def listen(self, seconds: float) -> bool:
        """Wait for the bell or a run's word; whether anything calls for another look."""
        waiting: list[Bell | RunningDeployment | RunningCommand] = [
            self.bell,
            *(run.child for run, _ in self.runs.values()),
            *self.beside.children,
        ]
        if self.upkeep is not None or self.teller.running:
            seconds = min(seconds, _UPKEEP_PAUSE)
        elif (tell_in := self.teller.due()) is not None:
            seconds = min(seconds, tell_in)
        ready = select.select(waiting, [], [], max(0.0, seconds))[0]
        self._let_go()
        self.teller.poll()
        rung = self.bell in ready
        if rung:
            self.bell.hush()
        ended = [self._hear(key) for key, (run, _) in tuple(self.runs.items()) if run.child in ready]
        lines = self.beside.listen([*ready])
        for line in lines:
            say(line)
        return rung or any(ended) or bool(lines)

    def _hear(self, key: tuple[str, str]) -> bool:
        run, place = self.runs[key]
        outcome = run.listen(place)
        if outcome is None:
            return False
        del self.runs[key]
        if fault := run.child.let_go():
            say(f"{key[0]}: {key[1]}: {fault}")
        say(f"{key[0]}: {key[1]}: deployment {run.deployment.generation} {outcome.state.value}")
        try:
            with needing_room():
                record_end(self.home, key[0], run, outcome)
        except (EdgeError, PolicyError) as error:
            # The record keeps a start without an end, which the next look ends and runs again.
            say(f"{key[0]}: {key[1]}: its end could not be recorded: {error}")
        return True

    def close(self) -> None:
        """End every run under way, and say so in the record: the next reconciler runs them again."""
        if self.upkeep is not None:
            self.upkeep.close()
        self.teller.close()
        self.beside.close()
        for run, _ in self.runs.values():
            run.child.terminate()
        for (name, _), (run, _) in self.runs.items():
            outcome = run.child.wait(_END_SECONDS)
            run.child.let_go()
            if outcome is not None:
                ended = Outcome(RunState.CANCELED, outcome.hosts, outcome.seconds, "the reconciler was asked to end")
                record_end(self.home, name, run, ended)


def open_reconciler(home: Home) -> Reconciler:
    """For who holds the reconciler's lock. Errors: OSError where the bell cannot be hung up."""
    return Reconciler(home, open_bell(home), Teller(home), Beside.open(home))


def reconcile(home: Home, lock: int, *, once: bool) -> int:
    """For who holds the reconciler's lock, which is let go of in the end: 0 when everything is as desired (or the
    process was asked to end), 1 when something is not."""
    os.set_inheritable(lock, False)
    reconciler = open_reconciler(home)
    try:
        return _once(reconciler) if once else _for_ever(reconciler)
    finally:
        reconciler.close()
        os.close(lock)


def _once(reconciler: Reconciler) -> int:
    """Until nothing runs and nothing is due now; what only a retry can bring is left to the next call."""
    while True:
        settled, due = reconciler.look()
        reconciler.finish_upkeep()
        if not reconciler.busy and (due is None or due > datetime.now(UTC)):
            reconciler.teller.finish()
            return 0 if settled else 1
        if reconciler.busy:
            reconciler.rest(due)


def _for_ever(reconciler: Reconciler) -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    while True:
        _, due = reconciler.look()
        reconciler.rest(due)


def say(line: str) -> None:
    stamp = write_time(datetime.now(UTC))
    # On a full disk its log loses the line, and no deployment is ended over it.
    with contextlib.suppress(OSError):
        print(f"{stamp} {line}", file=sys.stderr, flush=True)
