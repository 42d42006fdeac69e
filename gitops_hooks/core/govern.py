"""Which rules govern a branch, and what they say together: the strictest wins."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from gitops_hooks.core.changed_paths import ChangedPaths
from gitops_hooks.core.globs import matches
from gitops_hooks.core.reach import Reached, reaches
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import (
    CONTROLLER,
    ApprovalRule,
    BranchRule,
    Keep,
    LandMethod,
    Names,
    OwnersRule,
    Policy,
    Strict,
)
from gitops_hooks.model.verdict import Requirement, Status

Right = Literal["push", "propose", "land", "create", "delete", "force"]

BUILT_IN = ApprovalRule(1, Names(("*",)), (), "built in")

_HEADS = "refs/heads/"
_RIGHTS = {
    "push": "push to",
    "propose": "propose for",
    "land": "land on",
    "create": "create",
    "delete": "delete",
    "force": "force-push to",
}


@dataclass(frozen=True, slots=True)
class Governing:
    """Every rule that matches one branch (`ref` in full), and the policy that they stand in."""

    ref: str
    rules: tuple[BranchRule, ...]
    policy: Policy

    def may(self, right: Right, actor: str) -> Requirement:
        """Whether every rule allows it; the place is that of the rule that decided."""
        does = f"{_RIGHTS[right]} {self.ref.removeprefix(_HEADS)}"
        if not self.rules:
            return Requirement(right, Status.ERROR, f"No rule says who may {does}.")
        for rule in self.rules:
            names = _names_of(rule, right)
            if not self.policy.allows(names, actor):
                return Requirement(right, Status.UNSATISFIED, denial(names, does, actor), rule.place)
        return Requirement(right, Status.SATISFIED, f"{actor} may {does}.", self.rules[0].place)

    def approval_rules(
        self, paths: Iterable[str], reached: Sequence[Reached] | None = None
    ) -> tuple[ApprovalRule, ...]:
        """The requirements of all rules for these changed paths; one approval by anybody where none applies.

        Without a reach nobody knows how far it goes, and every entry that asks for it applies.
        """
        changed = ChangedPaths(paths)
        found = tuple(
            rule
            for branch in self.rules
            for rule in branch.approvals
            if not rule.evaluate
            and (not rule.paths or changed.touch(rule.paths))
            and (rule.reach is None or reaches(rule.reach, reached))
        )
        # Rules for some paths only do not open the others: absent approvals are one. And bots never approve alone.
        alone = all(rule.bots.items and rule.count == 1 for rule in found)
        return self.signed((*found, BUILT_IN) if alone else found)

    def signed(self, rules: tuple[ApprovalRule, ...]) -> tuple[ApprovalRule, ...]:
        """The same, asking for signatures where a rule of the branch does."""
        asked = any(branch.signed for branch in self.rules)
        return tuple(replace(rule, signed=True) for rule in rules) if asked else rules

    @property
    def vetoes(self) -> tuple[tuple[Names, str], ...]:
        """Who may veto, each list with the place of its rule."""
        return tuple((rule.review.veto, rule.place) for rule in self.rules if rule.review.veto.items)

    @property
    def keep(self) -> Keep:
        """What is kept over a new revision: the least that any rule says."""
        said = [rule.review.keep for rule in self.rules if rule.review.keep is not None]
        return min(said, key=list(Keep).index, default=Keep.NOTHING)

    @property
    def strict(self) -> frozenset[Strict]:
        """Who else does not count, by any rule."""
        return frozenset(word for rule in self.rules for word in rule.review.strict)

    @property
    def owners(self) -> tuple[OwnersRule, ...]:
        """Where code owners stand, by each rule that asks them."""
        return tuple(rule.review.owners for rule in self.rules if rule.review.owners)

    @property
    def controller(self) -> tuple[tuple[str, ...], ...]:
        """Globs of what may run on the deployer, by each rule that says so; a path needs one of every rule."""
        said = (
            tuple(glob for entry in rule.approvals if entry.rule == CONTROLLER for glob in entry.paths)
            for rule in self.rules
        )
        return tuple(globs for globs in said if globs)

    @property
    def asks_reach(self) -> bool:
        return any(entry.reach for rule in self.rules for entry in rule.approvals)

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of all checks that any rule asks for, in the order of the policy."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.checks))

    @property
    def land_method(self) -> LandMethod | Requirement:
        """The strictest way to land, or the ERROR of two that exclude each other."""
        asking = {rule.land_method: rule for rule in self.rules if rule.land_method is not LandMethod.MERGE}
        methods = [method for method in LandMethod if method in asking]
        if len(methods) < 2:
            return methods[0] if methods else LandMethod.MERGE
        one, other = asking[methods[0]], asking[methods[1]]
        reason = (
            f"{one.place} asks for {methods[0].value} and {other.place} for {methods[1].value}: "
            "nothing can land on this branch until one of them gives way."
        )
        return Requirement("land_method", Status.ERROR, reason, other.place)

    @property
    def known_authors(self) -> bool:
        """Whether an author whom the server does not know refuses the proposal."""
        return not self.rules or any(not rule.any_author for rule in self.rules)


def govern(policy: Policy, ref: str) -> Governing | None:
    """The rules that are enforced for a full ref name; None where none matches, or it is no branch."""
    rules = tuple(rule for rule in matching(policy, ref) if not rule.evaluate)
    return Governing(ref, rules, policy) if rules else None


def matching(policy: Policy, ref: str) -> tuple[BranchRule, ...]:
    """Every rule for a full ref name, those in evaluate mode too; none where it is no branch."""
    if not ref.startswith(_HEADS):
        return ()
    short = ref.removeprefix(_HEADS)
    # The floor first: where it and the policy both refuse, the message names the one that no proposal can change.
    return tuple(rule for rule in (*policy.floor.rules, *policy.branches) if matches(rule.match, short))


def below_gitops(paths: Iterable[str]) -> bool:
    """Whether any path lies below .gitops/, however it is written."""
    return ChangedPaths(paths).touch((".gitops", ".gitops/**"))


def _names_of(rule: BranchRule, right: Right) -> Names:
    rights: dict[Right, Names] = {
        "push": rule.push,
        "propose": rule.propose,
        "land": rule.land,
        "create": rule.create,
        "delete": rule.delete,
        "force": rule.force,
    }
    return rights[right]


def denial(names: Names, does: str, actor: str) -> str:
    if not names.items:
        return f"Nobody may {does}."
    return f"Only {', '.join(names.items)} may {does}; {actor} is not among them."
