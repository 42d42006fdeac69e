"""Unix sockets of ours: at paths of any length, for their own user alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socket import socket


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """A Unix socket's path has 108 bytes at most; through its folder's descriptor any path fits."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def bind_alone(listener: "socket", path: Path) -> None:
    """Bind it there in place of what was left there, 0600. Errors: OSError; the listener is closed then."""
    try:
        with short_address(path) as address:
            path.unlink(missing_ok=True)
            listener.bind(address)
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
