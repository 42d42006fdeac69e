"""Maintenance lets go of a repository also when it was removed meanwhile."""

import time

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import remove_repository
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.entry.reconcile import open_reconciler
from tests.world import REPOSITORY, World


def test_a_repository_that_is_removed_while_it_is_maintained_is_let_go(world: World) -> None:
    entry = load_server(world.home).repository(REPOSITORY)
    assert entry is not None
    lock = world.home.state(entry.id) / "use.lock"
    reconciler = open_reconciler(world.home)
    try:
        reconciler.look()
        assert try_lock(lock) is None
        remove_repository(world.home, REPOSITORY)
        deadline = time.monotonic() + 30
        while try_lock(lock) is None:
            assert time.monotonic() < deadline
            reconciler.look()
            time.sleep(0.05)
    finally:
        reconciler.close()
