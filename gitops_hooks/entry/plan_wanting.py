"""Which plans of one repository are to be made now, worked out from the record, the objects and the policy.

Nothing of a queue is kept: a plan is wanted where a rule asks for one and everything else is there, or somebody asked,
for as long as none of what would land is recorded.
"""

from dataclasses import field

from gitops_hooks.core.govern import govern
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.entry.awaiting import plans_are_made
from gitops_hooks.entry.checkers import Confined
from gitops_hooks.entry.judge_plan import judge_ready
from gitops_hooks.entry.matter import Matter, gather
from gitops_hooks.entry.planned import Concerned, find_concerned, hold_plan, without_credential
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision

_MOST = 5000
# What a clock alone opens or closes, such as a freeze, is looked at again after so many seconds.
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """One plan to be made: of change `number` at `head`, of the `tree` that it makes of `ref` at `tip`."""

    number: int
    ref: str
    tip: str
    head: str
    tree: str
    policy: str
    concerned: tuple[Concerned, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What it is of, beside the tree."""
        return self.number, self.head, tuple(one.aim for one in self.concerned)


@dataclass(slots=True)
class PlanWanting:
    """What one repository wants, remembered for as long as nothing that it rests on has moved."""

    _known: dict[int, tuple[tuple[str, ...], Wanted | None]] = field(default_factory=dict)

    def look(self, sitting: Sitting) -> tuple[Wanted, ...]:
        """All that is to be planned, oldest change first."""
        if not plans_are_made(sitting):
            self._known.clear()
            return ()
        sitting.record.ensure_changes()
        numbers = sitting.record.index.newest(_MOST, only_open=True)[::-1]
        self._known = {number: self._of(sitting, number) for number in numbers}
        return tuple(wanted for _, wanted in self._known.values() if wanted)

    def _of(self, sitting: Sitting, number: int) -> tuple[tuple[str, ...], Wanted | None]:
        index, repository = sitting.record.index, sitting.repository
        target = index.target(number)
        tips = [repository.tip(ref) for ref in (meta_ref(number), target, _log_of(sitting, target)) if ref]
        moment = str(int(sitting.ledger.clock().timestamp() // _SECONDS))
        # Another server file has other credentials, and another floor.
        file = str(sitting.home.server_file.stat().st_mtime_ns)
        grounds = (*tips, sitting.default.recorded, index.results_sign(), moment, file)
        known = self._known.get(number)
        if known and known[0] == grounds:
            return known
        try:
            return grounds, find_wanted(sitting, number)
        except EdgeError:
            # It cannot land either, and keeps nothing else waiting; the next look tries again.
            return (), None


def _log_of(sitting: Sitting, target: str) -> str:
    """The log of the first environment that a rule for this branch waits for; more are looked at with the clock."""
    governing = govern(sitting.policy, target) if target else None
    names = [name for rule in (governing.rules if governing else ()) for name in rule.deployed]
    return f"refs/environments/{names[0]}/log" if names else ""


def find_wanted(sitting: Sitting, number: int) -> Wanted | None:
    """The plan that is to be made of a change, if there is one. Errors: EdgeError."""
    record = sitting.record.change(number)
    governing = govern(sitting.policy, record.target) if record else None
    if record is None or governing is None or record.state is not ChangeState.OPEN:
        return None
    asked = record.plan_asked == record.head.head
    if not asked and not any(rule.plan for rule in governing.rules):
        return None
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record)
    if isinstance(matter, Refusal) or not matter.span.commits:
        return None
    return _weigh(sitting, record, matter, asked)


def _weigh(sitting: Sitting, record: ChangeRecord, matter: Matter, asked: bool) -> Wanted | None:
    concerned = find_concerned(sitting, record.target, matter.span, matter.merged)
    if not concerned or without_credential(sitting, concerned):
        return None
    if not asked and hold_plan(sitting, concerned, matter.span, matter.merged, record).digest:
        return None
    requirements, verdicts = judge_ready(sitting, matter, Confined(sitting))
    if not Decision(record.target, requirements, verdicts).accepted:
        return None
    tip, tree = matter.span.tip, matter.merged.tree
    return Wanted(record.number, record.target, tip, matter.span.head, tree, matter.case.policy.commit, concerned)
