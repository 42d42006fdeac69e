"""Landlock, for machines without namespaces for us: nothing is written, nothing else is read, no TCP.

Weaker than namespaces, and said so: names, sizes and modes of other files can be seen, UDP and Unix sockets
stay open, and before Linux 6.12 other programs of the same user can be sent signals.
"""

import ctypes
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from gitops_hooks.edge import sandbox_kernel as kernel

# asm/unistd.h: the same numbers on every architecture
_SYS_CREATE_RULESET, _SYS_ADD_RULE, _SYS_RESTRICT_SELF = 444, 445, 446

# linux/landlock.h
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS = {4: (1 << 15) - 1, 5: (1 << 16) - 1}  # from ABI 5 on: also ioctl on devices
_BIND_AND_CONNECT_TCP = 0b11  # ABI 4
_SCOPES = 0b11  # ABI 6: abstract Unix sockets and signals stay inside

LEAST_ABI = 4


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    try:
        return kernel.system_call(
            "landlock_create_ruleset",
            _SYS_CREATE_RULESET,
            None,
            ctypes.c_size_t(0),
            ctypes.c_uint(_CREATE_RULESET_VERSION),
        )
    except OSError:
        return 0


def restrict_self(visible: Sequence[Path]) -> None:
    """From here on only these paths can be opened, for reading. Errors: OSError; needs no_new_privs."""
    version = abi()
    if version < LEAST_ABI:
        raise OSError(0, f"Landlock ABI {version}, at least {LEAST_ABI} is needed", "landlock")
    rights = _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]
    ruleset = _Ruleset(rights, _BIND_AND_CONNECT_TCP, _SCOPES if version >= 6 else 0)
    size = ctypes.sizeof(ruleset) if version >= 6 else ctypes.sizeof(ruleset) - ctypes.sizeof(ctypes.c_uint64)
    handle = kernel.system_call(
        "landlock_create_ruleset", _SYS_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint(0)
    )
    for path in visible:
        _allow(handle, path)
    kernel.system_call("landlock_restrict_self", _SYS_RESTRICT_SELF, ctypes.c_int(handle), ctypes.c_uint(0))
    os.close(handle)


def _allow(handle: int, path: Path) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rights = _EXECUTE | _READ_FILE | (_READ_DIR if stat.S_ISDIR(os.fstat(opened).st_mode) else 0)
    rule = _Beneath(rights, opened)
    kernel.system_call(
        "landlock_add_rule",
        _SYS_ADD_RULE,
        ctypes.c_int(handle),
        ctypes.c_int(_RULE_PATH_BENEATH),
        ctypes.byref(rule),
        ctypes.c_uint(0),
    )
    os.close(opened)
