"""The kernel calls that a confined child makes on itself, which Python does not offer.

Needs Linux 5.12 (mount_setattr). Every call raises OSError with the call's name as its file name.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

# linux/sched.h
NEW_MOUNTS = 0x00020000
NEW_NAMES = 0x04000000  # CLONE_NEWUTS: the host's name
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

# linux/mount.h, linux/fcntl.h
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
_MNT_DETACH = 0x2
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 1, 24, 28
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2

# linux/securebits.h
_SECBIT_NO_SETUID_FIXUP = 1 << 2

# linux/capability.h
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64

# asm/unistd.h: the same number on every architecture since Linux 5.12
_SYS_MOUNT_SETATTR = 442

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    """struct mount_attr."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def call(name: str, function: Callable[..., int], *arguments: object) -> int:
    """The answer of one C function. Errors: OSError with errno and the call's name."""
    ctypes.set_errno(0)
    answer = function(*arguments)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return answer


def system_call(name: str, number: int, *arguments: object) -> int:
    return call(name, _libc.syscall, ctypes.c_long(number), *arguments)


def unshare(flags: int) -> None:
    call("unshare", _libc.unshare, ctypes.c_int(flags))


def _mount(source: bytes, target: Path, kind: bytes, flags: int, options: bytes = b"") -> None:
    where = os.fsencode(target)
    call("mount", _libc.mount, source, where, kind, ctypes.c_ulong(flags), options or None)


def forget_mount_peers() -> None:
    """No mount of ours is seen outside, and none made outside is seen here."""
    _mount(b"none", Path("/"), b"", _MS_REC | _MS_PRIVATE)


def mount_memory(target: Path) -> None:
    """An empty folder in memory, for mount points only."""
    _mount(b"tmpfs", target, b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=0755,size=1m,nr_inodes=4096")


def bind(source: Path, target: Path) -> None:
    _mount(os.fsencode(source), target, b"", _MS_BIND | _MS_REC)


def make_read_only(target: Path) -> None:
    """Everything mounted at and below this path; the kernel keeps whatever else was locked on it."""
    wanted = _MountAttributes(attr_set=_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)
    system_call(
        "mount_setattr",
        _SYS_MOUNT_SETATTR,
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )


def pivot_root(new: Path, old: Path) -> None:
    call("pivot_root", _libc.pivot_root, os.fsencode(new), os.fsencode(old))


def detach(target: Path) -> None:
    call("umount2", _libc.umount2, os.fsencode(target), ctypes.c_int(_MNT_DETACH))


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    call("prctl", _libc.prctl, ctypes.c_int(option), *padded)


def die_with_parent(signal_number: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def forbid_new_privileges() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def filter_calls(rules: bytes) -> None:
    """Every system call from now on is asked of these rules, for this program and all that it starts."""
    wanted = _Filter(len(rules) // 8, rules)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(wanted))


def keep_capabilities_over_setuid() -> None:
    """Also for access(2), by which libgit2 looks for objects and which forgets the capabilities of other users."""
    _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)


def empty_bounding_set() -> None:
    """Nothing that is executed later can gain a capability; EINVAL marks the last one that this kernel knows."""
    for capability in range(_CAPABILITIES):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            return


def set_capabilities(kept: frozenset[int]) -> None:
    """Exactly these, permitted and effective; none is inherited. Errors: OSError where one was not held."""
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    bits = sum(1 << capability for capability in kept)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bits & 0xFFFFFFFF, bits & 0xFFFFFFFF, 0, bits >> 32, bits >> 32, 0)
    call("capset", _libc.capset, header, sets)
