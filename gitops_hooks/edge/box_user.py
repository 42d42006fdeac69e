"""Who works in a box where the server is root: for each box a number that is nobody's, and no other box's.

The kernel counts programs by user (RLIMIT_NPROC), and in boxes without a user namespace of their own over all of them:
with one user for all, what a check starts without end would leave none for the checks beside it.
"""

import os
import secrets
from pathlib import Path

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.model.lazy_dataclass import dataclass

NOBODY = 65534

# Above what systemd and container engines give to anybody; one in four millions is taken by chance.
_FIRST, _COUNT = 0x7000_0000, 0x40_0000


@dataclass(frozen=True, slots=True)
class BoxUser:
    """The numbers of a user and its group."""

    user: int
    group: int


def choose_box_user() -> BoxUser:
    """For root a user of its own, or nobody where this machine's user namespace has no such numbers; else oneself."""
    if os.geteuid() != 0:
        return BoxUser(os.geteuid(), os.getegid())
    number = _FIRST + secrets.randbelow(_COUNT) if _are_mapped() else NOBODY
    return BoxUser(number, number)


def mapped_numbers(name: str) -> list[tuple[int, int]]:
    """First number and count of each range in `uid_map` or `gid_map`, as this program sees them. Errors: OSError."""
    lines = (Path("/proc/self") / name).read_text(encoding="ascii").splitlines()
    return [(int(inside), int(count)) for inside, _, count in map(str.split, lines)]


def become(who: BoxUser) -> bool:
    """Be this user from now on, with the capabilities that are held; False where that is not to be had."""
    try:
        kernel.keep_capabilities_over_setuid()
        os.setgroups([])
        os.setresgid(who.group, who.group, who.group)
        os.setresuid(who.user, who.user, who.user)
    except OSError:
        return False
    return True


def _are_mapped() -> bool:
    try:
        maps = [mapped_numbers(name) for name in ("uid_map", "gid_map")]
    except OSError:
        return False
    return all(any(first <= _FIRST and first + count >= _FIRST + _COUNT for first, count in one) for one in maps)
