"""What people may do: the policy in force, as values."""

from dataclasses import dataclass
from enum import Enum


class LandMethod(Enum):
    """How an approved head becomes part of the branch."""

    MERGE = "merge"
    FAST_FORWARD = "fast-forward"
    ALWAYS_MERGE = "always-merge"
    SQUASH = "squash"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class Names:
    """An allow-list: plain names, `@group` and `*`, as written; empty is nobody."""

    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """`count` approvals by members of `sources`, where a changed path matches one of `paths` (empty: always).

    `evaluate` says that it is rehearsed: it tells what it would refuse, and refuses nothing.
    """

    count: int
    sources: Names
    paths: tuple[str, ...]
    place: str
    evaluate: bool = False


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who may land without what `covers` names, and within how many seconds it must be approved after all."""

    by: Names
    covers: tuple[str, ...]
    settle: int
    place: str


@dataclass(frozen=True, slots=True)
class BranchRule:
    """One entry of `branches:`; `place` is where it stands (`policy.yaml:7`), `evaluate` as in ApprovalRule."""

    match: str
    place: str
    push: Names
    propose: Names
    land: Names
    create: Names
    approvals: tuple[ApprovalRule, ...]
    checks: tuple[str, ...]
    land_method: LandMethod
    any_author: bool
    evaluate: bool = False
    break_glass: BreakGlass | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """One entry of `environments:`; `operate` None means whoever may land on its branch (a full ref here)."""

    name: str
    branch: str
    deployer: str
    playbook: str
    inventory: str
    operate: Names | None
    place: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of `.gitops/policy.yaml` at one commit."""

    commit: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    branches: tuple[BranchRule, ...]
    environments: tuple[Environment, ...]

    def members(self, group: str) -> frozenset[str]:
        return next((frozenset(names) for name, names in self.groups if name == group), frozenset())

    def allows(self, names: Names, actor: str) -> bool:
        """Whether an allow-list names this actor, by name, by group or by `*`."""
        return any(
            item == "*" or item == actor or (item[:1] == "@" and actor in self.members(item[1:]))
            for item in names.items
        )

    def environment(self, name: str) -> Environment | None:
        return next((environment for environment in self.environments if environment.name == name), None)
