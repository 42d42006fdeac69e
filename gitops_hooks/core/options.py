"""One option of a push, and those that say how a change lives: draft, reviewers, what it stands on."""

import re
from collections.abc import Mapping, Sequence

from gitops_hooks.core.receive import shown
from gitops_hooks.model.lazy_dataclass import dataclass

LINE_BYTES = 1024

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be said: its names, its value's kind ("" for none) and help; `most` bounds a value's bytes,
    `characters` its length (0: not at all).

    `lines` allows several lines in it, `many` several of it; their values are then joined by commas.
    """

    names: tuple[str, ...]
    value: str
    summary: str
    aliases: tuple[str, ...] = ()
    most: int = LINE_BYTES
    lines: bool = False
    many: bool = False
    characters: int = 0

    @property
    def usage(self) -> str:
        return "|".join(self.names) + (f"=<{self.value}>" if self.value else "")


AUTO_LAND = Option(
    ("submit", "land", "auto-land"),
    "",
    "land this revision as soon as approvals and checks are complete",
    ("merge_request.auto_merge", "merge_request.merge_when_pipeline_succeeds"),
)
DRAFT = Option(
    ("draft", "wip"),
    "",
    "not to land before it is made ready",
    ("work-in-progress", "merge_request.draft"),
)
READY = Option(("ready",), "", "no draft any more")
REVIEWERS = Option(("reviewer", "r"), "names", "ask them to review; once for each, or with commas", many=True)
CC = Option(("cc",), "names", "keep them informed", many=True)
BASE = Option(("base",), "number", "stands on this open change, and lands after it")
STACK = Option(("stack",), "", "one change a commit, each standing on the one below")


def together(values: Mapping[Option, str], of_one_change: Sequence[Option]) -> list[str]:
    """What is wrong where options say opposite things, or speak of one change where a stack is pushed."""
    faults = ["draft and ready: one of them"] if DRAFT in values and READY in values else []
    if STACK in values:
        named = [option.names[0] for option in of_one_change if option in values]
        faults += [f"{name}: speaks of one change, and a stack is several" for name in named]
    return faults


def names_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in text.split(",") if name))


def names_fault(value: str) -> str:
    """What is wrong with a list of names, or an empty string."""
    strange = [name for name in value.split(",") if not _NAME.fullmatch(name)]
    return f"{shown(strange[0]) or 'nothing'} is not a name" if strange else ""
