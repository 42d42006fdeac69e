"""One round of an agent: ask the server, believe or refuse what it says, bring the hosts there, report."""

import time
from collections.abc import Callable
from dataclasses import field

from gitops_hooks.core.agent_work import Agenda, Pace, Work, plan_work
from gitops_hooks.edge.agent_mirror import Mirror, Silence, Why
from gitops_hooks.edge.agent_state import Notes, need_room, needing_state
from gitops_hooks.entry.agent import ALARM, UNREACHABLE
from gitops_hooks.entry.agent_apply import Shop, wrong_deployer
from gitops_hooks.entry.agent_telling import Teller, judge_hosts, stop_words
from gitops_hooks.entry.agent_trust import Alarming, Believed, Unheard, believe_again, hold_against_roots
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.agent_mark import Mark, Standing, Status
from gitops_hooks.model.deployment import Outcome
from gitops_hooks.model.drift import Drift, Sync
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Mode

OUT = 1
# A round at least so often, whatever happens: what it tells of itself is not older.
MOST_SECONDS = 900.0

# What was brought back is looked at again, and may then be brought back once more: no round is longer.
_MOST_TURNS = 4
_LEAST_SECONDS = 5.0


@dataclass(slots=True)
class Round:
    """One round; `say` takes a line for the log, `ended` says whether it is asked to end.

    `looks_only`: nothing is applied, looked at or reported. `halted` says that all deployments were stopped meanwhile.
    """

    file: AgentFile
    say: Callable[[str], None]
    ended: Callable[[], bool]
    looks_only: bool = False
    pace: Pace = field(default_factory=Pace)
    mirror: Mirror = field(init=False)
    notes: Notes = field(init=False)
    alarm: str = ""
    halted: str = ""
    silence: Silence | None = None
    asked: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.mirror, self.notes = Mirror(self.file), Notes(self.file.state)

    def go(self) -> Status:
        """How it ended, which is noted too. Errors: EdgeError where the agent's own folder or files cannot be used."""
        with needing_state(self.file.state):
            self.mirror.lay()
            need_room(self.file.state)
            return self._go()

    def _go(self) -> Status:
        before = self.notes.status() or Status()
        mark, standing = self.notes.mark(), self.notes.standing()
        believed = self._believe(mark)
        # Before the work, during which the server is asked as well: what it says then is for the next round.
        judged = self.mirror.digest()
        standing = {host: one for host, one in standing.items() if host in self.file.hosts}
        now = believed.mark if believed else mark
        self._leave(now, standing)
        words, due = self._work(believed, standing) if believed else ("", 0.0)
        environment = believed.environment if believed else None
        code, told = self._judge(now, standing, words, environment.gates.paused if environment else "")
        teller = Teller(self.file, self.mirror, now, standing, self.alarm)
        status = Status(
            time.time(), code, told, self.alarm, _soon(due), judged,
            before.heard if self.silence else time.time(), before.reported, before.sequence,
        )  # fmt: skip
        if not self.looks_only:
            if self.silence is None or self.silence.why is Why.NO_REF:
                status = teller.report(status, self.say)
            self.notes.write_status(status)
            teller.lay_metrics(status)
        return status

    def _leave(self, mark: Mark, standing: dict[str, Standing]) -> None:
        """Of hosts that the server has brought somewhere itself since, what the agent knows is no longer so."""
        left = [host for host, target in mark.environment.targets if target.pushed and host in standing]
        for host in left:
            del standing[host]
        if left and not self.looks_only:
            self.notes.write_standing(standing)

    def _believe(self, mark: Mark) -> Believed | None:
        """What holds: what the server says now, or, where that is not heard or not believed, what held before."""
        self.silence = self.mirror.poll(mark.branches)
        if self.silence is None:
            try:
                believed = self._hold(mark)
                self._keep(believed, mark)
                if believed.unsigned:
                    self.say(f"{believed.unsigned} landings rest on the server's word for who approved them")
                return believed
            except Alarming as alarming:
                self.alarm = str(alarming)
            except Unheard as unheard:
                self.silence = unheard.silence
        if self.silence and self.silence.why in (Why.NO_REF, Why.HOST_KEY):
            self.alarm = self.silence.words
        return believe_again(self.file, self.mirror, mark)

    def _hold(self, mark: Mark) -> Believed:
        """A refusal counts when it stays one with everything that the server has: refs may move while we ask."""
        try:
            return hold_against_roots(self.file, self.mirror, mark)
        except Alarming:
            if silence := self.mirror.fetch_all():
                raise Unheard(silence) from None
            return hold_against_roots(self.file, self.mirror, mark)

    def _keep(self, believed: Believed, before: Mark) -> None:
        """Write the mark, and keep what it rests on from being swept out of the mirror."""
        mark, has = believed.mark, believed.record.repository.is_commit
        if mark == before:
            return
        wanted = [mark.log.tip, mark.environment.tip, mark.log.recorded(mark.log.default)]
        wanted += [target.commit for _, target in mark.environment.targets]
        names = {f"refs/kept/{number}": oid for number, oid in enumerate(dict.fromkeys(wanted)) if oid and has(oid)}
        self.mirror.ask("update-ref", "--stdin", text="".join(f"update {n} {o}\n" for n, o in names.items()).encode())
        self.notes.write_mark(mark)

    def _work(self, believed: Believed, standing: dict[str, Standing]) -> tuple[str, float]:
        """Do what is due; why nothing can be, and when something is due next."""
        environment = believed.environment
        if environment is None:
            return f"the policy in force has no environment {self.file.environment}", 0.0
        if environment.mode is Mode.PUSH:
            return f"the policy says mode: push for {environment.name}: it is left to the server", 0.0
        if why := wrong_deployer(self.file, environment):
            return why, 0.0
        shop = Shop(self.file, believed, environment, self._why_end)
        for _ in range(1 if self.looks_only else _MOST_TURNS):
            agenda = plan_work(believed.mark.environment, standing, environment, time.time(), self.pace)
            if self.looks_only or self.ended() or self.halted or not (agenda.apply or agenda.look):
                break
            self._turn(shop, agenda, standing)
        agenda = plan_work(believed.mark.environment, standing, environment, time.time(), self.pace)
        return "", 1.0 if agenda.apply or agenda.look else agenda.due

    def _why_end(self, generation: int) -> str:
        """Why a run of this generation has to end early, or an empty string; the server is asked once an interval."""
        if self.ended():
            return "the agent was ended during the run; it is run again"
        if self.halted:
            return self.halted
        now = time.monotonic()
        if now - self.asked < max(self.file.interval, _LEAST_SECONDS):
            return ""
        self.asked, mark = now, self.notes.mark()
        if self.mirror.poll(mark.branches) is not None:
            return ""
        try:
            told = hold_against_roots(self.file, self.mirror, mark).mark.environment
        except (Alarming, Unheard):
            return ""  # the next round tells it
        if told.stopped:
            self.halted = stop_words(told)
            return self.halted
        return "canceled on the server" if generation <= told.canceled else ""

    def _turn(self, shop: Shop, agenda: Agenda, standing: dict[str, Standing]) -> None:
        for work in agenda.apply:
            if self.halted:
                return
            outcome = shop.apply(work, standing)
            # Whoever reads that it was applied finds it noted; where it cannot be, it was applied all the same.
            try:
                self.notes.write_standing(standing)
            finally:
                self._tell_run(work, outcome)
        for work in agenda.look if not agenda.apply else ():
            found = shop.look(work, standing)
            try:
                self.notes.write_standing(standing)
            finally:
                self._tell_look(work, found)

    def _tell_run(self, work: Work, outcome: Outcome) -> None:
        states = " ".join(f"{host.name}={host.state.value}({host.changed})" for host in outcome.hosts) or "no host"
        words = f"applied generation {work.target.generation} ({work.target.commit[:12]}): {outcome.state.value}"
        self.say(f"{words}, {states}, {outcome.seconds:.0f} s" + (f": {outcome.detail}" if outcome.detail else ""))

    def _tell_look(self, work: Work, found: Drift) -> None:
        out = [host.name for host in found.hosts if host.sync is Sync.OUT]
        words = f"looked at {len(work.hosts)} hosts: " + (f"out of sync {' '.join(out)}" if out else "in sync")
        self.say(words if not found.detail else f"looked at {len(work.hosts)} hosts: {found.detail}")

    def _judge(self, mark: Mark, standing: dict[str, Standing], words: str, paused: str) -> tuple[int, str]:
        """The exit code with its words: the worst news first."""
        if self.alarm:
            return ALARM, f"refused what it was given: {self.alarm}"
        if self.silence is not None:
            return UNREACHABLE, f"the server cannot be asked: {self.silence.words}"
        return (OUT, words) if words else judge_hosts(mark.environment, standing, paused)


def _soon(due: float) -> float:
    most = time.time() + MOST_SECONDS
    return min(due, most) if due else most
