"""What an environment of the deployer `kubernetes` deploys, and how."""

from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass


class Prune(Enum):
    """What of the objects that the tree does not have any more is deleted; `safe` spares what others live in."""

    NONE = "false"
    SAFE = "true"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """`manifests` is a folder of the tree; objects that name no namespace go to `namespace`.

    `wait` is how many seconds objects may take to be healthy.
    """

    manifests: str
    namespace: str = ""
    force_conflicts: bool = False
    prune: Prune = Prune.SAFE
    wait: int = 300
