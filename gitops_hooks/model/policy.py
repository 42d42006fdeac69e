"""What people may do: the policy in force, as values."""

from enum import Enum

from gitops_hooks.model.bounds import NO_BOUNDS, Bounds
from gitops_hooks.model.gates import OPEN, Gates
from gitops_hooks.model.kubernetes import Kubernetes
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.options import CheckOptions
from gitops_hooks.model.rollout import AT_ONCE, Rollout


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
class ReachLimit:
    """More than `more_than` hosts (None: not asked), or any host of one of `groups` of an inventory."""

    more_than: int | None = None
    groups: tuple[str, ...] = ()


CONTROLLER = "controller"
"""The check of what would run on the deployer, and the policy's key for what may with which approval."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """`count` approvals by members of `sources`, where a changed path matches one of `paths` (empty: always).

    With `reach` only where the change reaches that far. `bots` count beside people: `*` those among `sources`,
    else the ones named. `words` say in a code owners' rule whose approval of what is meant; `rule` is the rule's name.
    `signed` counts only approvals that their givers signed. `evaluate` says that it is rehearsed: it tells what it
    would refuse, and refuses nothing.
    """

    count: int
    sources: Names
    paths: tuple[str, ...]
    place: str
    signed: bool = False
    reach: ReachLimit | None = None
    bots: Names = Names()
    words: str = ""
    rule: str = "approvals"
    evaluate: bool = False


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who may land without what `covers` names, and within how many seconds it must be approved after all."""

    by: Names
    covers: tuple[str, ...]
    settle: int
    place: str


class Dialect(Enum):
    """Whose CODEOWNERS it is."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"


@dataclass(frozen=True, slots=True)
class OwnersRule:
    """Code owners must approve; `file` is where they stand (empty: where the dialect looks for it)."""

    dialect: Dialect
    file: str
    place: str


class Keep(Enum):
    """What a new revision may change for approvals of an older one to count on, strictest first."""

    NOTHING = "nothing"
    NO_CODE_CHANGE = "no-code-change"
    TRIVIAL_REBASE = "trivial-rebase"


class Strict(Enum):
    """Who else does not count; each word can only take somebody out."""

    EVERY_REVISION = "every-revision"
    SIGNED_OFF = "signed-off"


@dataclass(frozen=True, slots=True)
class Review:
    """What one branch rule says of reviewing, beside its approvals; `keep` None leaves it to the other rules."""

    owners: OwnersRule | None = None
    veto: Names = Names()
    keep: Keep | None = Keep.NOTHING
    strict: frozenset[Strict] = frozenset()


@dataclass(frozen=True, slots=True)
class BranchRule:
    """One entry of `branches:`; `place` is where it stands (`policy.yaml:7`), `evaluate` as in ApprovalRule.

    `plan` says that nothing lands without a plan of it.
    """

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
    delete: Names = Names()
    force: Names = Names()
    bounds: Bounds = NO_BOUNDS
    signed: bool = False
    review: Review = Review()
    evaluate: bool = False
    break_glass: BreakGlass | None = None
    deployed: tuple[str, ...] = ()
    plan: bool = False


@dataclass(frozen=True, slots=True)
class TagRule:
    """One entry of `tags:`; `branches` are globs of branches that may hold the commit (empty: any with a rule)."""

    match: str
    place: str
    create: Names
    delete: Names
    force: Names
    annotated: bool
    signed: bool
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """The server's own rules for every repository; `text` is them as each landing records them, "" for none."""

    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rules: tuple[BranchRule, ...] = ()
    text: str = ""
    options: tuple[CheckOptions, ...] = ()


class Mode(Enum):
    """Who brings the hosts of an environment to what is desired.

    PUSH: the server goes to them. PULL: their agents come for it. BOTH: the server goes, and leaves those that it
    cannot reach to their agents.
    """

    PUSH = "push"
    PULL = "pull"
    BOTH = "both"


SILENT_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Environment:
    """One entry of `environments:`; `operate` None means whoever may land on its branch (a full ref here).

    `whole`: each deployment visits all hosts; else one over all of them follows every `interval` seconds (0: never).
    `drift`: seconds from one look at its hosts to the next (0: never); with `self_heal` what is out of sync then is
    deployed again. `strategy` is how Ansible reaches hosts: `linear` (a command a task), or `mitogen`.
    `rolls_back`: what failed here by its own fault is not tried again, the last good commit is.
    What is deployed stands in the keys of its deployer: `playbook` and `inventory`, `module`, `run` (with `drift_run`,
    which looks, and `plan_run`, which plans), or `kubernetes`. An agent of which nothing was seen for `silent` seconds
    is silent.
    """

    name: str
    branch: str
    deployer: str
    playbook: str
    inventory: str
    operate: Names | None
    place: str
    whole: bool = False
    interval: int = 0
    gates: Gates = OPEN
    rollout: Rollout = AT_ONCE
    drift: int = 0
    self_heal: bool = False
    module: str = ""
    run: tuple[str, ...] = ()
    strategy: str = "linear"
    rolls_back: bool = False
    drift_run: tuple[str, ...] = ()
    plan_run: tuple[str, ...] = ()
    kubernetes: Kubernetes | None = None
    mode: Mode = Mode.PUSH
    silent: int = SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of `.gitops/policy.yaml` at one commit, and the server's floor below it; `options` are as written."""

    commit: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    branches: tuple[BranchRule, ...]
    environments: tuple[Environment, ...]
    tags: tuple[TagRule, ...] = ()
    floor: Floor = Floor()
    options: tuple[CheckOptions, ...] = ()

    def has_group(self, group: str) -> bool:
        return any(name == group for name, _ in self.groups)

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
