"""A push's hooks ask through its login, which waits for git anyway: no Python starts in their place.

Such a hook (`hooks/through-login`, in sh) inherited one end of a line, and says its name and number there. The login
takes what git gave to it from /proc, asks the warm judge as a hook in Python asks, and says on the line:

    self <seconds>             nobody was asked: the hook judges by itself, within what is left to it
    taken                      the push is the judge's; from here on whatever is wrong refuses
    accept | refuse            one whole verdict

Only built-in modules are imported here, as in `parent`.
"""

import _socket
import os
import time

from gitops_hooks.edge import warm_client as warm
from gitops_hooks.entry import parent
from gitops_hooks.entry.waiting import STDIN_OF_SH, STDOUT_OF_SH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN = ((STDIN_OF_SH, os.O_RDONLY), (STDOUT_OF_SH, os.O_WRONLY), (2, os.O_WRONLY))
_NAMES = ("pre_receive", "proc_receive")
_MOST = 64  # bytes of what a hook says
_MOST_DIGITS = 9  # of a process's number, and the end of its line
_MOST_ENVIRON = 4 * 1024 * 1024
_LEAST_SECONDS = 0.1


class _Hook:
    """One that waits for its answer, with what git gave to it; an open resource."""

    def __init__(self, name: str, pid: int, session: int) -> None:
        """Errors: OSError where it is gone, is none of this push, or has something that cannot be opened again."""
        self.name, self._opened = name, list[int]()
        self.folder = f"/proc/{pid}/cwd"
        try:
            self.handle = self._keep(os.pidfd_open(pid))
            if os.getsid(pid) != session:
                raise ProcessLookupError
            folder = f"/proc/{pid}/fd"
            self._own = [self._keep(os.open(f"{folder}/{n}", way | os.O_CLOEXEC)) for n, way in _OWN]
            self.environ = _environ_of(pid)
        except OSError:
            self.close()
            raise

    @property
    def own(self) -> tuple[int, int, int]:
        read, write, messages = self._own
        return read, write, messages

    def let_go_of_protocol(self) -> None:
        """It is the judge's alone."""
        for number in self._own[:2]:
            os.close(number)
            self._opened.remove(number)

    def close(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def _keep(self, number: int) -> int:
        self._opened.append(number)
        return number


class Hooks:
    """The hooks of the push that `git` leads, each of which is answered once it asks.

    `environ` and `kept` are what git was started with: its environment, and the descriptors that it handed down.
    `until` ends the push (monotonic seconds). `staying` leads to the fork that answered this login, and is asked first.
    """

    def __init__(
        self,
        git: int,
        environ: "Mapping[str, str]",
        kept: "Sequence[int]",
        until: float,
        staying: "_socket.socket | None" = None,
    ) -> None:
        self._git, self._environ, self._kept = git, environ, list(kept)
        self._until, self._staying = until, staying

    def answer(self, line: "_socket.socket") -> bool:
        """Answer one; False where nobody is at the other end of the line any more. Errors: Ended, from a signal."""
        try:
            said = line.recv(_MOST)
        except OSError:
            return False
        if not said:
            return False
        name, _, number = said.decode("ascii", "replace").partition(" ")
        is_whole = number.endswith("\n") and number[:-1].isdecimal() and len(number) <= _MOST_DIGITS
        if name not in _NAMES or not is_whole:
            _say(line, b"refuse")
            return True
        deadline = min(time.monotonic() + parent.seconds_of(name, self._environ), self._until)
        try:
            hook = _Hook(name, int(number), self._git)
        except OSError:
            _leave_to_itself(line, deadline)
            return True
        try:
            self._answer(line, hook, deadline)
        finally:
            hook.close()
        return True

    def _answer(self, line: "_socket.socket", hook: _Hook, deadline: float) -> None:
        nonce = os.urandom(16).hex().encode()
        judge = self._hand_over(hook, nonce, deadline)
        if judge is None:
            _leave_to_itself(line, deadline)
            return
        told, answer = self._hear(line, judge, hook, nonce, deadline)
        if not told:
            seconds = parent.seconds_of(hook.name, self._environ)
            parent.tell_of_none(hook.name, answer, seconds, self._environ, hook.own[2])
            _say(line, b"refuse")

    def _hand_over(self, hook: _Hook, nonce: bytes, deadline: float) -> "_socket.socket | None":
        """The connection to the judge that has the push now; None where nobody has it."""
        home, name = self._environ["GITOPS_HOOKS_HOME"], hook.name.encode()
        try:
            asked = warm.question(home, name, nonce, deadline, hook.environ, self._kept)
            judge = warm.ask(home, asked, deadline, staying=self._staying)
        except (OSError, ValueError):
            return None
        if judge is None or warm.hand_over(judge, hook.own, self._kept, hook.folder):
            return judge
        judge.close()
        return None

    def _hear(
        self, line: "_socket.socket", judge: "_socket.socket", hook: _Hook, nonce: bytes, deadline: float
    ) -> tuple[bool, bytes | None]:
        """Whether the hook was told a verdict, and what the judge said; whatever ends this, a signal too, ends that.

        A whole verdict is told at once: git goes on while what the judge leaves is taken down.
        """
        told: list[bool] = []

        def tell(answer: bytes | None) -> None:
            verdict = parent.verdict_of(nonce, answer)
            if verdict is not None and not told:
                told.append(verdict)
                _say(line, b"accept" if verdict else b"refuse")
                hook.close()  # git waits for the end of its messages too

        is_over = False
        try:
            _say(line, b"taken")
            hook.let_go_of_protocol()
            answer, is_over = warm.hear(judge, nonce, deadline, hook.handle, tell)
            tell(answer)
            return bool(told), answer
        finally:
            if not is_over:
                warm.let_go(judge)
            if not is_over or judge is not self._staying:
                judge.close()


def _leave_to_itself(line: "_socket.socket", deadline: float) -> None:
    _say(line, b"self %.3f" % max(_LEAST_SECONDS, deadline - time.monotonic()))


def _environ_of(pid: int) -> list[tuple[bytes, bytes]]:
    """What it was started with. Errors: OSError, also where it is too much."""
    with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123  # no pathlib here
        said = file.read(_MOST_ENVIRON + 1)
    if len(said) > _MOST_ENVIRON:
        raise OSError
    pairs = [pair.partition(b"=") for pair in said.split(b"\0") if pair]
    return [(key, value) for key, sign, value in pairs if sign and key != b"GITOPS_HOOKS_LINE"]


def _say(line: "_socket.socket", word: bytes) -> None:
    try:
        line.sendall(word + b"\n")
    except OSError:
        return  # it has ended, and git knows
