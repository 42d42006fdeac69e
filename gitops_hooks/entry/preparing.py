"""What a spare fork of the warm judge does before it knows its hook: read what most judges of this push will read.

Nothing that is read here decides anything: the judge reads all of it anew, but for the sign of its code, which is good
for a moment. But a fork copies each page of its parent's that it touches first, and what was read was touched.
"""

from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.sandbox_root import view_of, visible_paths
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.entry.sitting import policy_at


def prepare(home: Home, name: str) -> None:
    """`name` is what the push calls its repository. Errors: whatever is wrong with the files, which is no matter here.

    It is done in a fork that has no push, and no way to anybody: nothing is told, and nothing is written.
    """
    server = load_server(home)
    entry = server.repository(name)
    if entry is None:
        return
    load_people(home)
    load_signer(home.signing_key)
    repository = open_repository(entry.path, server.limits, server.git)
    view_of(visible_paths(repository.object_folders))
    try:
        policy_at(repository, str(repository.git2.head.target))
    finally:
        repository.git2.free()  # it may wait for long, and what is purged meanwhile must be gone
    # Last, since it is good for a moment only.
    code_sign(server.plugins.modules)
