"""Break-glass: landing without what the policy lets named people go without. It is recorded, and owed.

Only what COVERABLE names can ever be overridden: never owners, authors whom nobody knows, a rejection, a
record that is not trusted, what is below .gitops/, nor an ERROR.
"""

from collections.abc import Iterable
from dataclasses import replace

from gitops_hooks.core.decide import Case, fails, holds, judge_landing
from gitops_hooks.core.govern import Governing, below_gitops
from gitops_hooks.core.owners import touches_owners
from gitops_hooks.model.event import Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import Actor, ActorKind
from gitops_hooks.model.verdict import CheckOutcome, Requirement, Status, Verdict

RULE = "break-glass"
# Where the server's own rules stand; no policy can let anybody go under them.
_FLOOR = "server.toml:"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules of one branch allow together: covered by all of them, and settled within the shortest time."""

    covers: frozenset[str]
    settle: int
    place: str


def terms_of(governing: Governing) -> Terms | Requirement:
    """The terms of break-glass on a branch; refused where any rule of the policy has none."""
    glasses = []
    for rule in (rule for rule in governing.rules if not rule.place.startswith(_FLOOR)):
        if rule.break_glass is None:
            return fails(RULE, f"No break-glass on {_short(governing)}: this rule lets nobody do it.", rule.place)
        glasses.append(rule.break_glass)
    if not glasses:
        return Requirement(RULE, Status.ERROR, f"No rule says who may break the glass on {_short(governing)}.")
    shortest = min(glasses, key=lambda glass: glass.settle)
    covers = frozenset.intersection(*(frozenset(glass.covers) for glass in glasses))
    return Terms(covers, shortest.settle, shortest.place)


def judge_break_glass(case: Case, actor: str) -> Requirement:
    """May this actor land this without what break-glass covers?"""
    terms = terms_of(case.governing)
    if isinstance(terms, Requirement):
        return terms
    for rule in case.governing.rules:
        if rule.break_glass and not case.policy.allows(rule.break_glass.by, actor):
            names = ", ".join(rule.break_glass.by.items)
            reason = f"Only {names} may break the glass on {_short(case.governing)}; {actor} is not among them."
            return fails(RULE, reason, rule.break_glass.place)
    if below_gitops(case.names):
        return fails(RULE, "Break-glass never covers .gitops/**; that needs an approval by somebody else.", terms.place)
    if touches_owners(case.governing.owners, case.names):
        reason = "Break-glass never covers the file of code owners; that needs an approval by somebody else."
        return fails(RULE, reason, terms.place)
    return replace(holds(RULE, f"{actor} may break the glass on {_short(case.governing)}."), place=terms.place)


def refuse_bot(actor: Actor) -> tuple[Requirement, ...]:
    """Nothing that a policy says lets a bot do it, by whatever way it asks."""
    if actor.kind is not ActorKind.BOT:
        return ()
    return (fails(RULE, f"{actor.name} is a bot, and only people break the glass."),)


def override(case: Case, actor: str, requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """The same requirements, OVERRIDDEN where break-glass by this actor covers them, and whether it may be broken."""
    said = tuple(requirements)
    terms, glass = terms_of(case.governing), judge_break_glass(case, actor)
    if isinstance(terms, Requirement) or not glass.holds:
        return (glass, *said)
    return (glass, *(_waive(requirement, terms) for requirement in said))


def judge_overridden(case: Case, actor: str, landing: Landing) -> tuple[Requirement, ...]:
    """A recorded landing by break-glass, judged again: covered, and owed within the time that the policy gave."""
    said = override(case, actor, judge_landing(case, actor))
    terms = terms_of(case.governing)
    if isinstance(terms, Terms) and not 0 < landing.settle <= terms.settle:
        words = f"{landing.settle} s were given to settle it; the policy gives {terms.settle}"
        return (*said, fails(RULE, words, terms.place))
    return said


def _waive(requirement: Requirement, terms: Terms) -> Requirement:
    covered = requirement.status is Status.UNSATISFIED and requirement.rule in terms.covers
    covered = covered and not requirement.place.startswith(_FLOOR)
    return replace(requirement, status=Status.OVERRIDDEN) if covered else requirement


def override_findings(case: Case, actor: str, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The same verdicts, with findings OVERRIDDEN where the policy says so; a check that failed itself never is."""
    terms, glass = terms_of(case.governing), judge_break_glass(case, actor)
    if isinstance(terms, Requirement) or not glass.holds or "checks" not in terms.covers:
        return tuple(verdicts)
    rules = case.governing.rules
    floor = {name for rule in rules if rule.place.startswith(_FLOOR) for name in rule.checks}
    return tuple(verdict if verdict.check in floor else _waive_findings(verdict) for verdict in verdicts)


def _waive_findings(verdict: Verdict) -> Verdict:
    covered = verdict.outcome is CheckOutcome.FINDINGS and verdict.refuses
    return replace(verdict, waived=Status.OVERRIDDEN) if covered else verdict


def overridden(requirements: Iterable[Requirement], verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What was overridden, a line each; none where the glass need not have been broken."""
    rules = [
        f"{requirement.rule}: {requirement.reason}" + (f" ({requirement.place})" if requirement.place else "")
        for requirement in requirements
        if requirement.status is Status.OVERRIDDEN
    ]
    checks = [
        f"checks: {verdict.check} has {len(verdict.findings)} finding{'s' * (len(verdict.findings) > 1)}"
        for verdict in verdicts
        if verdict.waived is Status.OVERRIDDEN
    ]
    return (*rules, *checks)


def _short(governing: Governing) -> str:
    return governing.ref.removeprefix("refs/heads/")
