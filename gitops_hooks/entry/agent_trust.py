"""What the server says, held against an agent's trust root: everything since the mark, with the judge of the server.

The mark moves only where all of it holds. Who signs may still leave something out: a log that ends earlier than the
mark, or goes on from another event, is therefore not believed either.
"""

from collections.abc import Iterator, Mapping, Sequence

from gitops_hooks.core.agent_log import Unbelievable, take_events
from gitops_hooks.core.chain import Break, Chain, Step, follow
from gitops_hooks.edge.agent_mirror import LOG, Mirror, Silence
from gitops_hooks.edge.disk import FULL, says_full
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.mirror import load_approvers, missing_objects
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signatures import load_verifier
from gitops_hooks.entry.authorised import judge_record
from gitops_hooks.entry.signing import is_signed
from gitops_hooks.entry.sitting import policy_at
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.agent_mark import EnvironmentMark, LogMark, Mark, OpenLanding
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event import Event, Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RECORDED_LIMITS


class Alarming(Exception):
    """What the server gave is not believed; the text says why."""


class Unheard(Exception):
    """The server stopped answering in the middle."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence.words)
        self.silence = silence


@dataclass(frozen=True, slots=True)
class Believed:
    """What holds now: the mark, the policy in force, and the environment in it (None: it has none of that name).

    `unsigned` counts landings, judged in this round, that rest on the server's word for an approval.
    """

    mark: Mark
    record: Record
    policy: Policy
    environment: Environment | None
    unsigned: int = 0


def open_record(file: AgentFile, mirror: Mirror) -> Record:
    """The mirror, to be read with the pinned key and id. Errors: EdgeError."""
    verifier = load_verifier(file.roots.server_key)
    repository = open_repository(mirror.path, RECORDED_LIMITS)
    return Record(repository, file.roots.repository, verifier, open_index(file.state / "index"))


def believe_again(file: AgentFile, mirror: Mirror, mark: Mark) -> Believed | None:
    """What held at the mark, without a word from the server; None where nothing did. Errors: EdgeError."""
    if not mark.log.tip:
        return None
    record = open_record(file, mirror)
    try:
        policy = policy_at(record.repository, mark.log.recorded(mark.log.default))
    except PolicyError as error:
        raise EdgeError("the mirror", str(error)) from None
    return Believed(mark, record, policy, policy.environment(file.environment))


def hold_against_roots(file: AgentFile, mirror: Mirror, mark: Mark) -> Believed:
    """Everything since the mark. Errors: Alarming; Unheard; EdgeError where the agent's own files cannot be used."""
    record = open_record(file, mirror)
    walk = _Walk(file, mirror, record, load_approvers(file.roots.approvers) if file.roots.approvers else None)
    try:
        log, policy = walk.read_log(mark.log)
        environment = policy.environment(file.environment)
        branch = environment.branch if environment else mark.branch
        if mark.log.tip and not {log.default, branch} <= {*log.judged, ""}:
            # It follows a branch whose landings nobody has judged yet.
            log, policy = walk.read_log(LogMark())
        log, unsigned = walk.judge(log, branch)
        walk.compare(log, Mark(log, branch=branch).branches)
        told = walk.read_environment(mark.environment, log, branch)
    except (EdgeError, PolicyError, Unbelievable) as error:
        if isinstance(error, EdgeError) and (error.where == FULL or says_full(error)):
            raise
        raise Alarming(" ".join(str(error).split())) from None
    return Believed(Mark(log, told, branch), record, policy, environment, unsigned)


