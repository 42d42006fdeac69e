"""What a running deployment has said, for those who watch it; derived, lost without harm."""

import json
from dataclasses import asdict
from pathlib import Path

from gitops_hooks.model.deployment import Progress


def _path(state: Path, environment: str) -> Path:
    return state / "runs" / f"{environment}.json"


def note_progress(state: Path, environment: str, progress: Progress) -> None:
    """Replace what is known; nothing waits for the disk, and a full one only costs the news."""
    path = _path(state, environment)
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.write_text(json.dumps(asdict(progress)))
        beside.replace(path)
    except OSError:
        return


def read_progress(state: Path, environment: str) -> Progress:
    """The last words of the run under way, empty where nothing is known."""
    try:
        found = json.loads(_path(state, environment).read_text())
        return Progress(tuple(str(host) for host in found["hosts"]), str(found["task"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def forget_progress(state: Path, environment: str) -> None:
    _path(state, environment).unlink(missing_ok=True)
