"""What the server writes about a revert change: its title and description, and the message of its commit."""

import textwrap
from collections.abc import Sequence

from gitops_hooks.model.lazy_dataclass import dataclass

_WIDTH = 72
_MOST = 20


@dataclass(frozen=True, slots=True)
class Undone:
    """One landing that is to be undone: its change (0: none), whose that was, who landed it, its title and result."""

    change: int
    owner: str
    lander: str
    title: str
    commit: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why: the environment, what it was rolled back from and to, and what happened there."""

    environment: str
    bad: str
    good: str
    why: str


def title_of(undone: Sequence[Undone], occasion: Occasion) -> str:
    """As git titles a revert, cut to a line."""
    if len(undone) == 1:
        words = f'Revert "{undone[0].title}"'
    else:
        words = f"Revert what landed after {occasion.good[:7]}, up to {occasion.bad[:7]}"
    return words if len(words) <= _WIDTH else words[: _WIDTH - 2] + "…" + ('"' if len(undone) == 1 else "")


def description_of(undone: Sequence[Undone], occasion: Occasion) -> str:
    """Why it was made, what it undoes, and who has to do with that."""
    why = f"{occasion.environment} was rolled back to {occasion.good[:7]} by the server: {occasion.why}."
    lines = [_line(one) for one in undone[:_MOST]]
    more = [f"- and {len(undone) - _MOST} more"] if len(undone) > _MOST else []
    return "\n".join([*textwrap.wrap(why, _WIDTH, break_on_hyphens=False), "", "This undoes:", *lines, *more])


def _line(one: Undone) -> str:
    whose = f"change {one.change} of {one.owner}, landed by {one.lander}" if one.change else f"pushed by {one.lander}"
    return f"- {one.commit[:7]} {one.title} ({whose})"
