"""One hook or login that came to the warm judge, from its knock to the end of the fork that judges for it."""

import os
import time
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from socket import MSG_DONTWAIT, socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.ssh_command import GitCommand, GitProgram, parse_ssh_command
from gitops_hooks.core.warm_line import AT_REST, MOST, Judging, read_line
from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge import warm_client as warm
from gitops_hooks.edge.pushes import UNCLEAN, mark_cut_off
from gitops_hooks.edge.warm_peer import Standing
from gitops_hooks.entry.serving_push import STAYING
from gitops_hooks.entry.serving_spare import Fork, end_group
from gitops_hooks.model.lazy_dataclass import dataclass

KNOCKING = 10.0  # seconds for the request and the word `go`
_EXTRA = 5.0  # the hook ends its judge in time; this is for a hook that does not


@dataclass(slots=True)
class Guest:
    """An open resource: `line` leads to the fork that judges, `watch` is a handle on it."""

    conn: socket
    deadline: float
    heard: bytearray = field(default_factory=bytearray)
    request: Request | None = None
    standing: Standing | None = None
    judge: int = 0
    watch: int = -1
    line: socket | None = None
    unclean: Path = Path()  # the mark of its push, from the folder of all states on
    next_in: str = ""  # the repository in which another fork is wanted once this one has ended
    is_free: bool = False  # its fork is at no work for it any more, and may go on to another login
    is_cut_off: bool = False
    is_at_rest: bool = False

    @property
    def asker(self) -> int:
        """The process that asks: a login asks for the hooks of its push too."""
        return warm.peer(self.conn)[0]

    @property
    def is_waiting(self) -> bool:
        """Whether it has asked and has no answer yet."""
        return self.request is not None and self.standing is None

    @property
    def is_judged(self) -> bool:
        """Whether a fork is at work for it at this moment."""
        return bool(self.judge) and not self.is_at_rest

    @property
    def is_of_hook(self) -> bool:
        return self.request is not None and self.request.name in words.HOOKS

    def say(self, *said: bytes) -> None:
        with suppress(OSError):
            self.conn.send(words.line(self.request.nonce if self.request else b"", *said), MSG_DONTWAIT)

    def begin(self, request: Request, fork: Fork) -> None:
        """This fork judges for it from here on."""
        self.judge, self.line, self.watch = fork.pid, fork.line, os.pidfd_open(fork.pid)
        told = dict(request.environ)
        self.unclean = Path(os.fsdecode(told.get(b"GITOPS_HOOKS_UNCLEAN", b"")))
        self.next_in = repository_of(request)
        self._give(request.seconds)
        self.request = _bare(request.nonce, request.name)  # a push's environment is not kept

    def hear_of_fork(self) -> list[Judging]:
        """The hooks for which the fork has begun, by all that it has said so far."""
        begun = list[Judging]()
        while self.line:
            try:
                said = self.line.recv(MOST, MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                said = b""
            if not said:
                self.close_line()
            elif isinstance(found := read_line(said), Judging):
                begun.append(found)
                self._is_judged_for(found)
            elif found == AT_REST:
                self.is_at_rest = True
                self._give(STAYING)
            elif found and not self.is_at_rest and self.is_of_hook:
                self.is_free = True
                break
            else:
                self.cut_off()  # no fork says that
                break
        return begun

    def cut_off(self) -> None:
        """End its fork, whose end is waited for elsewhere."""
        self.is_cut_off = True
        end_group(self.judge)

    def see_out(self) -> None:
        """Its fork has ended: what that left running in its group ends with it."""
        end_group(self.judge)
        os.waitpid(self.judge, 0)

    def mark_cut_off(self, state: Path) -> None:
        """For a hook that has gone, and could not; not for one that was over. `state` is the folder of all states."""
        mark = state / self.unclean
        if self.is_cut_off and not self.is_free and mark != state and mark.is_relative_to(state):
            mark_cut_off(mark)

    def close_line(self) -> None:
        """A fork that is at rest ends then."""
        if self.line:
            self.line.close()
        self.line = None

    def give_back(self) -> Fork | None:
        """Its fork, which is another's from here on, where that is free."""
        line, self.line = self.line, None
        return Fork(self.judge, line) if line else None

    def leave(self) -> None:
        self.conn.close()
        self.close_line()
        if self.watch >= 0:
            os.close(self.watch)

    def _is_judged_for(self, hook: Judging) -> None:
        self.is_at_rest = False
        self.request = _bare(hook.nonce, hook.name)
        self.unclean = Path(hook.push) / UNCLEAN
        self._give(hook.seconds)

    def _give(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds + _EXTRA


def _bare(nonce: bytes, name: bytes) -> Request:
    return Request(nonce, name, b"", 0.0, (), ())


def repository_of(request: Request) -> str:
    """As it was asked for; empty where no hook comes behind this one, and for a fetch."""
    told = dict(request.environ)
    if request.name != words.LOGIN:
        return os.fsdecode(told.get(b"GITOPS_HOOKS_REPOSITORY", b""))
    asked = parse_ssh_command(told.get(b"SSH_ORIGINAL_COMMAND", b""))
    if isinstance(asked, GitCommand) and asked.program is GitProgram.RECEIVE_PACK:
        return asked.repository
    return ""
