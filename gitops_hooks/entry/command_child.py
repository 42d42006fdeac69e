"""One command's own program: started by the reconciler, it runs the box and says at its end how it went.

Its life hangs on its standard input: when the reconciler is gone, however it went, that ends, and so does this; the
box dies with its parent.
"""

import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gitops_hooks.edge.command_box import Ended, Place, run_command
from gitops_hooks.edge.command_log import open_log
from gitops_hooks.edge.command_wire import Job, encode_end, parse_job
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.tree import GitTree
from gitops_hooks.model.command import CommandState
from gitops_hooks.model.errors import EdgeError


def main(argv: Sequence[str]) -> int:
    """`--run-id ID JOB`; the job stands in that file."""
    run, path = argv[-2:]
    job = parse_job(Path(path).read_bytes())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(10)
    ended, digest = _run(job, run)
    sys.stdout.buffer.write(encode_end(ended, digest))
    sys.stdout.buffer.flush()
    return 0


def _die_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _run(job: Job, run: str) -> tuple[Ended, str]:
    try:
        log = open_log(job.log)
    except OSError as error:
        return Ended(CommandState.ERROR, detail=f"its log cannot be written: {error.strerror}"), "-"
    digest = hashlib.sha256()
    try:
        repository = open_repository(job.repository, job.limits, job.git)
        tree = GitTree(repository.git2, job.tree, job.limits.tool_tree)
        place = Place(job.limits, job.folders, job.scratch)
        hear = _bounded(log, job.limits.command_log, digest.update)
        return run_command(job.command, tree, place, run, hear), digest.hexdigest()
    except EdgeError as error:
        return Ended(CommandState.ERROR, detail=str(error)), "-"
    finally:
        os.close(log)


def _bounded(log: int, most: int, note: Callable[[bytes], object]) -> Callable[[bytes], object]:
    left = most

    def hear(part: bytes) -> None:
        nonlocal left
        part, left = part[:left], max(0, left - len(part))
        note(part)
        # On a full disk the log loses what it has no room for; how the command ended is told all the same.
        with contextlib.suppress(OSError):
            os.write(log, part)

    return hear


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
