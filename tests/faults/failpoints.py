"""Named failpoints without a test mode: the server's file names a git of our own, which dies at one write of a ref."""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge.home import Home
from tests.world import World

PROGRAM = Path(__file__).parent / "failing_git.py"


@dataclass(frozen=True, slots=True)
class Failpoint:
    """The nth write of a ref that fits `ref`; `when` is before, inside (its lock stays) or after.

    `ends` says who is killed: the judge that waits for the write, or the whole session of the push.
    """

    when: str
    ref: str
    nth: int = 1
    ends: str = "judge"

    def __str__(self) -> str:
        which = f" number {self.nth}" if self.nth > 1 else ""
        return f"{self.when} {self.ref}{which}, the {self.ends} killed"


def lay_git(folder: Path, home: Home) -> None:
    """Make the server use the failing git; it is git itself until a failpoint is armed."""
    folder.mkdir()
    wrapper = folder / "git"
    wrapper.write_text(
        f"""\
#!/bin/sh
case "$*" in *"update-ref --stdin"*)
    exec {sys.executable} -I {PROGRAM} {folder} {shutil.which("git")} "$@";;
esac
exec {shutil.which("git")} "$@"
"""
    )
    wrapper.chmod(0o755)
    home.server_file.write_text(f'git = "{wrapper}"\n{home.server_file.read_text()}')


@dataclass(frozen=True, slots=True)
class Faults:
    """The failing git of one world."""

    folder: Path

    def arm(self, point: Failpoint) -> None:
        words = {"when": point.when, "ref": point.ref, "nth": point.nth, "ends": point.ends}
        (self.folder / "armed").write_text(json.dumps(words))

    def fired(self) -> bool:
        """Whether the failpoint was reached; it is taken away either way."""
        armed = self.folder / "armed"
        fired = not armed.exists()
        armed.unlink(missing_ok=True)
        return fired

    def written(self) -> list[str]:
        """The refs that were written since this was asked last, in order."""
        path = self.folder / "written"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found


@contextmanager
def no_reconciler(world: World, seconds: float = 10.0) -> Iterator[None]:
    """Keep every reconciler away: what a push alone has to mend is not mended behind its back."""
    path = world.seen(world.home.run / "reconcile.lock")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                assert time.monotonic() < deadline, "the reconciler does not end"
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
