"""How a hook asks the warm judge: a client of built-in modules alone, which takes nothing but one whole verdict.

Until it says `go` nothing has been judged, and whatever is wrong means that the hook judges by itself. From there on
the push is the judge's, and whatever is wrong refuses.
"""

import _blake2
import _socket
import os
import select
import sys
import time

from gitops_hooks.core import warm_words as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 3.0  # seconds until it says that it is ready
_LAST_PATIENCE = 2.0  # seconds for the last of a judge that has answered
_STUCK = 15.0  # seconds until one that was told to end and does nothing is taken for one that never will
_MARK = b"gitops_hooks.entry.serving"
_KILL = 9

Question = tuple[bytes, list[bytes]]


def identity(server: bytes) -> bytes:
    """What both sides must be of one mind about: the release, the interpreter, the server's file."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # no pathlib in a hook
    # Its folder alone: `python` and `python3` of one environment are the same.
    python = os.path.dirname(sys.executable)  # noqa: PTH120  # as above
    parts = (words.VERSION, os.fsencode(here), os.fsencode(python), sys.version.encode(), server)
    return digest(b"\0".join(parts))


def digest(content: bytes) -> bytes:
    return _blake2.blake2b(content, digest_size=32).hexdigest().encode()


def find_judge(name: bytes, nonce: bytes, deadline: float) -> "_socket.socket | None":
    """The connection to one that is ready for exactly this request; None where the hook judges by itself."""
    home = os.environ.get("GITOPS_HOOKS_HOME", "")
    if os.environ.get("GITOPS_HOOKS_WARM") != "1" or not home:
        return None
    try:
        return ask(home, question(home, name, nonce, deadline, list(os.environb.items()), inherited()), deadline)
    except (OSError, ValueError):
        return None


def hand_over(judge: "_socket.socket", own: tuple[int, int, int], others: list[int], folder: str = ".") -> bool:
    """Say `go`; False where it is known that nothing has reached the judge. It works in this folder."""
    try:
        here = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        rights = b"".join(number.to_bytes(4, sys.byteorder) for number in (*own, here, *others))
        judge.sendmsg([words.GO], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
        os.close(here)
    except OSError:
        return False
    return True


def hear(
    judge: "_socket.socket",
    nonce: bytes,
    deadline: float,
    asker: int = -1,
    tell: "Callable[[bytes], object]" = lambda line: None,
) -> tuple[bytes | None, bool]:
    """What it said: the verdict; b'' where it ended without one; None for too late. And whether nothing of it runs.

    Where one asks for another, `asker` is a handle on that process: once it has ended nobody wants to know any more.
    `tell` hears of a whole line at once, before the judge has ended; it may be what is answered, or a part of that.
    """
    said, last = b"", tuple(words.line(nonce, word) for word in (b"ended", words.STAYS))
    waiting = _watching(judge.fileno(), asker)
    while (left := deadline - time.monotonic()) > 0:
        happened = dict(waiting.poll(left * 1000))
        if not happened:
            break
        if judge.fileno() not in happened:
            return said, False
        try:
            part = judge.recv(words.MOST_ANSWER)
        except OSError:
            return said, True
        said += part
        if not part or said.endswith(last):
            return said.removesuffix(last[0]).removesuffix(last[1]), True
        if len(said) > words.MOST_ANSWER:
            return said, False
        if said.endswith(b"\n"):
            # The verdict is whole; a process that was left behind, or a judge that stands still, holds nobody.
            deadline = min(deadline, time.monotonic() + _LAST_PATIENCE)
            tell(said)
            waiting = _watching(judge.fileno())
    # Behind a whole verdict nothing is waited for: on a busy machine its end may be told seconds later.
    return said or None, said.endswith(b"\n")


def _watching(*descriptors: int) -> "select.poll":
    waiting = select.poll()
    for each in descriptors:
        if each >= 0:
            waiting.register(each, select.POLLIN)
    return waiting


def let_go(judge: "_socket.socket") -> None:
    """Have whatever it still does for this hook ended, and wait until it is."""
    try:
        judge.shutdown(_socket.SHUT_WR)
    except OSError:
        return
    if not _is_silent(judge, _STUCK):
        # It stands still, with the descriptors of this push in its hands: git would wait for them.
        _end(judge)
        _is_silent(judge, _LAST_PATIENCE)


def peer(judge: "_socket.socket") -> tuple[int, int]:
    """The process id and user id at the other end, as the kernel noted them."""
    found = judge.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(found[:4], sys.byteorder), int.from_bytes(found[4:8], sys.byteorder)


def connect(home: str) -> "_socket.socket":
    """Errors: OSError where nobody answers, or where somebody else might."""
    folder = os.open(f"{home}/run/judge", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    judge = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PermissionError("others may lay a socket there")
        judge.settimeout(_PATIENCE)
        judge.connect(f"/proc/self/fd/{folder}/socket")
        if peer(judge)[1] != os.geteuid():
            raise PermissionError("another user answers")
    except OSError:
        judge.close()
        raise
    finally:
        os.close(folder)
    return judge


def ask_line(judge: "_socket.socket", request: bytes, deadline: float) -> list[bytes]:
    """The words of the one line that it answers. Errors: OSError, also where none comes in time."""
    judge.settimeout(max(0.01, deadline - time.monotonic()))
    judge.sendall(request)
    said = b""
    while not said.endswith(b"\n"):
        judge.settimeout(max(0.01, deadline - time.monotonic()))
        part = judge.recv(words.MOST_ANSWER)
        said += part
        if not part or len(said) > words.MOST_ANSWER:
            raise ConnectionError("no answer")
    return said[:-1].split(b" ")


def question(
    home: str,
    name: bytes,
    nonce: bytes,
    deadline: float,
    environ: list[tuple[bytes, bytes]],
    descriptors: list[int],
) -> Question:
    """What is asked for a hook or login, and the one answer that is ready for it. Errors: OSError, ValueError."""
    with open(f"{home}/server.toml", "rb") as file:  # noqa: PTH123  # no pathlib in a hook
        mine = identity(file.read())
    seconds = b"%.3f" % (deadline - time.monotonic())
    numbers = b",".join(b"%d" % number for number in descriptors)
    pairs = [key + b"=" + value for key, value in environ]
    request = words.write_request([words.VERSION, nonce, name, mine, seconds, numbers, *pairs])
    return request, [nonce, b"ready", digest(request), mine]


def ask(
    home: str,
    asked: Question,
    deadline: float,
    patience: float = _PATIENCE,
    staying: "_socket.socket | None" = None,
) -> "_socket.socket | None":
    """The connection to one that is ready, of the warm judge of this home. Errors: OSError where it cannot be asked.

    `staying` leads to a fork that stayed for this push, and is asked first; it is closed where that does not judge.
    """
    if staying and staying.fileno() >= 0 and _is_ready(staying, asked, deadline, patience):
        return staying
    judge = connect(home)
    return judge if _is_ready(judge, asked, deadline, patience) else None


def _is_ready(judge: "_socket.socket", asked: Question, deadline: float, patience: float) -> bool:
    """Whether it says that it is ready for exactly this; closed where it does not."""
    request, answer = asked
    try:
        said = ask_line(judge, request, min(deadline, time.monotonic() + patience))
        if said[:-1] == answer and len(said) == len(answer) + 1:
            return True
    except OSError:
        pass
    judge.close()
    return False


def inherited() -> list[int]:
    """The descriptors that git handed down besides the three: locks, and the way to the client."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  # no pathlib in a hook
        try:
            if number > 2 and os.get_inheritable(number):
                found.append(number)
        except OSError:
            continue  # the one by which the folder was read
    if len(found) > words.MOST_DESCRIPTORS or any(number >= words.FIRST_OWN for number in found):
        raise ValueError("too many descriptors")
    return sorted(found)


def _is_silent(judge: "_socket.socket", seconds: float) -> bool:
    """Whether the other side has let go within this time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        judge.settimeout(left)
        try:
            if not judge.recv(words.MOST_ANSWER):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def _end(judge: "_socket.socket") -> None:
    pid = peer(judge)[0]
    try:
        handle = os.pidfd_open(pid)
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123  # no pathlib in a hook
            is_judge = _MARK in file.read()
        if is_judge and os.stat(f"/proc/{pid}").st_uid == os.geteuid():  # noqa: PTH116  # no pathlib in a hook
            import signal

            signal.pidfd_send_signal(handle, _KILL)
        os.close(handle)
    except OSError:
        return
