"""`policy replay`: the last landings, judged again under another policy from what was recorded of them."""

from collections.abc import Iterator

from gitops_hooks.core.decide import judge_landing, judge_moved, judge_unapproved_push
from gitops_hooks.core.govern import Governing, Right, govern
from gitops_hooks.core.override import override
from gitops_hooks.core.rehearse import Judge, rehearse
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.entry.recorded import change_when_it_landed, recorded_case
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.event import Event, Landed, Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import CheckOutcome, Requirement, Status

_PASSED = (CheckOutcome.OK, CheckOutcome.FINDINGS)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One landing under another policy; `free` says that no rule would govern its branch."""

    event: Event
    landing: Landing
    free: bool
    requirements: tuple[Requirement, ...]

    @property
    def refused(self) -> bool:
        return not all(requirement.holds for requirement in self.requirements)

    @property
    def difference(self) -> str:
        """What would differ, in words, or an empty string."""
        if self.free:
            return "no rule would govern the branch"
        if self.refused:
            return "would have been refused"
        if self.landing.reason and not any(r.status is Status.OVERRIDDEN for r in self.requirements):
            return "would have needed no break-glass"
        on_trial = any(r.status is Status.BYPASSED for r in self.requirements)
        return "would have landed, and rules on trial would have refused it" if on_trial else ""


def replay(record: Record, policy: Policy, last: int, ref: str = "") -> list[Replayed]:
    """The newest `last` landings (of one ref, or of all) under this policy, newest first."""
    found: list[Replayed] = []
    for event, landing in _landings(record, ref):
        if len(found) == last:
            break
        found.append(judge_again(record, event, landing, policy))
    return found


def _landings(record: Record, ref: str) -> Iterator[tuple[Event, Landing]]:
    done: set[str] = set()
    for event in record.events(LOG):
        match event.body:
            case Landed(landing=landing):
                done.add(landing)
            case Landing() as body if event.oid in done and _is_meant(body.ref, ref):
                yield event, body


def _is_meant(moved: str, ref: str) -> bool:
    return moved == ref if ref else moved.startswith("refs/heads/")


def judge_again(record: Record, event: Event, landing: Landing, policy: Policy) -> Replayed:
    """One landing under a policy, from what is recorded of it."""
    governing = govern(policy, landing.ref)
    if governing is None:
        return Replayed(event, landing, True, ())
    if landing.way not in ("change", "push"):
        return Replayed(event, landing, False, _moved(event, landing, governing))
    change = change_when_it_landed(record, landing.change) if landing.change else None
    case = recorded_case(record, event, policy, change)
    if isinstance(case, Refusal):
        return Replayed(event, landing, False, (Requirement(case.rule, Status.ERROR, case.reason),))
    judge = _judge_of(event, landing, change, governing)
    said = judge(case[1])
    answers = override(case[1], event.stamp.actor, said) if landing.reason else said
    if landing.reason and all(requirement.holds for requirement in said):
        answers = said
    checks = _checks(governing, landing)
    return Replayed(event, landing, False, (*answers, *checks, *rehearse(judge, case[1], said)))


def _moved(event: Event, landing: Landing, governing: Governing) -> tuple[Requirement, ...]:
    """A branch that was created, deleted or forced: by the right to do so, at that time."""
    rights: dict[str, Right] = {"create": "create", "delete": "delete", "force": "force"}
    return judge_moved(governing, rights[landing.way], event.stamp.actor, landing.judged)


def _judge_of(event: Event, landing: Landing, change: ChangeRecord | None, governing: Governing) -> Judge:
    actor = event.stamp.actor
    if landing.way == "push":
        return lambda case: judge_unapproved_push(case, actor)
    revision = change.revision_at(landing.head) if change else None
    asked = revision.auto_land_by if revision else ""
    lander = asked if asked and not governing.may("land", actor).holds else actor
    return lambda case: judge_landing(case, lander)


def _checks(governing: Governing, landing: Landing) -> tuple[Requirement, ...]:
    """A check that was not asked then has no answer now; nothing is run again."""
    return tuple(
        Requirement("checks", Status.UNSATISFIED, f"No verdict of {name} is recorded for what landed.")
        for name in governing.checks
        if not any(f"{name}:{outcome.value}:{landing.tree}" in landing.verdicts for outcome in _PASSED)
    )
