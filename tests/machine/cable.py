"""Links and addresses in the network that this is started in, by the kernel's own messages: `ip` is not everywhere.

cable.py pair PID | address LINK IPV4 | up LINK | down LINK
"""

import os
import socket
import struct
import sys

_NEW_LINK, _NEW_ADDRESS = 16, 20
_REQUEST, _ACKNOWLEDGED, _CREATE, _EXCLUSIVE = 1, 4, 0x400, 0x200
_NAME, _LINK_INFO, _OF_PROCESS = 3, 18, 19
_KIND, _ABOUT_KIND, _PEER = 1, 2, 1
_ADDRESS, _LOCAL = 1, 2
_IS_UP, _ERROR, _NAMED = 1, 2, b"cable\0"


def attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def link(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


def ask(kind: int, flags: int, content: bytes) -> None:
    """One request, and the kernel's word on it. Errors: OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        head = struct.pack("=IHHII", 16 + len(content), kind, _REQUEST | _ACKNOWLEDGED | flags, 1, 0)
        kernel.send(head + content)
        answer = kernel.recv(4096)
    told, code = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, 16)[0]
    if told == _ERROR and code:
        raise OSError(-code, os.strerror(-code))


def pair(pid: int) -> None:
    """A cable whose other end is in the network of that process."""
    other = link() + attribute(_NAME, _NAMED) + attribute(_OF_PROCESS, struct.pack("=I", pid))
    about = attribute(_KIND, b"veth\0") + attribute(_ABOUT_KIND, attribute(_PEER, other))
    ask(_NEW_LINK, _CREATE | _EXCLUSIVE, link() + attribute(_NAME, _NAMED) + attribute(_LINK_INFO, about))


def address(name: str, text: str) -> None:
    place = socket.inet_aton(text)
    head = struct.pack("=BBBBi", socket.AF_INET, 24, 0, 0, socket.if_nametoindex(name))
    ask(_NEW_ADDRESS, _CREATE | _EXCLUSIVE, head + attribute(_LOCAL, place) + attribute(_ADDRESS, place))


def turn(name: str, state: int) -> None:
    ask(_NEW_LINK, 0, link(socket.if_nametoindex(name), state, _IS_UP))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pair", pid]:
            pair(int(pid))
        case ["address", name, text]:
            address(name, text)
        case ["up", name]:
            turn(name, _IS_UP)
        case ["down", name]:
            turn(name, 0)
        case _:
            sys.exit(__doc__)
