"""Plans of a change: what is recorded of one, and what a landing rests on."""

from gitops_hooks.model.lazy_dataclass import dataclass

NOTHING = "nothing"
"""What a landing records that touches no environment, and so needs no plan."""


@dataclass(frozen=True, slots=True)
class PlannedEnvironment:
    """One environment in a plan: what it is (`definition`), which hosts were meant (`reach`), and how many of them
    change, stay as they are, or are unknown. `digest` stands for what was found there alone."""

    name: str
    definition: str
    reach: str
    changes: int
    unchanged: int
    unknown: int
    digest: str

    @property
    def word(self) -> str:
        """As an event holds it."""
        counts = (self.changes, self.unchanged, self.unknown)
        return ":".join((self.name, self.definition, self.reach, *map(str, counts), self.digest))

    @property
    def aim(self) -> tuple[str, str, str]:
        """What must be the same for it to say anything of another landing."""
        return self.name, self.definition, self.reach

    @classmethod
    def of(cls, word: str) -> "PlannedEnvironment":
        """From what an event holds. Errors: ValueError."""
        name, definition, reach, changes, unchanged, unknown, digest = word.split(":")
        return cls(name, definition, reach, int(changes), int(unchanged), int(unknown), digest)


@dataclass(frozen=True, slots=True)
class PlanMade:
    """One plan that is recorded: `event` is its commit, `tree` what `head` made of the branch, which stood at `tip`.

    `digest` stands for all that it says of the hosts, which is kept outside of the repository.
    """

    event: str
    head: str
    tip: str
    tree: str
    digest: str
    environments: tuple[PlannedEnvironment, ...]


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """What a landing rests on: a plan that still says what it would do, or that it needs none (`nothing`), or neither.

    `why` says then what is missing, and `cure` the line that brings it. `waived` is for asking whether a plan may be
    made: whatever it will say, nobody has seen it yet.
    """

    event: str = ""
    digest: str = ""
    nothing: bool = False
    waived: bool = False
    why: str = ""
    cure: str = ""

    @property
    def word(self) -> str:
        """As a landing records it."""
        return NOTHING if self.nothing else self.event


UNKNOWN_PLAN = HeldPlan(why="No plan is recorded of it.")
WAIVED_PLAN = HeldPlan(waived=True)
