"""A change whose landing was asked for lands once the last missing thing is there, whoever brought that."""

from collections.abc import Iterator

from gitops_hooks.core.decide import judge_landing
from gitops_hooks.core.govern import govern
from gitops_hooks.core.rehearse import rehearse
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.entry.checkers import Confined, Recalled
from gitops_hooks.entry.hook import open_ways
from gitops_hooks.entry.landing import land
from gitops_hooks.entry.matter import Matter, gather, judge_policy, run_checks_to_land
from gitops_hooks.entry.rehearsal import record_rehearsal
from gitops_hooks.entry.settling import settled
from gitops_hooks.entry.sitting import Checker, Sitting, brought_up, find_asker, reopened
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.judgement import Judgement, Land
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision, Verdict

_LOCK_SECONDS = 5.0
_MOST = 100


@dataclass(frozen=True, slots=True)
class Landed:
    """What landed, in whose name, and where its branch stands now."""

    effect: Land
    actor: Actor
    new: str


def land_if_asked(sitting: Sitting, record: ChangeRecord, check: Checker) -> Landed | None:
    """Land the newest revision if its landing was asked for and nothing is missing; the caller holds the lock."""
    ready = _ready(sitting, record)
    if ready is None:
        return None
    matter, asker = ready
    verdicts = run_checks_to_land(sitting, matter, check)
    if any(verdict.refuses for verdict in verdicts):
        return None
    effect = matter.land("change", verdicts)
    _record_trials(sitting, matter, asker, verdicts)
    new = land(sitting, asker, effect)
    return None if isinstance(new, LostRace) else Landed(effect, asker, new)


def _record_trials(sitting: Sitting, matter: Matter, asker: Actor, verdicts: tuple[Verdict, ...]) -> None:
    """What rules on trial would have said of it; nobody stands by to be told."""
    said = judge_landing(matter.case, asker.name)
    on_trial = rehearse(lambda case: judge_landing(case, asker.name), matter.case, said)
    update = RefUpdate(matter.span.tip, matter.span.head, matter.standing.ref)
    record_rehearsal(sitting, asker, Judgement(update, Decision(update.ref, on_trial, verdicts), None))


def _ready(sitting: Sitting, record: ChangeRecord) -> tuple[Matter, Actor] | None:
    """Whether all but the checks is there, judged now, for whoever asked."""
    asker = find_asker(sitting, record.head) if record.state is ChangeState.OPEN else None
    governing = govern(sitting.policy, record.target)
    if asker is None or governing is None:
        return None
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record)
    if isinstance(matter, Refusal) or not matter.span.commits:
        return None
    requirements = (*judge_landing(matter.case, asker.name), *judge_policy(sitting, matter))
    return (matter, asker) if Decision(record.target, requirements).accepted else None


def land_waiting(sitting: Sitting) -> Iterator[Landed]:
    """Land, one after the other, all that wait and may land now; a stack lands from below."""
    for _ in range(_MOST):
        sitting = brought_up(sitting)
        landed = next(filter(None, (_land_one(sitting, number) for number in sitting.record.index.waiting())), None)
        if landed is None:
            return
        yield landed


def _land_one(sitting: Sitting, number: int) -> Landed | None:
    record = sitting.record.change(number)
    # As a push is: nothing lands while the policy in force leaves nobody to approve.
    ready = _ready(sitting, record) if record and not open_ways(sitting) else None
    if record is None or ready is None or _failed_before(sitting, number, ready[0]):
        return None
    # Checks take their time, and nobody waits for them: the lock comes after.
    checker = Confined(sitting)
    verdicts = run_checks_to_land(sitting, ready[0], checker)
    if any(verdict.refuses for verdict in verdicts):
        sitting.record.index.set_fact(_fact(number), _refused(sitting, ready[0].merged.tree, verdicts))
        return None
    with hold(sitting.state, record.target, _LOCK_SECONDS):
        sitting = settled(reopened(sitting), record.target)
        if open_ways(sitting):
            return None
        now = sitting.record.change(number)
        recall = Recalled(checker.verdicts).under(sitting.policy)
        return land_if_asked(sitting, now, recall) if now else None


def _fact(number: int) -> str:
    return f"refused {number}"


def _failed_before(sitting: Sitting, number: int, matter: Matter) -> bool:
    """Whether the checks refused exactly this tree already: asking again would say the same."""
    tree, _, sign = sitting.record.index.fact(_fact(number)).partition(" ")
    return tree == matter.merged.tree and sign in ("", sitting.record.index.results_sign())


def _refused(sitting: Sitting, tree: str, verdicts: tuple[Verdict, ...]) -> str:
    """The tree; where commands have to pass, another result that is noted is another answer."""
    waits = any(verdict.awaited for verdict in verdicts)
    return f"{tree} {sitting.record.index.results_sign()}" if waits else tree
