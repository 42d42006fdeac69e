"""What a check lets the policy set, and what the policy wrote about it."""

from collections.abc import Mapping
from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.marked import Marked

OptionValue = (
    str
    | int
    | bool
    | tuple[str, ...]
    | Mapping[str, str]
    | Mapping[str, tuple[str, ...]]
    | tuple[Mapping[str, str], ...]
)


class OptionKind(Enum):
    """What an option takes in the policy; the value says it in words."""

    TEXT = "text"
    NUMBER = "a whole number"
    TRUTH = "yes or no"
    TEXTS = "a list of texts"
    GLOBS = "a list of globs"
    MAP = "a mapping of names to texts"
    LISTS = "a mapping of names to lists of texts"
    RECORDS = "a list of mappings of names to texts"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that the policy may set for a check; without a default every policy that asks for the check sets it.

    The check gets str, int, bool, tuple[str, …] (TEXTS and GLOBS), dict[str, str], dict[str, tuple[str, …]] or
    tuple[dict[str, str], …]. `choices` are all that a text may be, `least` and `most` bound a number, `fields` are
    the names in a record; each must be there, but for those that end in `?`.
    """

    name: str
    kind: OptionKind
    default: OptionValue | None
    summary: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 1_000_000_000
    fields: tuple[str, ...] = ()


Declared = Mapping[str, tuple[Option, ...]]
"""The options of every check of a server, by the check's name."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What one text says about one check; `file` is the text's short name (`policy.yaml`)."""

    check: str
    file: str
    node: Marked
