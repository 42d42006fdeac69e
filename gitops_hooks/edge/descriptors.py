"""The descriptors of a fork: which it keeps, and where its own lie while it has those of a push."""

import fcntl
import os
import resource
from collections.abc import Iterable
from socket import socket

from gitops_hooks.core.warm_words import FIRST_OWN

_STANDARD = 3


def out_of_the_way(conn: socket) -> int:
    """The same connection, where no descriptor of a push comes to lie. Errors: OSError."""
    with conn:
        return fcntl.fcntl(conn, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN)


def close_others(kept: Iterable[int]) -> None:
    """All but 0, 1, 2 and these: whoever waits for the end of a pipe of a program's does not wait for its fork."""
    first = _STANDARD
    for number in sorted(kept):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
