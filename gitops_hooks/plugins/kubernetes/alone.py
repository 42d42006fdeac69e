"""Becomes another program that has no network and does not see some folders; started as a program of its own.

Not by bubblewrap: inside of the deployment's box root has no right to map itself into a further namespace, which
bubblewrap asks for. What is asked for here needs no mapping, and every right that it gives ends with the exec.
"""

import ctypes
import os
import sys
from typing import NoReturn

_ALONE = 0x00020000 | 0x10000000 | 0x40000000  # CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET
_BIND = 0x1000  # MS_BIND
FAILED = 70
SAID = "alone: "


def become(empty: str, hidden: str, program: list[str]) -> NoReturn:
    """`hidden` are folders with colons between, each shown as the folder `empty`. Ends with 70 where that fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_ALONE):
        _fail("namespaces")
    for folder in filter(None, hidden.split(":")):
        if libc.mount(os.fsencode(empty), os.fsencode(folder), None, _BIND, None):
            _fail(folder)
    os.execv(program[0], program)  # noqa: S606  # no shell: that is meant


def _fail(what: str) -> NoReturn:
    print(f"{SAID}{what}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    sys.exit(FAILED)


if __name__ == "__main__":
    become(sys.argv[1], sys.argv[2], sys.argv[3:])