@dataclass(slots=True)
class _Walk:
    """One look at what is new; `steps` are the moves that it found."""

    file: AgentFile
    mirror: Mirror
    record: Record
    approvers: Mapping[str, frozenset[str]] | None
    steps: tuple[Step, ...] = ()

    def read_log(self, mark: LogMark) -> tuple[LogMark, Policy]:
        """The chain of recorded moves goes on unbroken from the mark, and the policy at its end can be read."""
        fresh = self._since(LOG, mark.tip, mark.number)
        chain = self._chain(mark)
        steps: list[Step] = []
        for found in follow(fresh, chain):
            if isinstance(found, Break):
                raise Alarming(f"{found.ref or 'the log'}: event {found.event.oid[:12]}: {found.reason}")
            steps.append(found)
        adoption = chain.adoption.oid if chain.adoption else ""
        if adoption != self.file.roots.adoption:
            words = f"the log begins with event {adoption[:12] or 'none'}"
            raise Alarming(f"{words}, not with the pinned adoption {self.file.roots.adoption[:12]}")
        self.steps = tuple(steps)
        tip = chain.tips.get(chain.default, NO_OID)
        self._have([chain.default], tip)
        return self._marked(mark, chain, fresh), policy_at(self.record.repository, tip)

    def _since(self, ref: str, tip: str, number: int) -> list[Event]:
        """The events after the mark, oldest first. Errors: Alarming where the log does not go on from there."""
        fresh: list[Event] = []
        for event in self.record.events(ref):
            if event.oid == tip:
                return fresh[::-1]
            if event.stamp.number <= number:
                raise Alarming(_cut(ref, event, tip, number))
            fresh.append(event)
        if tip:
            raise Alarming(f"{ref} is gone, and was at event {number} before")
        return fresh[::-1]

    def _chain(self, mark: LogMark) -> Chain:
        chain = Chain(mark.default, self.record.event(mark.adoption) if mark.adoption else None, dict(mark.tips))
        chain.known.update(commit for _, _, commit in mark.steps)
        for one in mark.open:
            event = self.record.event(one.event)
            body = event.body
            if isinstance(body, Landing):
                chain.open[one.ref] = Step(one.ref, body.old, body.new, event, 0, frozenset(one.policies))
        return chain

    def _marked(self, mark: LogMark, chain: Chain, fresh: Sequence[Event]) -> LogMark:
        newest = fresh[-1] if fresh else None
        return LogMark(
            newest.oid if newest else mark.tip,
            newest.stamp.number if newest else mark.number,
            chain.adoption.oid if chain.adoption else "",
            chain.default,
            tuple(chain.tips.items()),
            (*mark.steps, *((step.event.oid, step.ref, step.new) for step in self.steps)),
            tuple(OpenLanding(ref, one.event.oid, tuple(one.policies)) for ref, one in chain.open.items()),
            mark.judged,
        )

    def _have(self, refs: Sequence[str], commit: str) -> None:
        """The objects of these refs, which the poll brings along from the next time on."""
        if not self.record.repository.is_commit(commit):
            self._fetch(self.mirror.fetch(refs))

    @staticmethod
    def _fetch(silence: Silence | None) -> None:
        if silence is not None:
            raise Unheard(silence)

    def judge(self, log: LogMark, branch: str) -> tuple[LogMark, int]:
        """Every landing on the environment's branch, and on the default branch whose policy it rests on."""
        concerned = tuple(dict.fromkeys(ref for ref in (log.default, branch) if ref))
        landings = [step for step in self.steps if step.ref in concerned and isinstance(step.event.body, Landing)]
        for ref in concerned:
            self._have([ref], log.recorded(ref) or NO_OID)
        self._fetch(self.mirror.fetch_changes(sorted(_changes(landings))))
        # What break-glass owed at each landing is asked of the index, which is made of the log.
        self.record.sync()
        unsigned = 0
        for step in landings:
            with missing_objects():
                refusal = judge_record(self.record, step.event, step.policies, self.approvers)
                unsigned += isinstance(step.event.body, Landing) and not is_signed(self.record, step.event.body)
            if refusal:
                raise Alarming(f"{step.ref}: {refusal.rule}: {refusal.reason}")
        return _judged(log, concerned), unsigned

    def compare(self, log: LogMark, refs: Sequence[str]) -> None:
        """Refs stand where they are recorded, or where a landing that is under way brings them."""
        opened = {one.ref: one.event for one in log.open}
        for ref in refs:
            real, recorded = self.record.repository.tip(ref), log.recorded(ref) or NO_OID
            if real in (recorded, *self._under_way(opened.get(ref, ""))):
                continue
            raise Alarming(f"{ref} stands at {real[:12]}, the record says {recorded[:12]}: no landing moved it there")

    def _under_way(self, event: str) -> Iterator[str]:
        body = self.record.event(event).body if event else None
        if isinstance(body, Landing):
            yield body.new

    def read_environment(self, mark: EnvironmentMark, log: LogMark, branch: str) -> EnvironmentMark:
        """What its hosts are released to, each by an event that recorded the commit on the environment's branch."""
        file = self.file
        ref, asked = f"refs/environments/{file.environment}/log", (file.environment, file.hosts)
        if mark.name != file.environment:
            mark = EnvironmentMark(name=file.environment, hosts=file.hosts)
        fresh = self._since(ref, mark.tip, mark.number)
        if (mark.name, mark.hosts) != asked:
            # What was read for others says nothing of those that it answers for now.
            fresh, mark = self._since(ref, "", 0), EnvironmentMark(name=file.environment, hosts=file.hosts)
        found = take_events(mark, fresh, file.hosts, self._follows)
        steps = {(event, commit) for event, at, commit in log.steps if at == branch}
        for host, target in found.targets:
            if target != mark.target(host) and (target.record, target.commit) not in steps:
                words = f"{branch or 'no branch'} was never recorded at it"
                raise Alarming(f"{host} is released to {target.commit[:12]}, and {words}")
        return found

    def _follows(self, earlier: str, later: str) -> bool:
        self._have(["refs/heads/*"], earlier)
        with missing_objects():
            return self.record.repository.descends(later, earlier)


def _cut(ref: str, event: Event, tip: str, number: int) -> str:
    if event.stamp.number < number:
        return f"{ref} ends at event {event.stamp.number}, and was at event {number} before: it was cut"
    return f"event {number} of {ref} is {event.oid[:12]}, and was {tip[:12]} before: it was rewritten"


def _changes(landings: Sequence[Step]) -> set[int]:
    bodies = (step.event.body for step in landings)
    return {body.change for body in bodies if isinstance(body, Landing) and body.change}


def _judged(log: LogMark, concerned: tuple[str, ...]) -> LogMark:
    return LogMark(
        log.tip, log.number, log.adoption, log.default, log.tips, log.steps, log.open,
        concerned,
    )  # fmt: skip
