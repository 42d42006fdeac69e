"""When an environment whose deployments visit only some hosts visits all of them again."""

from datetime import datetime, timedelta
from zlib import crc32

from gitops_hooks.model.event import NEVER
from gitops_hooks.model.policy import Environment

_JITTER = 10


def full_run_due(environment: Environment, last: datetime, repository: str) -> datetime | None:
    """A tenth of the interval at most later, each time another part of it: not all environments at one moment."""
    if not environment.interval or last == NEVER:
        return None
    spread = environment.interval // _JITTER + 1
    later = crc32(f"{repository} {environment.name} {last.isoformat()}".encode()) % spread
    return last + timedelta(seconds=environment.interval + later)
