"""A connection from a box without network, by the door that stands around it; also the program that ssh asks for one.

Started by ssh before each connection, so nothing is imported but what that takes.
"""

import socket
import sys

_MOST = 1024


class NoWay(OSError):
    """The door does not lead there, or nobody answers; `strerror` says why."""


def go_out(door: str, address: str, port: int, seconds: float) -> socket.socket:
    """The connected socket. Errors: OSError, NoWay with the door's words."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(seconds)
        asking.connect(door)
        asking.sendall(f"{address} {port}\n".encode())
        said, found, _, _ = socket.recv_fds(asking, _MOST, 1)
    if said[:1] != b"+" or len(found) != 1:
        raise NoWay(0, said[1:].decode("utf-8", "replace") or "the door is shut")
    return socket.socket(fileno=found[0])


def main(door: str, address: str, port: str, seconds: str) -> int:
    """Hand the descriptor to ssh (ProxyUseFdpass), whose end of a socket is our standard output."""
    try:
        with go_out(door, address, int(port), float(seconds)) as found, socket.socket(fileno=1) as ssh:
            socket.send_fds(ssh, [b"\0"], [found.fileno()])
            ssh.detach()
    except OSError as error:
        print(f"gitops-hooks: {address}:{port}: {error.strerror or 'no answer in time'}", file=sys.stderr)
        return 255
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
