"""Everything that one change needs approved: the policy's entries that apply, and its code owners."""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.govern import Governing
from gitops_hooks.core.links import NO_LINKS, Links
from gitops_hooks.core.owners import Owned
from gitops_hooks.core.reach import Reached
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import ApprovalRule
from gitops_hooks.model.verdict import Requirement


@dataclass(frozen=True, slots=True)
class Demands:
    """The rules that approvals must meet, what no approval can mend, and the symlinks that rules look through."""

    rules: tuple[ApprovalRule, ...]
    faults: tuple[Requirement, ...] = ()
    links: Links = NO_LINKS


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules of which some are on trial, as if all were in force, and what they need approved."""

    governing: Governing
    demands: Demands


def demand(
    governing: Governing,
    paths: Sequence[str],
    reached: Sequence[Reached] | None,
    owned: Iterable[Owned] = (),
    links: Links = NO_LINKS,
) -> Demands:
    """What a change of these paths needs, of that reach (None: nobody knows, so that it reaches everything)."""
    rules = list(governing.approval_rules(links.with_names(paths), reached))
    faults: list[Requirement] = []
    for one in owned:
        rules += governing.signed(one.rules)
        faults += one.faults
    return Demands(tuple(dict.fromkeys(rules)), tuple(dict.fromkeys(faults)), links)
