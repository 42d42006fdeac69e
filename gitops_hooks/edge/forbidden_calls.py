"""The system calls that nothing confined may make: those that would give it a user namespace, with all rights in there.

Those rights open parts of the kernel (mounts, netfilter) to whoever has taken a parser or a tool over. bubblewrap's own
--disable-userns needs a user namespace around the tool, which root's tools have none of. The rules are a program for
the kernel's filter (linux/filter.h, linux/seccomp.h).
"""

import os
import struct

from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST = 0, 4, 16  # where struct seccomp_data has them; the first argument's low half, little-endian
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_NEW_USER = 0x10000000  # CLONE_NEWUSER of clone and unshare
_CLONE3 = 435  # its flags lie in memory, which a filter cannot read: programs go on to clone where there is none
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class _Machine:
    """AUDIT_ARCH and the numbers of three calls."""

    arch: int
    clone: int
    unshare: int
    setns: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 56, 272, 308),
    "aarch64": _Machine(0xC00000B7, 220, 97, 268),
}


def rules(machine: str = os.uname().machine) -> bytes:
    """The filter for this machine. Errors: EdgeError on one whose calls are not known here."""
    known = _MACHINES.get(machine)
    if known is None:
        raise EdgeError("sandbox", f"nothing is run on {machine}: its system calls are not known to this release")
    return b"".join(struct.pack("=HBBI", *line) for line in _lines(known))


def _lines(known: _Machine) -> tuple[tuple[int, int, int, int], ...]:
    """Each line: what it does, lines to skip where it is true, where it is false, and its number."""
    return (
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 0, 10, known.arch),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 8, 0, _X32),
        (_EQUAL, 7, 0, _CLONE3),
        (_EQUAL, 5, 0, known.setns),
        (_EQUAL, 1, 0, known.clone),
        (_EQUAL, 0, 2, known.unshare),
        (_LOAD, 0, 0, _FIRST),
        (_ANY_BIT, 1, 0, _NEW_USER),
        (_ANSWER, 0, 0, _ALLOW),
        (_ANSWER, 0, 0, _ERRNO | _EPERM),
        (_ANSWER, 0, 0, _ERRNO | _ENOSYS),
    )
