"""The revert change that follows a rollback of the server's: opened once, whatever is killed, and told in the log.

The rollback is recorded first; then the change, whose topic names that event; then that it was opened.
"""

from itertools import islice

from gitops_hooks.core.decide import judge_proposal
from gitops_hooks.core.govern import govern
from gitops_hooks.core.results import Planned
from gitops_hooks.core.revert_text import Occasion, Undone, description_of, title_of
from gitops_hooks.core.verdict_words import verdict_words
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.record import LOG
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.replay import undo
from gitops_hooks.entry.aim import read_log
from gitops_hooks.entry.checkers import Confined
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.landing import revise
from gitops_hooks.entry.matter import Matter, gather, judge_policy, run_checks
from gitops_hooks.entry.settling import settled
from gitops_hooks.entry.sitting import Sitting, brought_up
from gitops_hooks.model.change import ChangeState
from gitops_hooks.model.environment_event import Reverted, RolledBack
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Event, Landing
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.judgement import Life, Revise
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Verdict

_LOCK_SECONDS = 5.0
_MOST_BACK = 5000
_DETAIL = 500
_OWN = "propose"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A revert as it was judged on this tip: to be opened, an open change that is just that, or why there is none."""

    tip: str
    effect: Revise | int | Refusal


def open_reverts(sitting: Sitting) -> tuple[str, ...]:
    """Open what is owed; what is wrong, a line each. Never raises: deployments have begun before."""
    wrong = []
    for environment in sitting.policy.environments:
        try:
            owed = read_log(sitting, environment.name).owed
            if owed is not None and sitting.record.standing(environment.branch).trusted:
                _open(brought_up(sitting), environment, owed)
        except (EdgeError, OSError) as error:
            wrong.append(f"{environment.name}: its revert change cannot be opened: {error}")
    return tuple(wrong)


def topic_of(owed: Event) -> str:
    """By which a change is known to be the one of this rollback."""
    return f"revert-{owed.oid[:16]}"


def _open(sitting: Sitting, environment: Environment, owed: Event) -> None:
    """Judged first, since checks take their time; then opened under the branch's lock, unless that has moved."""
    number, draft = _find(sitting, environment, owed), None
    if not number:
        draft = _draft(sitting, environment, owed)
    with hold(sitting.state, environment.branch, _LOCK_SECONDS):
        sitting, reason = settled(sitting, environment.branch), ""
        if draft is not None:
            if sitting.record.standing(environment.branch).real != draft.tip:
                return
            number, reason = _carry_out(sitting, draft)
        body = Reverted(Word(environment.name), Oid(owed.oid), number, Text(reason[:_DETAIL]))
        sitting.ledger.log(environment_ref(environment.name, "log"), body, SERVER)


def _find(sitting: Sitting, environment: Environment, owed: Event) -> int:
    """The change, where one who was killed has opened it already, or 0."""
    sitting.record.ensure_changes()
    numbers = sitting.record.index.numbers_on(SERVER.name, environment.branch, topic_of(owed))
    return next((number for number in numbers if sitting.record.change(number)), 0)


def _carry_out(sitting: Sitting, draft: _Draft) -> tuple[int, str]:
    """The number of the change that was opened, or 0 and why there is none."""
    if isinstance(draft.effect, Refusal):
        return 0, draft.effect.reason
    if isinstance(draft.effect, int):
        return draft.effect, ""
    record = revise(sitting, SERVER, draft.effect)
    if isinstance(record, LostRace):
        raise EdgeError("revert", record.words)
    return record.number, ""


def _draft(sitting: Sitting, environment: Environment, owed: Event) -> _Draft:
    rollback, tip = owed.body, sitting.repository.tip(environment.branch)
    if not isinstance(rollback, RolledBack):
        raise EdgeError(environment.name, "owes a revert of what is no rollback")
    tree = undo(sitting.repository, tip, rollback.commit, rollback.left)
    if isinstance(tree, Refusal):
        return _Draft(tip, tree)
    if number := _alike(sitting, environment.branch, tip, tree):
        return _Draft(tip, number)
    undone = _find_undone(sitting, environment.branch, rollback)
    occasion = Occasion(environment.name, rollback.left, rollback.commit, rollback.message)
    title, description = title_of(undone, occasion), description_of(undone, occasion)
    planned = Planned(tree, f"{title}\n\n{description}\n")
    head = sitting.ledger.objects.write_planned(planned, tip, sitting.ledger.now())
    judged = _judge(sitting, environment, head)
    if isinstance(judged, Refusal):
        return _Draft(tip, judged)
    matter, verdicts = judged
    known = [one.lander for one in undone if one.lander in sitting.people.names]
    life = Life(False, tuple(name for name in dict.fromkeys(known) if sitting.entry.may_read(name)), (), 0, NO_OID)
    said = (verdict_words(verdicts), matter.case.missing, life)
    return _Draft(
        tip, Revise(None, environment.branch, topic_of(owed), title, description, "", matter.span, False, *said)
    )


def _alike(sitting: Sitting, ref: str, tip: str, tree: str) -> int:
    """An open change of the server's that is this very revert: another environment was rolled back from it, too."""
    for number in sitting.record.index.open_numbers(SERVER.name):
        record = sitting.record.change(number)
        is_open = record is not None and record.state is ChangeState.OPEN
        if record is None or not is_open or (record.target, record.head.base) != (ref, tip):
            continue
        if sitting.repository.tree_of(record.head.head) == tree:
            return number
    return 0


def _judge(sitting: Sitting, environment: Environment, head: str) -> tuple[Matter, tuple[Verdict, ...]] | Refusal:
    """As any proposal, but that nobody has to allow the server to make one."""
    governing, standing = govern(sitting.policy, environment.branch), sitting.record.standing(environment.branch)
    if governing is None:
        return Refusal("target", "no rule governs its branch")
    matter = gather(sitting, governing, standing, head, frozenset({SERVER.name}), None)
    if isinstance(matter, Refusal):
        return matter
    requirements = (*judge_proposal(matter.case, SERVER.name), *judge_policy(sitting, matter))
    faults = [one.reason for one in requirements if not one.holds and one.rule != _OWN]
    verdicts = run_checks(sitting, matter, Confined(sitting)) if not faults else ()
    faults += [f"check {verdict.check} refuses it" for verdict in verdicts if verdict.refuses]
    return Refusal("revert", "; ".join(faults)) if faults else (matter, verdicts)


def _find_undone(sitting: Sitting, ref: str, rollback: RolledBack) -> tuple[Undone, ...]:
    """The landings between what was good and what failed, newest first."""
    found: list[Undone] = []
    for event in islice(sitting.record.events(LOG), _MOST_BACK):
        body = event.body
        if isinstance(body, Landing) and body.ref == ref:
            if body.new == rollback.commit:
                break
            if found or body.new == rollback.left:
                found.append(_undone(sitting, event, body))
    return tuple(found)


def _undone(sitting: Sitting, event: Event, body: Landing) -> Undone:
    record = sitting.record.change(body.change) if body.change else None
    title = record.title if record else sitting.repository.commit(body.new).title
    return Undone(body.change, record.owner if record else "", event.stamp.actor, title, body.new)
