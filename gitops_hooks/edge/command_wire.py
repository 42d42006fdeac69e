"""What the reconciler tells a command's program, and what that answers: one line of JSON each."""

import json
from dataclasses import asdict
from pathlib import Path

from gitops_hooks.edge.command_box import Ended
from gitops_hooks.model.command import Command, CommandState
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a run needs; `tree` is an object of `repository`, `log` the file that it writes."""

    repository: Path
    git: str
    tree: str
    command: Command
    limits: Limits
    folders: tuple[Path, ...]
    scratch: Path
    log: Path


def encode_job(job: Job) -> bytes:
    return json.dumps(asdict(job), default=str).encode() + b"\n"


def parse_job(line: bytes) -> Job:
    """What our own reconciler wrote."""
    said = json.loads(line)
    command = said["command"]
    return Job(
        Path(said["repository"]),
        said["git"],
        said["tree"],
        Command(command["name"], tuple(command["words"]), command["seconds"]),
        Limits(**said["limits"]),
        tuple(Path(name) for name in said["folders"]),
        Path(said["scratch"]),
        Path(said["log"]),
    )


def encode_end(ended: Ended, log: str) -> bytes:
    return json.dumps([ended.state.value, ended.status, ended.seconds, ended.detail, log]).encode() + b"\n"


def parse_end(said: bytes) -> tuple[Ended, str]:
    """How it went, and the digest of its log; a program without a whole answer was no run at all."""
    try:
        state, status, seconds, detail, log = json.loads(said)
        return Ended(CommandState(state), int(status), int(seconds), str(detail)), str(log)
    except (ValueError, TypeError):
        return Ended(CommandState.ERROR, detail="its program ended without a word"), "-"
