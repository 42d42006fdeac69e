"""Git, run for one login that was let in: under one deadline, with nothing of it left behind.

The forced command runs it, whoever decided: it itself, or a fork of the warm judge on its behalf. Only built-in modules
are imported here, as in `parent`: most logins load nothing else.
"""

import _socket
import os
import select
import time

from gitops_hooks.entry.waiting import STDOUT_OF_SH, Ended, say, stop_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
else:
    import _signal as signal  # as in parent: the other one loads enum

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_GENTLE_SECONDS = 2.0  # git takes its quarantine folder away when it is asked to end
_MOST_WAIT = 24 * 3600.0  # seconds that one look at git may wait; a poll takes no more than some days
_FIRST = 3
_NOT_STARTED = 2
_ASIDE = 99
_UNCLEAN = "unclean"


def run(
    argv: "Sequence[str]",
    environ: dict[str, str],
    seconds: float,
    folder: str,
    descriptors: "Sequence[int]",
    staying: "_socket.socket | None" = None,
) -> int:
    """Run git to its end; answers its exit code.

    `folder` is the push's, whose holds are `descriptors`; empty and none for a fetch. `staying` leads to the fork that
    answered the login, where one did.
    """
    kept: tuple[int, ...] = ()
    staying = _put_aside(staying) if staying else None
    if folder:
        client = os.dup(1)  # git shows hooks its own pipes only: through this one they see whether the client is there
        environ = environ | {"GITOPS_HOOKS_HOLD": str(descriptors[0]), "GITOPS_HOOKS_CLIENT": str(client)}
        kept = (*descriptors, client)
    code = _NOT_STARTED
    try:
        code = _run(argv, environ, seconds, kept, _Line(kept, staying))
    except OSError as error:
        say(f"gitops: git: did not start: {error.strerror}")
    finally:
        if folder:
            _leave(folder, argv[-1], descriptors, was_ended=code < 0)
    return code if code >= 0 else 128 - code


def _put_aside(staying: "_socket.socket") -> "_socket.socket | None":
    """The same, under a number that leaves those of one digit to what sh must name; None where there is none."""
    try:
        return _socket.socket(fileno=os.dup2(staying.fileno(), _ASIDE, inheritable=False))
    except OSError:
        return None
    finally:
        staying.close()


class _Line:
    """What the hooks of a push have their login ask through: one end for git's children, none where there is no push.

    Nobody else holds the login's end, so that a hook whose login was killed hears the end of the line.
    """

    def __init__(self, kept: tuple[int, ...], staying: "_socket.socket | None") -> None:
        self.staying = staying
        self.own: _socket.socket | None = None
        self._given: _socket.socket | None = None
        if kept:
            self.own, self._given = _socket.socketpair()
        if self._given and max(self._given.fileno(), *kept) >= STDOUT_OF_SH:
            self.close()  # sh knows no descriptors of two digits: its hooks judge by themselves

    def given(self) -> tuple[tuple[int, ...], dict[str, str]]:
        """What git is started with for it."""
        if self._given is None:
            return (), {}
        return (self._given.fileno(),), {"GITOPS_HOOKS_LINE": str(self._given.fileno())}

    def is_laid(self) -> None:
        """git has its end."""
        if self._given:
            self._given.close()
        self._given = None

    def close(self) -> None:
        self.is_laid()
        for each in (self.own, self.staying):
            if each:
                each.close()
        self.own = self.staying = None


def _run(argv: "Sequence[str]", environ: dict[str, str], seconds: float, kept: tuple[int, ...], line: _Line) -> int:
    """Git's exit code; below 0 where it was ended by a signal, ours or another's."""
    # Held back until it is known whom to end: one that comes while git starts would leave git alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    given, more = line.given()
    git = _start(argv, environ | more, (*kept, *given))
    line.is_laid()
    try:
        for number in _SIGNALS:
            signal.signal(number, stop_waiting)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        if (code := _wait(git, seconds, environ, kept, line)) is not None:
            return code
    except Ended:
        return _end_session(git)
    say(f"gitops: it took longer than {seconds:g} s and was ended; what is not reported as done was not done.")
    return _end_session(git)


