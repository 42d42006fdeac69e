"""What follows a commit point: it can be rebuilt, so its failure takes nothing back."""

from collections.abc import Callable

from gitops_hooks.edge.terminal import tell
from gitops_hooks.model.errors import EdgeError


def finish(act: Callable[[], object]) -> None:
    """Do it now, or tell the pusher that the reconciler does it; what stands before it is done either way."""
    try:
        act()
    except EdgeError as error:
        tell(["gitops: what follows is done; its record is completed by the server itself, but not now:", f"  {error}"])
