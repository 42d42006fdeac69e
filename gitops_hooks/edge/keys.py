"""SSH keys: made by ssh-keygen, named by their fingerprints."""

import base64
import binascii
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from gitops_hooks.edge.store import sync
from gitops_hooks.model.errors import EdgeError

_SECONDS = 20.0


def make_key(path: Path, comment: str) -> str:
    """Make an ed25519 key without a passphrase at `path` (and `path`.pub); answers its public text.

    Whole or not at all: who is killed meanwhile, or meets a full disk, leaves nothing at the path. What that one left
    beside it is taken away, so nobody else may be making it.

    Errors: EdgeError where ssh-keygen is missing, fails, or something lies at the path already; OSError.
    """
    taken = EdgeError(str(path), "there is a file already; a key is never overwritten")
    if path.exists():
        raise taken
    # In a folder of its own, since ssh-keygen writes one half after the other, and in place.
    mark = f".{path.name}.new-"
    for left in path.parent.glob(f"{mark}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=mark, dir=path.parent) as beside:
        made = Path(beside) / path.name
        _generate(made, comment)
        for half in (public_half(made), made):
            sync(half)
        public_half(made).replace(public_half(path))
        try:
            path.hardlink_to(made)  # last, and never over another
        except FileExistsError:
            raise taken from None
    sync(path.parent)
    return public_half(path).read_text().strip()


def _generate(path: Path, comment: str) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS)
    except FileNotFoundError:
        raise EdgeError("ssh-keygen", "not installed; run: apt-get install openssh-client") from None
    except subprocess.TimeoutExpired:
        raise EdgeError("ssh-keygen", f"no answer within {_SECONDS:.0f} s") from None
    if done.returncode:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise EdgeError("ssh-keygen", f"failed: {words}")


def public_half(path: Path) -> Path:
    """Where ssh-keygen lays it."""
    return path.with_name(path.name + ".pub")


def fingerprint(public_text: str) -> str:
    """`SHA256:…` of one public key (`type base64 [comment]`), as ssh-keygen -l prints it.

    Errors: EdgeError where the text is no public key.
    """
    words = public_text.split()
    if len(words) < 2:
        raise EdgeError("public key", "not of the form 'type base64'")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        raise EdgeError("public key", "its second word is not base64") from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
