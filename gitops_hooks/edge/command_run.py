"""One run of a command as the reconciler holds it: started, listened to, ended; and what a dead reconciler left."""

from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.command_box import RUN, Ended
from gitops_hooks.edge.command_wire import Job, encode_job, parse_end
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch_box import own_program
from gitops_hooks.edge.launch_child import Child
from gitops_hooks.edge.living import Living
from gitops_hooks.edge.store import replace_file

MODULE = "gitops_hooks.entry.command_child"
_END_SECONDS = 5.0


class RunningCommand:
    """A child and its box, an open resource: after `close` nothing of them runs any more."""

    def __init__(self, run: str, job: Job) -> None:
        """Start it. Errors: EdgeError, OSError."""
        self.run = run
        self._said = b""
        self._job = job.log.with_suffix(".job")
        replace_file(self._job, encode_job(job))
        self._child = Child(own_program(MODULE, "--run-id", run, str(self._job)))

    def fileno(self) -> int:
        """Readable whenever `read` has something to take."""
        return self._child.fileno()

    def read(self) -> tuple[Ended, str] | None:
        """How it went and its log's digest, once it has ended; never waits."""
        said, over = self._child.listen()
        self._said += said
        return parse_end(self._said) if over else None

    def close(self) -> None:
        """End it with everything that it started. Errors: EdgeError where something of it survives."""
        self._child.close()
        self._job.unlink(missing_ok=True)
        living.end(living.wait_gone(_of_run(self.run), _END_SECONDS), gentle_seconds=0)


def _of_run(run: str) -> tuple[Living, ...]:
    return tuple(one for one in living.list_living() if f"{RUN}={run}" in one.argv or run in one.argv)


def end_leftovers(home: Home) -> tuple[Living, ...]:
    """End all runs of this home, for who has just become its reconciler; answers what survives."""
    found = [one for one in living.list_living() if _is_run(one) and _of_home(one, home.path.absolute())]
    return living.end(living.wait_gone(found, _END_SECONDS), gentle_seconds=0)


def _is_run(one: Living) -> bool:
    return MODULE in one.argv or any(word.startswith(f"{RUN}=") for word in one.argv)


def _of_home(one: Living, home: Path) -> bool:
    return any(Path(word).is_relative_to(home) for word in one.argv if word.startswith("/"))
