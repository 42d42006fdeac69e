"""How many pushes may be in one repository at once."""

from pathlib import Path

from gitops_hooks.edge.locks import is_held
from gitops_hooks.model.request import Refusal


def too_many(state: Path, most: int) -> Refusal | None:
    """Whether as many pushes are in the repository as may be."""
    try:
        # One that is being made is nobody's yet, and a look at its lock could keep it from being taken.
        named = [folder for folder in (state / "pushes").iterdir() if not folder.name.startswith(".")]
    except FileNotFoundError:
        return None
    living = sum(is_held(folder / "alive") is True for folder in named)
    if living < most:
        return None
    return Refusal("limits", f"{living} pushes are in this repository at this moment", "Try again in a minute.")
