"""The logs of commands, in the server's own state: one for each change and command, that of its newest run."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.lazy_dataclass import dataclass

MOST_CHANGES = 500
MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a run beside its log: `began` is in seconds since 1970, `running` until its end is recorded."""

    run: str
    check: str
    name: str
    head: str
    tree: str
    began: float
    running: bool = True


def log_folder(state: Path, number: int) -> Path:
    return state / "commands" / str(number)


def log_path(state: Path, number: int, check: str, name: str) -> Path:
    return log_folder(state, number) / f"{check}.{name}.log"


def note_run(state: Path, number: int, kept: Kept) -> None:
    """Write it down. Errors: OSError, EdgeError."""
    make_folder(state / "commands")
    make_folder(log_folder(state, number))
    replace_file(_notes(state, number, kept.check, kept.name), json.dumps(asdict(kept)).encode())


def kept_runs(state: Path, number: int) -> tuple[Kept, ...]:
    """What is noted of a change's commands, in the order in which they began."""
    found = [kept for path in log_folder(state, number).glob("*.json") if (kept := _read(path))]
    return tuple(sorted(found, key=lambda kept: kept.began))


def _notes(state: Path, number: int, check: str, name: str) -> Path:
    return log_path(state, number, check, name).with_suffix(".json")


def _read(path: Path) -> Kept | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Kept(**json.loads(path.read_text()))
    return None


def read_log(path: Path, start: int, most: int) -> bytes:
    """What stands in a log from there on; nothing where there is none."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(start)
        return file.read(most)
    return b""


def open_log(path: Path) -> int:
    """A new log in place of the last one. Errors: OSError."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def forget_logs(state: Path, number: int) -> None:
    """A purged change's commands may have printed what had to go."""
    shutil.rmtree(log_folder(state, number), ignore_errors=True)


def trim_logs(state: Path) -> None:
    """Keep those of the changes whose commands ran last, as many and as large as the bounds above say."""
    folders = [folder for folder in _folders(state) if folder.name.isdigit()]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    left = MOST_BYTES
    for at, folder in enumerate(folders):
        left -= sum(path.stat().st_size for path in folder.iterdir())
        if at and (left < 0 or at >= MOST_CHANGES):
            shutil.rmtree(folder, ignore_errors=True)


def stop_all(state: Path) -> None:
    """No run of an earlier reconciler goes on."""
    for folder in _folders(state):
        for kept in kept_runs(state, int(folder.name)) if folder.name.isdigit() else ():
            if kept.running:
                note_run(state, int(folder.name), replace(kept, running=False))


def _folders(state: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from list((state / "commands").iterdir())
