"""Who a program is to the kernel: what a fork of the warm judge must share with the hook that it judges for."""

import os
import resource
from socket import socket

from gitops_hooks.edge.warm_client import peer
from gitops_hooks.model.lazy_dataclass import dataclass

_RIGHTS = (
    *("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
    *("NoNewPrivs", "Seccomp", "Seccomp_filters"),
)
_SPACES = ("ipc", "mnt", "net", "pid", "user", "uts")
_LIMITS = tuple(sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")}))


@dataclass(frozen=True, slots=True)
class Standing:
    """`rights` are users, groups, capabilities, filters, namespaces and root; the rest is what a fork can take on."""

    rights: tuple[str, ...]
    umask: int
    limits: tuple[tuple[int, int, int], ...]


def standing(pid: int) -> Standing:
    """Of the program with this number. Errors: OSError where it is gone or is none of this user's; ValueError."""
    # No pathlib: the warm judge asks for each guest, while its forks live, and pays for every page that it touches.
    folder = f"/proc/{pid}"
    with open(f"{folder}/status", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        said = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    links = (*(f"ns/{name}" for name in _SPACES), "root")
    found = (os.readlink(f"{folder}/{link}") for link in links)  # noqa: PTH115
    rights = (*(said.get(name, "").strip() for name in _RIGHTS), *found)
    limits = tuple((which, *resource.prlimit(pid, which)) for which in _LIMITS)
    return Standing(rights, int(said["Umask"], 8), limits)


def standing_behind(conn: socket) -> Standing | None:
    """Of the program that connected; None where it is another user's, or gone."""
    pid, user = peer(conn)
    if user != os.geteuid():
        return None
    try:
        return standing(pid)
    except (OSError, ValueError, KeyError):
        return None


def take_on(standing: Standing) -> None:
    """Work under these limits, or under stricter ones where they cannot be had; and with this umask."""
    os.umask(standing.umask)
    for which, soft, hard in standing.limits:
        now = resource.getrlimit(which)
        if now == (soft, hard):
            continue
        most = hard if now[1] == resource.RLIM_INFINITY else now[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        least = most if soft == resource.RLIM_INFINITY else soft if most == resource.RLIM_INFINITY else min(soft, most)
        resource.setrlimit(which, (least, most))
