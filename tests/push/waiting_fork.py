"""The forks of a warm judge that wait for another push, and who signs for them: they are of no push."""

from collections.abc import Collection
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.living import Living

_SOCKET = "socket:["


def without_waiting_forks(found: Collection[Living], warm: Collection[int]) -> list[Living]:
    """What runs beside warm judges (their process ids), their forks that wait, and the children that sign for those.

    Of those that were made to wait there is one at most.
    """
    forks = [each.pid for each in found if each.parent in warm]
    spare = [pid for pid in forks if _sockets_of(pid) == 1 and not children_of(pid)]
    free = [pid for pid in forks if is_free(pid)]
    signing = [child for pid in free for child in children_of(pid)]
    return [each for each in found if each.pid not in {*warm, *spare[:1], *free, *signing}]


def is_free(pid: int) -> bool:
    """Whether this fork is nowhere, and holds nothing but its lines to the warm judge and to who signs for it."""
    try:
        is_nowhere = (Path("/proc") / str(pid) / "cwd").readlink() == Path("/")
    except OSError:
        return False
    return is_nowhere and _sockets_of(pid) == 2 and all(map(_signs_or_has_ended, children_of(pid)))


def _signs_or_has_ended(pid: int) -> bool:
    """One that was killed is noticed when it is asked."""
    return living.look_at(pid) is None or (_sockets_of(pid) == 1 and not children_of(pid))


def _sockets_of(pid: int) -> int:
    """How many it has beside 0, 1 and 2; -1 where it has anything else, or where these lead to somebody."""
    try:
        held = {int(each.name): str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return -1
    more = [held.pop(number) for number in list(held) if number > 2]
    leads_nowhere = held.get(0) == "/dev/null" and held.get(1) == held.get(2)
    return len(more) if leads_nowhere and all(each.startswith(_SOCKET) for each in more) else -1


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
