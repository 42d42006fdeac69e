"""The fork of a warm judge that may wait for the hook of another push: there is one at most, and it is of no push."""

from collections.abc import Collection
from pathlib import Path

from gitops_hooks.edge.living import Living


def without_waiting_fork(found: Collection[Living], warm: Collection[int]) -> list[Living]:
    """What runs beside warm judges (their process ids) and one such fork of theirs."""
    waiting = [each for each in found if each.parent in warm and _has_nothing_of_a_push(each.pid)]
    return [each for each in found if each.pid not in warm and each not in waiting[:1]]


def _has_nothing_of_a_push(pid: int) -> bool:
    """Whether it holds nothing but its parent's own three, and its line to it."""
    try:
        held = {int(each.name): str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    more = [held.pop(number) for number in list(held) if number > 2]
    return held.get(0) == "/dev/null" and held.get(1) == held.get(2) and [each[:8] for each in more] == ["socket:["]
