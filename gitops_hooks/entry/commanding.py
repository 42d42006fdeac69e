"""The commands of open changes: which are to be run now, which runs go on, and what is recorded of each.

Nothing of a queue is kept: what is to be run follows from the record, the objects and the policy, at every look.
"""

import secrets
import time
from dataclasses import field, replace

from gitops_hooks.edge.command_box import Ended
from gitops_hooks.edge.command_log import Kept, log_path, note_run, stop_all, trim_logs
from gitops_hooks.edge.command_run import RunningCommand, end_leftovers
from gitops_hooks.edge.command_wire import Job
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.entry.landing import mend_change
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.entry.wanting import Wanted, Wanting
from gitops_hooks.model.change import ChangeState
from gitops_hooks.model.change_event import Ran
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass

_LOCK_SECONDS = 2.0
_DETAIL = 500


@dataclass(slots=True)
class Run:
    """One command under way, and what it was started for."""

    repository: str
    wanted: Wanted
    child: RunningCommand
    kept: Kept


@dataclass(slots=True)
class Commanding:
    """All runs of one server, an open resource of the reconciler."""

    home: Home
    runs: list[Run] = field(default_factory=list)
    _ended: list[tuple[Run, Ended, str]] = field(default_factory=list)
    _wanting: dict[str, Wanting] = field(default_factory=dict)
    _queue: dict[str, tuple[Sitting, tuple[Wanted, ...]]] = field(default_factory=dict)
    _served: dict[tuple[str, int], float] = field(default_factory=dict)

    def look(self, sitting: Sitting) -> None:
        """What one repository wants now; runs that nobody wants any more are ended."""
        name = sitting.entry.name
        if name not in self._wanting:
            if left := end_leftovers(self.home) if not self._wanting else ():
                raise EdgeError("commands", f"programs of a dead run do not end: {[one.pid for one in left]}")
            stop_all(sitting.state)
            self._wanting[name] = Wanting()
        self._record()
        wanting = self._wanting[name]
        self._queue[name] = (sitting, wanting.look(sitting))
        for run in [run for run in self.runs if run.repository == name and not wanting.still(sitting, run.wanted)]:
            self._end(run)

    def start(self) -> None:
        """Start what has a place: at most so many at once, one a change, whoever was served longest ago first."""
        while (found := self._next()) is not None:
            sitting, wanted = found
            self._served[sitting.entry.name, wanted.number] = time.monotonic()
            self._begin(sitting, wanted)
        # Worked out anew at the next look; what is known now may be done by then.
        self._queue.clear()

    def _next(self) -> tuple[Sitting, Wanted] | None:
        busy = {(run.repository, run.wanted.number) for run in self.runs}
        running = [run.repository for run in self.runs]
        taken = {run.wanted.key for run in self.runs} | {run.wanted.key for run, _, _ in self._ended}
        free = [
            (running.count(name), self._served.get((name, one.number), 0.0), one.number, sitting, one)
            for name, (sitting, wanted) in self._queue.items()
            if len(self.runs) < sitting.server.limits.commands
            for one in wanted
            if (name, one.number) not in busy and one.key not in taken
        ]
        return min(free, key=lambda each: each[:3])[3:] if free else None

    def _begin(self, sitting: Sitting, wanted: Wanted) -> None:
        run, state = secrets.token_hex(8), sitting.state
        server, place = sitting.server, (wanted.number, wanted.check, wanted.command.name)
        kept = Kept(run, *place[1:], wanted.head, wanted.tree, time.time())
        try:
            note_run(state, wanted.number, kept)
            trim_logs(state)
            job = Job(
                sitting.entry.path,
                server.git,
                wanted.tree,
                wanted.command,
                server.limits,
                server.tool_folders,
                state / "tools",
                log_path(state, *place),
            )
            self.runs.append(Run(sitting.entry.name, wanted, RunningCommand(run, job), kept))
        except OSError as error:
            raise EdgeError("commands", f"cannot be run: {error.strerror}") from None

    def listen(self, ready: list[object]) -> tuple[str, ...]:
        """Take what runs have said; a line for each that ended, after which another look is due."""
        said = []
        for run in [run for run in self.runs if run.child in ready]:
            answer = run.child.read()
            if answer is not None:
                self.runs.remove(run)
                self._ended.append((run, *answer))
                run.child.close()
                words = f"change {run.wanted.number}: {run.wanted.check}/{run.wanted.command.name}"
                said.append(f"{run.repository}: {words} {answer[0].state.value}")
        self._record()
        return tuple(said)

    def _record(self) -> None:
        """Record what has ended; what cannot be recorded now is tried again at the next look, and not run again."""
        for one in tuple(self._ended):
            try:
                record_end(self.home, *one)
            except (EdgeError, PolicyError):
                continue
            self._ended.remove(one)

    def _end(self, run: Run) -> None:
        self.runs.remove(run)
        run.child.close()
        sitting = self._queue[run.repository][0]
        note_run(sitting.state, run.wanted.number, replace(run.kept, running=False))

    def close(self) -> None:
        """End every run; the next reconciler begins them again."""
        for run in self.runs:
            run.child.close()
        self.runs.clear()


def record_end(home: Home, run: Run, ended: Ended, log: str) -> None:
    """Record a result in its change, unless that came to its end meanwhile. Errors: EdgeError."""
    # Opened anew: the sitting of the start may be an hour old.
    sitting = open_sitting(home, run.repository)
    wanted = run.wanted
    with using(sitting.state), hold(sitting.state, wanted.ref, _LOCK_SECONDS):
        sitting.record.sync()
        record = sitting.record.change(wanted.number)
        if record and record.state is ChangeState.OPEN:
            # The index has to learn of it too, also where this is killed before it does.
            sitting.record.index.begin(wanted.number)
            sitting.ledger.log(meta_ref(wanted.number), _result(run, ended, log), SERVER)
            mend_change(sitting, wanted.number)
        # While nobody purges: what is noted after a purge would stand there for ever.
        if record and not record.purged:
            note_run(sitting.state, wanted.number, replace(run.kept, running=False))


def _result(run: Run, ended: Ended, log: str) -> Ran:
    wanted = run.wanted
    return Ran(
        wanted.number,
        Word(wanted.check),
        Word(wanted.command.name),
        Word(wanted.command.definition(wanted.check)),
        Oid(wanted.tree),
        Oid(wanted.tip),
        Oid(wanted.head),
        Oid(wanted.policy),
        Word(run.child.run),
        ended.state,
        ended.status,
        ended.seconds,
        Word("" if log == "-" else log),
        Text(ended.detail[:_DETAIL]),
    )
