"""A fork of the warm judge that decides a login in the forced command's place, and starts nothing itself."""

import os
from socket import send_fds, socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.entry.shell import decide

_HOME, _ACTOR, _KEY = "GITOPS_HOOKS_HOME", "GITOPS_HOOKS_ACTOR", "GITOPS_HOOKS_KEY"


def answer_login(nonce: bytes, writer: int) -> bool:
    """Say what becomes of the login that the environment tells of; nothing where that is not a fork's to say.

    Answers whether it is a push, which hooks will be asked for.
    """
    environ = dict(os.environb)
    if not words.is_git(environ.get(b"SSH_ORIGINAL_COMMAND", b"")):
        return False
    home, user, key = (os.environ[name] for name in (_HOME, _ACTOR, _KEY))
    found = decide(home, user, key, environ)
    conn = socket(fileno=writer)
    try:
        if isinstance(found, int):
            conn.sendall(words.write_code(nonce, found))
            return False
        said = words.write_start(nonce, found.argv, found.environ, found.seconds, found.folder)
        # The holds of a push come with its first byte: whoever has heard the whole has them.
        sent = send_fds(conn, [said], list(found.descriptors)) if found.descriptors else 0
        conn.sendall(said[sent:])
    finally:
        conn.detach()
    # A push is alive as long as somebody holds these: that is its login's, and git's.
    for hold in found.descriptors:
        os.close(hold)
    return bool(found.folder)
