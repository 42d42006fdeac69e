"""One deployment as one confined child: started, listened to, ended; everything of the run dies with it."""

import dataclasses
import os
import select
import time
from collections.abc import Iterable

from gitops_hooks.edge.launch_box import box_command, explain, probe
from gitops_hooks.edge.launch_child import Child
from gitops_hooks.edge.launch_feed import Gone
from gitops_hooks.edge.launch_leftovers import end_leftovers, leftovers
from gitops_hooks.edge.launch_wire import LINE_LIMIT, TERMINATE, Job, Said, encode, parse_word
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Outcome, RunState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.gates import OPEN
from gitops_hooks.model.server import Limits, PluginLists

__all__ = ["RunningDeployment", "end_leftovers", "leftovers", "probe"]

_TREE_BYTES = 512 * 1024 * 1024


class RunningDeployment:
    """One child, an open resource; `outcome` is None until `read` has answered it.

    bubblewrap ends the child when the thread that called `start` ends: start from the thread that lives on.
    """

    def __init__(self, deployment: Deployment, deploy_as: str = "") -> None:
        self.deployment = deployment
        self.outcome: Outcome | None = None
        self._deploy_as = deploy_as
        self._child: Child | None = None
        self._refused = ""
        self._unread = bytearray()
        self._killed = False
        # Where no child says anything, this end of a pipe without writer is readable at once.
        self._silence, writer = os.pipe()
        os.close(writer)

    @classmethod
    def start(
        cls,
        deployment: Deployment,
        credentials: Credentials,
        files: Iterable[tuple[str, int, bytes]],
        *,
        limits: Limits,
        plugins: PluginLists,
        deploy_as: str = "",
    ) -> "RunningDeployment":
        """Start the child and give it the whole tree, as fast as it reads.

        `files` are path (undecodable bytes as surrogates), git mode, content. What goes wrong here is the
        Outcome that `read` answers. Before that of a look comes a Drift or a Plan.
        """
        running = cls(deployment, deploy_as)
        job = _job_of(deployment, credentials, limits, plugins)
        try:
            running._child = Child(box_command(deployment.run_id, credentials, deploy_as))
            running._child.feed(encode(job), files)
        except Gone:
            pass  # its last words, or their absence, are what `read` answers
        except EdgeError as error:
            running._refused = str(error)
            if running._child is not None:
                running._child.close()
                running._child = None
        except BaseException:
            # Whatever the reader of the tree raises: no box may stay behind that nobody knows of.
            running.close()
            raise
        return running

    def fileno(self) -> int:
        """Readable whenever `read` has something to say."""
        return self._silence if self._child is None else self._child.fileno()

    def read(self) -> tuple[Said, ...]:
        """What was said since; never waits. The outcome comes exactly once, last, and the child has ended then."""
        if self.outcome is not None:
            return ()
        if self._refused or self._child is None:
            return (self._conclude(Outcome(RunState.ERROR, detail=self._refused)),)
        said, ended = self._child.listen()
        self._unread += said
        words = self._take_lines()
        if self.outcome is None and ended:
            words.append(self._conclude(self._silent_end(self._child)))
        return tuple(words)

    def terminate(self) -> None:
        """Ask the run to end: it gets TERM, then some seconds, then KILL from its own first program."""
        if self._child is not None:
            self._child.tell(TERMINATE)

    def kill(self) -> None:
        """End the run at once; a task that is already on a host finishes there, behind the fence."""
        self._killed = True
        if self._child is not None:
            self._child.kill()

    def wait(self, timeout: float) -> Outcome | None:
        """Listen until the end, at most so many seconds; None where it still runs."""
        deadline = time.monotonic() + timeout
        while self.outcome is None:
            if not select.select([self], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            self.read()
        return self.outcome

    def close(self) -> None:
        """End what still runs and let go of everything. Errors: EdgeError where the child survives."""
        child, self._child = self._child, None
        silence, self._silence = self._silence, -1
        if silence >= 0:
            os.close(silence)
        if child is not None:
            child.close()
        if left := self._survivors():
            raise EdgeError("deployment", f"programs of {self.deployment.run_id} do not end: {left}")

    def let_go(self) -> str:
        """As `close`, for who has other runs to look after: what does not end, in words, or nothing."""
        try:
            self.close()
        except EdgeError as error:
            return str(error)
        return ""

    def _take_lines(self) -> list[Said]:
        words: list[Said] = []
        while self.outcome is None and (end := self._unread.find(b"\n")) >= 0:
            line = bytes(self._unread[:end])
            del self._unread[: end + 1]
            words.append(self._take(line))
        if self.outcome is None and len(self._unread) > LINE_LIMIT:
            words.append(self._conclude(Outcome(RunState.ERROR, detail="the deployment's child says too much at once")))
        return words

    def _take(self, line: bytes) -> Said:
        try:
            word = parse_word(line)
        except EdgeError as error:
            word = Outcome(RunState.ERROR, detail=str(error))
        return self._conclude(word) if isinstance(word, Outcome) else word

    def _silent_end(self, child: Child) -> Outcome:
        code = child.end()
        if self._killed:
            return Outcome(
                RunState.CANCELED, detail="ended by the server; deploy again to bring the hosts to one state"
            )
        words = child.complaints()
        if words:
            return Outcome(RunState.ERROR, detail=explain(words, self._deploy_as))
        return Outcome(RunState.ERROR, detail=f"the deployment's child ended without a word (exit {code})")

    def _conclude(self, outcome: Outcome) -> Outcome:
        self.outcome = outcome
        if self._child is not None:
            self._child.kill()
            self._child.end()
        if left := self._survivors():
            outcome = dataclasses.replace(outcome, state=RunState.ERROR, detail=f"its programs do not end: {left}")
            self.outcome = outcome
        return outcome

    def _survivors(self) -> str:
        """The box dies a moment after its outermost program; whoever hears the outcome may rely on it."""
        return " ".join(str(one.pid) for one in end_leftovers((self.deployment.run_id,), self._deploy_as))


def _job_of(deployment: Deployment, credentials: Credentials, limits: Limits, plugins: PluginLists) -> Job:
    laid = tuple(name for name, _ in credentials.files) + (("state",) if credentials.state_folder else ())
    # When it may begin was decided before, and is no affair of the child's.
    told = dataclasses.replace(deployment, environment=dataclasses.replace(deployment.environment, gates=OPEN))
    return Job(
        told,
        credentials.hosts,
        laid,
        credentials.network,
        credentials.door,
        plugins.trusted,
        limits.connect_seconds,
        limits.deploy_seconds,
        _TREE_BYTES,
        credentials.user,
        credentials.become,
        credentials.own is not None,
        credentials.some,
    )
