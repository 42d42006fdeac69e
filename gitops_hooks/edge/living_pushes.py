"""How many pushes may be in one repository at once."""

import os
from pathlib import Path

from gitops_hooks.edge.locks import try_lock
from gitops_hooks.model.request import Refusal


def too_many(state: Path, most: int) -> Refusal | None:
    """Whether as many pushes are in the repository as may be."""
    try:
        living = sum(_lives(folder / "alive") for folder in (state / "pushes").iterdir())
    except FileNotFoundError:
        return None
    if living < most:
        return None
    return Refusal("limits", f"{living} pushes are in this repository at this moment", "Try again in a minute.")


def _lives(alive: Path) -> bool:
    if not alive.exists():
        return False
    hold = try_lock(alive, shared=True)
    if hold is not None:
        os.close(hold)
    return hold is None
