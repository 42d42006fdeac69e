"""post-receive: rings the reconciler's bell and shows what follows. Nothing depends on it."""

import contextlib
import os

from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.handoff import Followed, read_followed
from gitops_hooks.edge.locks import let_go
from gitops_hooks.entry.environment import is_agent, read_hook


def main(protocol_in: int, protocol_out: int) -> bool:
    """Show the pusher how the environments fare that the push was about, for a stated time."""
    hook = read_hook(os.environ)
    if is_agent(os.environ):
        ensure_reconciler(hook.home)
        ring(hook.home)
        return True
    entry = load_server(hook.home).repository(hook.repository)
    push = read_followed(hook.home.state(entry.id) / "pushes" / hook.push) if entry else Followed()
    if entry is None or push == Followed():
        return True
    ensure_reconciler(hook.home)
    ring(hook.home)
    _stop_holding()
    # Most pushes begin nothing, and need not pay for opening the repository a third time.
    from gitops_hooks.entry.follow import follow_push

    return follow_push(hook.home, entry.name, push, int(os.environ.get("GITOPS_HOOKS_CLIENT", "2")))


def _stop_holding() -> None:
    """Whoever only follows keeps nobody from sweeping what another push left."""
    with contextlib.suppress(OSError, ValueError):
        let_go(int(os.environ.get("GITOPS_HOOKS_HOLD", "")))