def _start(argv: "Sequence[str]", environ: dict[str, str], kept: tuple[int, ...]) -> int:
    """Git's process id. Errors: OSError where it cannot be started."""
    reader, writer = os.pipe()
    git = os.fork()
    if git == 0:
        _become(argv, environ, kept, writer)
    os.close(writer)
    said = os.read(reader, 16)
    os.close(reader)
    if said:
        os.waitpid(git, 0)
        raise OSError(int(said), os.strerror(int(said)))
    return git


def _become(argv: "Sequence[str]", environ: dict[str, str], kept: tuple[int, ...], writer: int) -> None:
    """The child: git itself, or the number of what kept it from being git."""
    try:
        # A session of its own is what finds every process of the push again.
        os.setsid()
        os.chdir("/")
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)  # by Python, and an ignored signal stays so
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for number in kept:
            os.set_inheritable(number, True)
        _close_others((*kept, writer))
        os.write(writer, b"%d" % (_execute(argv, environ).errno or 1))
    finally:
        os._exit(127)


def _close_others(kept: tuple[int, ...]) -> None:
    # Those that are there, and not all that could be: some machines allow a thousand million.
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  # no pathlib here
        if number >= _FIRST and number not in kept:
            try:
                os.close(number)
            except OSError:
                continue  # the listing itself was one


def _execute(argv: "Sequence[str]", environ: dict[str, str]) -> OSError:
    """Comes back only where no program of this name can be started."""
    folders = [""] if "/" in argv[0] else [f"{folder}/" for folder in environ["PATH"].split(":")]
    found: OSError = FileNotFoundError(2, "No such file or directory")
    for folder in folders:
        try:
            os.execve(folder + argv[0], list(argv), environ)  # noqa: S606  # no shell is wanted
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found = error
    return found


def _wait(git: int, seconds: float, environ: dict[str, str], kept: tuple[int, ...], line: _Line) -> int | None:
    """Git's exit code as subprocess tells it; None where the time is over. Meanwhile its hooks are answered."""
    deadline = time.monotonic() + seconds
    handle = os.pidfd_open(git)
    answer_hook = _answering(git, environ, kept, deadline, line.staying) if line.own else None
    if answer_hook is None:
        line.close()
    while time.monotonic() < deadline:
        waiting = select.poll()
        for each in (handle, line.own):
            if each is not None:
                waiting.register(each, select.POLLIN)
        happened = dict(waiting.poll(min(deadline - time.monotonic(), _MOST_WAIT) * 1000))
        if handle in happened:
            return os.waitstatus_to_exitcode(os.waitpid(git, 0)[1])
        if happened and line.own and answer_hook and not answer_hook(line.own):
            line.close()
    return None


def _answering(
    git: int, environ: dict[str, str], kept: tuple[int, ...], deadline: float, staying: "_socket.socket | None"
) -> "Callable[[_socket.socket], bool] | None":
    """Loaded while git receives. None where the release is not whole: its hooks hear no answer, and refuse."""
    try:
        from gitops_hooks.entry.through_login import Hooks
    except ImportError:
        return None
    return Hooks(git, environ, kept, deadline, staying).answer


def _end_session(git: int) -> int:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # Loaded only here: it is what a push that ends well never needs.
    from gitops_hooks.edge.living import end, list_living

    end([each for each in list_living() if _session(each.pid) == git], _GENTLE_SECONDS)
    return -int(signal.SIGTERM)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _leave(folder: str, repository: str, descriptors: "Sequence[int]", *, was_ended: bool) -> None:
    """After a clean end nothing of the push is left; after another one it is swept, by this or by the next push."""
    unclean = was_ended or _exists(f"{folder}/{_UNCLEAN}")
    if not unclean:
        _remove(folder)
    for descriptor in descriptors:
        os.close(descriptor)
    if unclean:
        from gitops_hooks.edge.pushes import mend_after

        mend_after(folder, repository)


def _exists(path: str) -> bool:
    try:
        os.lstat(path)  # no pathlib here
    except OSError:
        return False
    return True


def _remove(folder: str) -> None:
    """What stays is a dead marker, and swept as one."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108  # no pathlib here
        os.rmdir(folder)  # noqa: PTH106  # no pathlib here
    except OSError:
        return
