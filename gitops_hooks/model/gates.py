"""What an environment's own rules put between what lands and what is brought to its hosts."""

from gitops_hooks.model.bounds import Window
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one environment; `paused` is the policy's reason, empty where it pauses nothing.

    `after` are environments that must be Healthy with the same commit for `soak` seconds; deployments begin inside
    `windows` (none: at any time) and outside `freeze`. `manual_sync` lets an asked-for deployment begin at any time.
    """

    manual: bool = False
    paused: str = ""
    after: tuple[str, ...] = ()
    soak: int = 0
    windows: tuple[Window, ...] = ()
    freeze: tuple[Window, ...] = ()
    manual_sync: bool = False


OPEN = Gates()
