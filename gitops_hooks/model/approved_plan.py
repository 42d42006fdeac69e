"""The plan that a deployment may carry out, where its landing rested on one."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """What was approved for one environment: `digest` under `key` stands for what a plan of `tree` said of it.

    `name` is how people know the plan. `items` are the digests of its single differences, where they are kept, and
    `begun` says that an earlier run may have brought some of them. `why` says that it cannot be compared.
    """

    name: str
    tree: str = ""
    key: str = ""
    digest: str = ""
    items: tuple[str, ...] = ()
    begun: bool = False
    why: str = ""
