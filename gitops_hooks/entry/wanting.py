"""Which commands of one repository are to be run now, worked out from the record, the objects and the policy."""

from dataclasses import field

from gitops_hooks.core.govern import govern
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.entry.awaiting import command_checks, look_up
from gitops_hooks.entry.checkers import Confined
from gitops_hooks.entry.matter import Matter, gather, on_all_accounts
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import Change, ChangeRecord, ChangeState
from gitops_hooks.model.command import Command, CommandState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Verdict

_MOST = 5000


@dataclass(frozen=True, slots=True)
class Wanted:
    """One command to be run: for change `number` at `head`, on the `tree` that it makes of `ref` at `tip`."""

    number: int
    check: str
    command: Command
    ref: str
    tip: str
    head: str
    tree: str
    policy: str

    @property
    def key(self) -> tuple[str, str]:
        """What a result is for; the same is never run twice at once."""
        return self.command.definition(self.check), self.tree


@dataclass(frozen=True, slots=True)
class _Known:
    """What was worked out for one change: what it rests on, what is to be run, and all definitions in force."""

    grounds: tuple[str, ...]
    wanted: tuple[Wanted, ...] = ()
    definitions: frozenset[str] = frozenset()


@dataclass(slots=True)
class Wanting:
    """What one repository wants, remembered for as long as nothing that it rests on has moved."""

    _known: dict[int, _Known] = field(default_factory=dict)

    def look(self, sitting: Sitting) -> tuple[Wanted, ...]:
        """All that is to be run for open changes, oldest change first."""
        checks = command_checks(sitting)
        if not checks:
            self._known.clear()
            return ()
        sitting.record.ensure_changes()
        numbers = sitting.record.index.newest(_MOST, only_open=True)[::-1]
        self._known = {number: self._of(sitting, number, checks) for number in numbers}
        return tuple(one for number in numbers for one in self._known[number].wanted)

    def _of(self, sitting: Sitting, number: int, checks: tuple[str, ...]) -> _Known:
        index = sitting.record.index
        target = index.target(number)
        stands = sitting.repository.tip(target) if target else ""
        grounds = (sitting.repository.tip(meta_ref(number)), stands, sitting.default.recorded, index.results_sign())
        known = self._known.get(number)
        if known and known.grounds == grounds:
            return known
        try:
            return self._work_out(sitting, number, checks, grounds)
        except EdgeError:
            # It cannot land either, and keeps nothing else waiting; the next look tries again.
            return _Known(())

    def _work_out(self, sitting: Sitting, number: int, checks: tuple[str, ...], grounds: tuple[str, ...]) -> _Known:
        record = sitting.record.change(number)
        found = open_verdicts(sitting, record, checks) if record else None
        if record is None or found is None:
            return _Known(grounds)
        matter, verdicts = found
        digests = frozenset(one.command.definition(verdict.check) for verdict in verdicts for one in verdict.awaited)
        return _Known(grounds, wanted_of(record, matter, verdicts), digests)

    def still(self, sitting: Sitting, wanted: Wanted) -> bool:
        """Whether a run that goes on is still of use: its change is open at that head, and its definition in force.

        That the branch has moved does not end it: where it moves all the time, none would ever come to its end.
        """
        known = self._known.get(wanted.number)
        if known is None or wanted.key[0] not in known.definitions:
            return False
        record = sitting.record.change(wanted.number)
        return record is not None and record.state is ChangeState.OPEN and record.head.head == wanted.head


def open_verdicts(
    sitting: Sitting, record: ChangeRecord, checks: tuple[str, ...]
) -> tuple[Matter, tuple[Verdict, ...]] | None:
    """What the checks that give commands say of an open change's newest head now; None where nothing could land."""
    governing = govern(sitting.policy, record.target)
    if governing is None or record.state is not ChangeState.OPEN:
        return None
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record)
    if isinstance(matter, Refusal):
        return None
    names = tuple(name for name in on_all_accounts(sitting, governing) if name in checks)
    change = Change(record.number, record.target, matter.span.base, matter.span.head, matter.merged.files)
    said = Confined(sitting)(change, matter.merged.tree, names) if names else ()
    return matter, look_up(sitting, record, said)


def wanted_of(record: ChangeRecord, matter: Matter, verdicts: tuple[Verdict, ...]) -> tuple[Wanted, ...]:
    """What is to be run: each command once for a head, and once more wherever a landing waits for nothing else.

    A branch that moves makes other trees of all its changes; to run them all again each time would be endless.
    """
    ready = not matter.case.missing
    policy, tree = matter.case.policy.commit, matter.merged.tree
    return tuple(
        Wanted(
            *(record.number, verdict.check, one.command),
            *(record.target, matter.span.tip, record.head.head, tree, policy),
        )
        for verdict in verdicts
        for one in verdict.awaited
        if one.state is CommandState.PENDING and (ready or not one.before)
    )
