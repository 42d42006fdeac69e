"""How the reconciler is started, once: what only asks loads nothing of what deploys."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gitops_hooks.edge.bell import ensure_reconciler, note_holder, reconcile_lock
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.entry.reconcile_words import parse_words


def main(argv: Sequence[str]) -> int:
    """0 when everything is as desired (or the process was asked to end), 1 when something is not, 2 for wrong use."""
    words = parse_words(argv)
    home = Home(Path(words.home).absolute())
    if words.ensure:
        ensure_reconciler(home)
        return 0
    if words.stop:
        from gitops_hooks.edge.warm_place import stop_programs

        return 0 if stop_programs(home) else 1
    if words.tell:
        return _tell(home)
    # Whoever started it may have taken the lock for it already: then no second one is on its way.
    lock = _take_lock(home) if words.lock is None else words.lock
    from gitops_hooks.entry.reconcile import reconcile, say

    if lock is None:
        say("another reconciler is at work here; end it first: gitops-hooks reconcile --stop")
        return 1 if words.once else 0
    return reconcile(home, lock, once=words.once)


def _take_lock(home: Home) -> int | None:
    if (lock := try_lock(reconcile_lock(home))) is not None:
        note_holder(home, os.getpid())
    return lock


def _tell(home: Home) -> int:
    from gitops_hooks.entry.telling import tell_all

    due = tell_all(home)
    print("" if due is None else f"{due:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
