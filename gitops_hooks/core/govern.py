"""Which rules govern a branch, and what they say together: the strictest wins."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gitops_hooks.core.globs import matches, matches_any
from gitops_hooks.model.policy import ApprovalRule, BranchRule, LandMethod, Names, Policy
from gitops_hooks.model.verdict import Requirement, Status

Right = Literal["push", "propose", "land", "create"]

BUILT_IN = ApprovalRule(1, Names(("*",)), (), "built in")

_HEADS = "refs/heads/"
_RIGHTS = {"push": "push to", "propose": "propose for", "land": "land on", "create": "create"}


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
                return Requirement(right, Status.UNSATISFIED, _denial(names, does, actor), rule.place)
        return Requirement(right, Status.SATISFIED, f"{actor} may {does}.", self.rules[0].place)

    def approval_rules(self, paths: Iterable[str]) -> tuple[ApprovalRule, ...]:
        """The requirements of all rules for these changed paths; one approval by anybody where none applies."""
        changed = tuple(paths)
        entries = (rule for branch in self.rules for rule in branch.approvals if not rule.evaluate)
        found = tuple(rule for rule in entries if _applies(rule, changed))
        # Rules for some paths only do not open the others: absent approvals are one.
        return found or (BUILT_IN,)

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
    return tuple(rule for rule in policy.branches if matches(rule.match, short))


def below_gitops(paths: Iterable[str]) -> bool:
    """Whether any path lies below .gitops/, however it is written."""
    return _touches((".gitops/**",), tuple(paths))


def _names_of(rule: BranchRule, right: Right) -> Names:
    rights: dict[Right, Names] = {
        "push": rule.push,
        "propose": rule.propose,
        "land": rule.land,
        "create": rule.create,
    }
    return rights[right]


def _denial(names: Names, does: str, actor: str) -> str:
    if not names.items:
        return f"Nobody may {does}."
    return f"Only {', '.join(names.items)} may {does}; {actor} is not among them."


def _applies(rule: ApprovalRule, paths: tuple[str, ...]) -> bool:
    return not rule.paths or _touches(rule.paths, paths)


def _touches(globs: tuple[str, ...], paths: tuple[str, ...]) -> bool:
    """Whether any path matches, in whatever case and normal form it is written; undecodable ones meet every rule."""
    forms = [(form, tuple(form(glob) for glob in globs)) for form in _FORMS]
    for path in paths:
        if _is_undecodable(path):
            return True
        # Folding can lengthen a name (ß is ss), so that `?` fits it in one form only.
        if any(matches_any(folded, form(path)) for form, folded in (forms[:1] if path.isascii() else forms)):
            return True
    return False


def _fold(text: str) -> str:
    return _compose(_compose(text).casefold())


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _lower(text: str) -> str:
    return _compose(_compose(text).lower())


_FORMS = (_fold, _lower, _compose, str)


def _is_undecodable(path: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in path)
