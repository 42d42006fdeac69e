"""What an agent reports of the hosts that it answers for (docs/agent.md)."""

from datetime import datetime

from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from gitops_hooks.model.lazy_dataclass import dataclass

AGENT_REFS = "refs/agents/"
REPORT_NAME = "report"


@dataclass(frozen=True, slots=True)
class HostReport:
    """One host: how the last application ended there (None: none yet), how it compares with it, and what stands on it.

    `generation` is 0 and `commit` empty where nothing was ever applied. `changed` counts tasks; `detail` is the reason
    of a bad end, at most 2,000 characters, with secrets masked. It began at `began`, seconds since 1970 by the agent's
    own clock (0: not known), and took `seconds`.
    """

    name: str
    state: HostState | None = None
    sync: Sync = Sync.UNKNOWN
    changed: int = 0
    detail: str = ""
    generation: int = 0
    commit: str = ""
    began: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One word of one agent; each replaces the one before.

    `generation` and `commit` are what it was last released to (0 and "" for nothing yet), `log` the tip of the
    environment's log that it acted on ("" before it had seen one). `sequence` grows with each report. `alarm` says why
    it refuses what the server gave it, and is empty where all is well. `at` is by the agent's own clock: it proves
    nothing. `records` is the folder, where the agent stands, in which it keeps what each task did ("": not told).
    """

    agent: str
    repository: str
    environment: str
    generation: int
    commit: str
    log: str
    sequence: int
    at: datetime
    hosts: tuple[HostReport, ...]
    alarm: str = ""
    records: str = ""
