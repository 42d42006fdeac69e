"""The one way out of a box without network: connections to what a file of known hosts pins, and to nothing else.

It stands around the box: it starts bubblewrap as its own child, with a socket of its own inside, and ends as that
does. Who asks there says a name and a port, and is handed the connected descriptor; what is said over it is not ours.
"""

import contextlib
import ctypes
import hashlib
import hmac
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path

MODULE = "gitops_hooks.edge.door"
PLACE = Path("/run/door")
SOCKET = PLACE / "socket"
FOLDER = "@door"

_PREFIX = "gitops-door-"
_SECONDS = 30.0
_MOST_ASKED = 1024
_AT_ONCE = 64
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG

Lead = Callable[[socket.socket, str, int], None]
"""Hands the way to an address and port to who asked for it. Errors: OSError where there is none."""


def main(words: Sequence[str]) -> int:
    """`KNOWN_HOSTS COMMAND…`: the exit code of the command, in which FOLDER stands for the door's own folder."""
    known_hosts = Path(words[0])
    return stand_around(words[1:], lambda asked, address, port: _lead(known_hosts, asked, address, port))


def stand_around(command: Sequence[str], lead: Lead) -> int:
    """Run the command, and answer whoever asks in it, until it has ended."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    sweep(Path(tempfile.gettempdir()))
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    try:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/new")
        listener.listen(_AT_ONCE)
        # It has its name when it answers: until then it looks like that of a door that was killed.
        Path(folder, "new").rename(Path(folder, "socket"))
        keeper = threading.Thread(target=_keep, args=(listener, lead), daemon=True)
        keeper.start()
        return _box([folder if word == FOLDER else word for word in command])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _box(command: Sequence[str]) -> int:
    """The box dies with this program (`--die-with-parent`), whose main thread starts it."""
    box = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: box.kill())
    code = box.wait()
    return 128 - code if code < 0 else code


def sweep(place: Path) -> None:
    """Folders of doors that were killed: nobody listens there any more."""
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
            if folder.stat().st_uid != os.geteuid():
                continue
            # One whose queue is full, as what is in its box may see to, stands all the same.
            asking.setblocking(False)
            try:
                asking.connect(str(folder / "socket"))
            except ConnectionRefusedError:
                shutil.rmtree(folder, ignore_errors=True)


def _keep(listener: socket.socket, lead: Lead) -> None:
    places = threading.BoundedSemaphore(_AT_ONCE)
    while True:
        asked, _ = listener.accept()
        places.acquire()
        threading.Thread(target=_answer, args=(asked, lead, places), daemon=True).start()


def _answer(asked: socket.socket, lead: Lead, places: threading.BoundedSemaphore) -> None:
    with asked, contextlib.suppress(OSError):
        try:
            asked.settimeout(_SECONDS)
            lead(asked, *_read(asked))
        except ValueError:
            asked.sendall(b"-asked for no name and port")
        except OSError as error:
            asked.sendall(f"-{error.strerror or 'no answer in time'}".encode())
        finally:
            places.release()


def _lead(known_hosts: Path, asked: socket.socket, address: str, port: int) -> None:
    if not is_pinned(known_hosts.read_text(encoding="utf-8", errors="replace"), address, port):
        raise OSError(0, f"no key of {address}:{port} is pinned, and nothing else is reached")
    connect(asked, address, port)


def connect(asked: socket.socket, address: str, port: int) -> None:
    """Hand over a connection to this place. Errors: OSError."""
    with socket.create_connection((address, port), _SECONDS) as found:
        found.setblocking(True)
        socket.send_fds(asked, [b"+"], [found.fileno()])


def _read(asked: socket.socket) -> tuple[str, int]:
    """Errors: ValueError for anything but `NAME PORT` on one line."""
    said = b""
    while not said.endswith(b"\n") and len(said) < _MOST_ASKED:
        part = asked.recv(_MOST_ASKED)
        if not part:
            break
        said += part
    address, port = said.decode("ascii").removesuffix("\n").split(" ")
    if not port.isdecimal() or not 0 < int(port) < 65536 or not address.isprintable():
        raise ValueError(port)
    return address, int(port)


def is_pinned(text: str, address: str, port: int) -> bool:
    """Whether some line has a key for exactly this place, written plainly or hashed; patterns pin nobody."""
    wanted = (address if port == 22 else f"[{address}]:{port}").lower()
    for line in text.splitlines():
        names = line.split(" ", 1)[0]
        if not names.startswith(("#", "@")) and any(_is(wanted, name) for name in names.split(",")):
            return True
    return False


def _is(wanted: str, name: str) -> bool:
    if not name.startswith("|1|"):
        return name.lower() == wanted
    try:
        salt, digest = (b64decode(part, validate=True) for part in name[3:].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, wanted.encode(), hashlib.sha1).digest(), digest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))  # behind the import path (launch_box.own_program)
