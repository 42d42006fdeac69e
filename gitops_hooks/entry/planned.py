"""Which plan a landing may rest on: the newest of its head, for as long as it still says what would land."""

import hashlib

from gitops_hooks.core.govern import matching
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.tree import TooManyPaths
from gitops_hooks.entry.limiting import definition_of
from gitops_hooks.entry.reaching import find_reach, reach_between
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_plan import NOTHING, UNKNOWN_PLAN, HeldPlan, PlanMade
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode
from gitops_hooks.model.server import PLAN

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Concerned:
    """An environment that a landing touches, and the hosts that it reaches there (None: all)."""

    environment: Environment
    hosts: tuple[str, ...] | None

    @property
    def reach(self) -> str:
        """The hosts as one word."""
        if self.hosts is None:
            return _ALL
        return hashlib.sha256("\0".join(self.hosts).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @property
    def aim(self) -> tuple[str, str, str]:
        """As PlannedEnvironment.aim."""
        return self.environment.name, definition_of(self.environment), self.reach


def find_concerned(sitting: Sitting, ref: str, span: Range, merged: Merged) -> tuple[Concerned, ...]:
    """The environments of a branch with a reach that is not empty, and hosts that the server sees.

    Errors: EdgeError where nobody can say.
    """
    environments = [one for one in sitting.policy.environments if one.branch == ref]
    if not environments:
        return ()
    trees = (sitting.repository.tree_of(span.tip), merged.tree)
    found = find_reach(sitting.repository, sitting.policy, ref, trees, [file.path for file in merged.files])
    return tuple(
        # Hosts that may see each other are planned together, as they are deployed to.
        Concerned(environment, tuple(sorted(reached.hosts)) if reached.bounded and not reached.together else None)
        for environment, reached in zip(environments, found, strict=True)
        if (reached.hosts or not reached.bounded) and environment.mode is not Mode.PULL
    )


def without_credential(sitting: Sitting, concerned: tuple[Concerned, ...]) -> tuple[str, ...]:
    """The names of those that the server grants no plan credential."""
    grants = sitting.server.credentials_for
    environments = [one.environment for one in concerned]
    return tuple(one.name for one in environments if grants(sitting.entry.id, one.name, one.branch, PLAN) is None)


def find_plan(sitting: Sitting, ref: str, span: Range, merged: Merged, record: ChangeRecord | None) -> HeldPlan:
    """What a landing now would rest on; nothing is looked for where no rule of the branch asks for a plan."""
    if not any(rule.plan for rule in matching(sitting.policy, ref)):
        return UNKNOWN_PLAN
    try:
        concerned = find_concerned(sitting, ref, span, merged)
        return hold_plan(sitting, concerned, span, merged, record)
    except EdgeError as error:
        return HeldPlan(why=f"Nobody can say how far it reaches: {error}")


def hold_plan(
    sitting: Sitting, concerned: tuple[Concerned, ...], span: Range, merged: Merged, record: ChangeRecord | None
) -> HeldPlan:
    """The newest plan of this head, where it is of what would land now. Errors: EdgeError."""
    if not concerned:
        return HeldPlan(nothing=True)
    if record is None:
        return HeldPlan(why="Only a change has a plan.", cure="Propose it:  git push origin HEAD:refs/for/<branch>")
    if missing := without_credential(sitting, concerned):
        return HeldPlan(why=credential_words(missing), cure=CREDENTIAL_CURE)
    made, head = record.plan_of(span.head), span.head[:12]
    if made is None:
        words = f"No plan of {head} is there yet; it is made as soon as nothing else is missing."
    elif is_of(sitting, made, concerned, merged.tree):
        return HeldPlan(made.event, made.digest)
    else:
        words = f"Branch, inventory or reach have moved since the plan of {head}; it has to be made anew."
    return HeldPlan(why=words, cure=f"Look at it, then approve it:  ssh <host> change plan {record.number}")


CREDENTIAL_CURE = 'The administrator adds a [[credential]] with use = "plan" to server.toml.'


def credential_words(names: tuple[str, ...]) -> str:
    """Why there can be no plan."""
    return f"The server has no plan credential for {', '.join(names)}, and what deploys is not used for plans."


def is_of(sitting: Sitting, made: PlanMade, concerned: tuple[Concerned, ...], tree: str) -> bool:
    """Whether a plan says what this tree would do to these environments."""
    if {one.aim for one in made.environments} != {one.aim for one in concerned}:
        return False
    return says_the_same(sitting, concerned, made.tree, tree)


def says_the_same(sitting: Sitting, concerned: tuple[Concerned, ...], old: str, new: str) -> bool:
    """Whether a plan of one tree is one of the other too: nothing between them concerns these environments."""
    return old == new or not any(_touched(sitting, one.environment, old, new) for one in concerned)


def _touched(sitting: Sitting, environment: Environment, old: str, new: str) -> bool:
    """Whether anything on the way from one tree to the other concerns the environment."""
    try:
        reached = reach_between(sitting.repository, environment, old, new)
    except (EdgeError, KeyError, TooManyPaths):
        # What was planned may have been swept away since: nobody needs it but this comparison.
        return True
    return bool(reached.hosts) or not reached.bounded


def plan_then(record: Record, landing: Landing) -> HeldPlan:
    """What a recorded landing rested on, from its record and the change's own history as it was."""
    if landing.plan == NOTHING:
        return HeldPlan(nothing=True)
    change = record.change_as_of(landing.change, landing.meta) if landing.change and landing.plan else None
    made = next((one for one in change.plans if one.event == landing.plan), None) if change else None
    return HeldPlan(made.event, made.digest) if made and made.head == landing.head else UNKNOWN_PLAN
