"""Who answers for the checks: those that run now, or the verdicts of those that ran before."""

import copy
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field

from gitops_hooks.edge.checks import missing_verdict, run_checks
from gitops_hooks.edge.verdict_cache import open_memory
from gitops_hooks.entry.asking import asked_checks, grounds_of, told_to_checks
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import Change
from gitops_hooks.model.judgement import Note
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.verdict import CheckOutcome, Verdict

SHOW_SECONDS = 2.0
"""What a push may take to show what it makes different, beside its checks."""


Said = Mapping[str, Iterable[Verdict]]
"""Verdicts by what they were asked about (`asked_about`)."""


def asked_about(change: Change, tree: str, policy: Policy) -> str:
    """What a verdict answers for: the branch, the files that checks are shown of a change, what they make, and options.

    The tree alone is not enough: on top of another change, or on another branch, what gives the same one brings other
    files. Number and head are left out: under the lock a change may have got one, and a rebase is made again.
    """
    files = [[each.path, each.old_mode, each.old_oid, each.mode, each.oid] for each in change.files]
    facts = [change.target, change.base, tree, files, told_to_checks(policy)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass()
class Confined:
    """Runs the checks that are asked for, and keeps every verdict for whoever judges again under the lock."""

    sitting: Sitting
    verdicts: dict[str, tuple[Verdict, ...]] = field(default_factory=dict)
    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    _left: float = SHOW_SECONDS

    def __call__(self, change: Change, tree: str, names: tuple[str, ...]) -> tuple[Verdict, ...]:
        asked = asked_checks(self.sitting, change, names)
        grounds = grounds_of(self.sitting, change, tree)
        memory = open_memory(self.sitting.state, self.sitting.server) if asked else None
        ran = run_checks(asked, change, grounds, self.sitting.server.limits, memory)
        missing = [missing_verdict(name, tree) for name in names if name not in {each.check.name for each in asked}]
        subject = asked_about(change, tree, self.sitting.policy)
        self.verdicts[subject] = (*self.verdicts.get(subject, ()), *ran, *missing)
        return (*ran, *missing)

    def shown(self, key: str, look: Callable[[float], tuple[Note, ...]]) -> tuple[Note, ...]:
        """All of one push in the same time, however many changes it brings."""
        if key not in self.notes:
            began = time.monotonic()
            self.notes[key] = look(max(0.0, self._left))
            self._left -= time.monotonic() - began
        return self.notes[key]


class Recalled:
    """The verdicts that pre-receive had; of anything else the push lost a race, and is asked to come again."""

    def __init__(self, said: Said, notes: Mapping[str, tuple[Note, ...]] | None = None) -> None:
        self._policy: Policy | None = None
        self._known: dict[tuple[str, str], Verdict] = {}
        self._notes = notes or {}
        for subject, verdicts in said.items():
            for verdict in verdicts:
                before = self._known.get((subject, verdict.check), verdict)
                self._known[subject, verdict.check] = max(before, verdict, key=_strictness)

    def under(self, policy: Policy) -> "Recalled":
        """The same, asked under the policy that is in force now; before that nothing is known."""
        found = copy.copy(self)
        found._policy = policy
        return found

    def __call__(self, change: Change, tree: str, names: tuple[str, ...]) -> tuple[Verdict, ...]:
        subject = asked_about(change, tree, self._policy) if self._policy else ""
        return tuple(self._known.get((subject, name)) or _moved(name, tree) for name in names)

    def shown(self, key: str, look: Callable[[float], tuple[Note, ...]]) -> tuple[Note, ...]:
        """What pre-receive had; under the lock nobody looks."""
        return self._notes.get(key, ())


def _strictness(verdict: Verdict) -> tuple[bool, int]:
    """Two heads of one push may bring the same: then what keeps more back is what was said."""
    return verdict.refuses, len(verdict.awaited)


def _moved(name: str, tree: str) -> Verdict:
    return Verdict(name, tree, CheckOutcome.ERROR, detail="the branch moved while the push was checked; push again")
