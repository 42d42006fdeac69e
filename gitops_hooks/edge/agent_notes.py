"""What the server notes of its agents in the state folder: when each came last, and how many reports it may push now.

Nothing of it decides what is deployed where; lost, an agent counts as not seen yet.
"""

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.lazy_dataclass import dataclass

SECONDS_PER_REPORT = 2.0
MOST_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class AgentNotes:
    """The notes of one agent in one repository."""

    folder: Path
    name: str

    def seen(self) -> datetime | None:
        """When it came last, to fetch or to report; None where nothing is known of that."""
        try:
            return datetime.fromtimestamp(self._path("seen").stat().st_mtime, UTC)
        except OSError:
            return None

    def note_seen(self) -> None:
        """It is here now. A file that is there is touched, which a full disk does not keep from happening."""
        with contextlib.suppress(OSError):
            make_folder(self.folder)
            descriptor = os.open(self._path("seen"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.utime(descriptor)
            finally:
                os.close(descriptor)

    def take_turn(self, now: float) -> float:
        """0 where a report may come now (by the clock, in seconds), which is counted; else the seconds to wait.

        Some may come at once, and then one in two seconds. Errors: OSError.
        """
        turns, at = self._turns(now)
        # A clock that was set back gives nothing, and takes nothing.
        turns = min(float(MOST_AT_ONCE), turns + max(0.0, now - at) / SECONDS_PER_REPORT)
        wait = 0.0 if turns >= 1 else (1 - turns) * SECONDS_PER_REPORT
        make_folder(self.folder)
        replace_file(self._path("turns"), json.dumps([turns if wait else turns - 1, now]).encode())
        return wait

    def _turns(self, now: float) -> tuple[float, float]:
        try:
            turns, at = json.loads(self._path("turns").read_text())
            return max(0.0, float(turns)), float(at)
        except (OSError, ValueError, TypeError):
            return float(MOST_AT_ONCE), now

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.name}.{kind}"


def agent_notes(state: Path, name: str) -> AgentNotes:
    """The notes of an agent of the repository whose state lies here."""
    return AgentNotes(state / "agents", name)
