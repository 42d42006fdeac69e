"""The one way out of a box whose hosts are the machine that it stands on: to that machine, and to nowhere else.

Over SSH it is answered by `sshd -i`, started here for each connection, outside of the box, as the user who started the
box: nothing listens on any network for it. Every other port is one of this machine's own addresses.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from gitops_hooks.edge.door import connect, stand_around
from gitops_hooks.model.credentials import OWN_HOST

MODULE = "gitops_hooks.edge.own_door"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(words: Sequence[str]) -> int:
    """`SSHD_CONFIG COMMAND…`: the exit code of the command."""
    if os.geteuid() == 0:
        # What sshd shuts itself into; packages make it when their server starts, and here it need not run.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = Path(words[0])
    return stand_around(words[1:], lambda asked, address, port: _lead(config, asked, address, port))


def _lead(config: Path, asked: socket.socket, address: str, port: int) -> None:
    if address == OWN_HOST:
        _answer_over_ssh(config, asked)
        return
    place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][4][0]
    if not is_own(str(place)):
        raise OSError(0, f"{address} is not this machine, and nothing else is reached")
    connect(asked, str(place), port)


def _answer_over_ssh(config: Path, asked: socket.socket) -> None:
    program = shutil.which("sshd", path=_PATH)
    if program is None:
        raise OSError(0, "sshd is not installed; run: apt-get install openssh-server")
    ours, its = socket.socketpair()
    with ours, its:
        words = [program, "-i", "-f", str(config), "-E", str(config.with_name("sshd.log"))]
        end = its.fileno()
        started = subprocess.Popen(
            words, stdin=end, stdout=end, stderr=subprocess.DEVNULL, env={"PATH": _PATH}, cwd="/"
        )
        # It ends with the connection, and somebody has to take note of it.
        threading.Thread(target=started.wait, daemon=True).start()
        socket.send_fds(asked, [b"+"], [ours.fileno()])


def is_own(address: str) -> bool:
    """Whether it is an address of this machine: only such a one can be bound to."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))  # behind the import path (launch_box.own_program)
