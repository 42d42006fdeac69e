"""The checks of a change that nobody has pushed: the same merge, policy, options and sandbox as on the server."""

from collections.abc import Sequence
from dataclasses import replace

from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.govern import Governing, govern, matching
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.core.rehearse import trial_checks, waive_on_trial
from gitops_hooks.edge.checks import missing_verdict, run_checks
from gitops_hooks.edge.clone import Clone, Extent, Shadow
from gitops_hooks.edge.plugins import Plugins
from gitops_hooks.edge.tree import GitTree
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.entry.asking import bind_checks
from gitops_hooks.entry.matter import named_checks
from gitops_hooks.entry.sitting import POLICY_PATH, POLICY_SIZE
from gitops_hooks.entry.trying_commands import run_commands
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Floor, Policy
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile
from gitops_hooks.model.verdict import Verdict

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Against:
    """The branch that a change is held against: `ref` in full as the server has it, `shown` as the clone has it.

    `policy` is the commit whose policy is in force, that of the default branch where the clone knows which it is.
    """

    ref: str
    shown: str
    tip: str
    policy: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What was looked at, and what the checks said."""

    extent: Extent
    against: Against
    change: Change
    tree: str
    verdicts: tuple[Verdict, ...]

    @property
    def refuses(self) -> bool:
        return any(verdict.refuses for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Rig:
    """What checks are run with: what is enabled, and what the server's file says where there is one."""

    server: ServerFile
    plugins: Plugins
    floor: Floor


def find_against(clone: Clone, name: str) -> Against:
    """The branch that is meant: of the remote where the clone has it, else the clone's own. Errors: EdgeError."""
    name = name or _default(clone, "origin").removeprefix("origin/")
    if not name:
        raise EdgeError("--against", "name the branch; the clone does not know which one is the remote's default")
    name = name.removeprefix(_HEADS)
    for ref in (f"refs/remotes/origin/{name}", f"refs/remotes/{name}", f"{_HEADS}{name}"):
        if tip := clone.commit(ref):
            remote, _, short = ref.removeprefix("refs/remotes/").partition("/")
            if ref.startswith(_HEADS):
                remote, short = "", name
            default = clone.commit(f"refs/remotes/{_default(clone, remote)}") if remote else ""
            return Against(_HEADS + short, ref.split("/", 2)[2], tip, default or tip)
    raise EdgeError(name, "is no branch that this clone knows; git fetch origin")


def _default(clone: Clone, remote: str) -> str:
    """`origin/main`, as the clone was told; empty where nobody told it."""
    return clone.points_to(f"refs/remotes/{remote}/HEAD").removeprefix("refs/remotes/")


def try_checks(
    shadow: Shadow, against: Against, extent: Extent, rig: Rig, names: Sequence[str] | None
) -> Tried | Refusal:
    """The verdicts of the named checks, or (None) of all that the policy asks for.

    Refused where nothing could land. Errors: EdgeError, PolicyError.
    """
    repository = shadow.repository
    span = repository.range(against.tip, shadow.head(extent))
    if isinstance(span, Refusal):
        return span
    merged = repository.merge(span)
    if isinstance(merged, Refusal):
        return merged
    change = Change(0, against.ref, span.base, span.head, merged.files)
    policy = _policy(shadow, against.policy, rig.floor)
    wanted, on_trial = (names, ()) if names is not None else _wanted(policy, against, rig.plugins)
    asked = bind_checks(rig.plugins.checks(), _governing(policy, against.ref), wanted, change)
    grounds = _grounds(shadow, against, merged.tree, rig.server)
    verdicts = run_commands(_run(asked, change, grounds, rig, wanted), grounds, rig.server)
    return Tried(extent, against, change, merged.tree, waive_on_trial(verdicts, on_trial))


def _run(asked: list[Asked], change: Change, grounds: Grounds, rig: Rig, wanted: Sequence[str]) -> tuple[Verdict, ...]:
    ran = run_checks(asked, change, grounds, rig.server.limits)
    have = {each.check.name for each in asked}
    return (*ran, *(missing_verdict(name, grounds.oid) for name in wanted if name not in have))


def _policy(shadow: Shadow, commit: str, floor: Floor) -> Policy | None:
    """The policy in force, None where nobody has one yet. Errors: PolicyError."""
    text = shadow.repository.file(commit, POLICY_PATH, POLICY_SIZE)
    return with_floor(parse_policy(text, commit=commit, known=None, source=POLICY_PATH), floor) if text else None


def _governing(policy: Policy | None, ref: str) -> Governing | None:
    """Options hold for a branch without a rule too: who asks for a check by name wants them."""
    return (govern(policy, ref) or Governing(ref, (), policy)) if policy else None


def _wanted(policy: Policy | None, against: Against, plugins: Plugins) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The checks that the policy asks for, and those of them that only rules on trial ask for."""
    if policy is None:
        raise EdgeError(POLICY_PATH, f"there is none at {against.policy[:12]} that asks for checks; name the check")
    ref = against.ref
    if not matching(policy, ref):
        return (), ()
    names = named_checks(govern(policy, ref) or Governing(ref, (), policy), plugins.deployers())
    on_trial = tuple(name for name in trial_checks(policy, ref) if name not in names)
    return (*names, *on_trial), on_trial


def _grounds(shadow: Shadow, against: Against, tree: str, server: ServerFile) -> Grounds:
    repository = shadow.repository
    return Grounds(
        tree,
        repository.tree(tree),
        repository.tree(repository.tree_of(against.tip)),
        GitTree(repository.git2, tree, server.limits.tool_tree),
        shadow.object_folders,
        shadow.folder / "tools",
        server.tool_folders,
        server.own_network,
    )


def with_modules(server: ServerFile, modules: Sequence[str]) -> ServerFile:
    """The server's file with further modules enabled."""
    further = tuple(module for module in dict.fromkeys(modules) if module not in server.plugins.checks)
    return replace(server, plugins=replace(server.plugins, checks=(*server.plugins.checks, *further)))
