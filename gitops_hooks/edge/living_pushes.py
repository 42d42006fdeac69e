"""How many pushes may be in one repository at once."""

from pathlib import Path

from gitops_hooks.edge.locks import is_held
from gitops_hooks.edge.pushes import ALIVE, marked
from gitops_hooks.model.request import Refusal


def too_many(state: Path, most: int) -> Refusal | None:
    """Whether as many pushes are in the repository as may be."""
    living = sum(is_held(folder / ALIVE) is True for folder in marked(state / "pushes"))
    if living < most:
        return None
    return Refusal("limits", f"{living} pushes are in this repository at this moment", "Try again in a minute.")
