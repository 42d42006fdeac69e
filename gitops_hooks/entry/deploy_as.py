"""The one program that the server's user may run as the deployment user: it makes one deployment's box.

`install.sh server` lays a script of root's that starts it, and sudo allows that script by its path. The caller says a
run id and which of the laid credentials are meant; the box and what runs in it come from this release alone, so
whoever gets hold of the server's user still cannot read a credential.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from gitops_hooks.edge.launch_box import SYSTEM_PATH, own_box, own_probe
from gitops_hooks.model.deployment import Credentials
from gitops_hooks.model.errors import EdgeError

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_WORDS = ("--run-id", "--key", "--known-hosts", "--vault-password")
_UNREADABLE = "cannot be read by the deployment user"


def main(words: Sequence[str], folder: Path) -> NoReturn:
    """Become the box; `folder` is root's and holds every credential. Ends with 2 where the words are not right."""
    try:
        if words[:1] == ["--check"]:
            check(words[1:], folder)
            sys.exit(0)
        command = parse_words(words, folder)
    except EdgeError as error:
        print(f"deploy: {error}", file=sys.stderr)
        sys.exit(2)
    os.execve(command[0], command, {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"})  # noqa: S606  # no shell: that is meant


def check(words: Sequence[str], folder: Path) -> None:
    """Whether one credential is laid and readable. Errors: EdgeError, which says why not."""
    if len(words) != 1:
        raise EdgeError("words", "--check takes one credential")
    try:
        with _credential(folder, words[0]).open("rb"):
            return
    except OSError as error:
        raise EdgeError(words[0], f"{_UNREADABLE}: {error.strerror}") from None


def parse_words(words: Sequence[str], folder: Path) -> list[str]:
    """The command of the box. Errors: EdgeError where a word is unknown or a path leaves the folder."""
    if list(words) == ["--probe"]:
        return own_probe()
    given = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) != 2 * len(given) or not set(_WORDS[:3]) <= set(given) <= set(_WORDS):
        raise EdgeError("words", f"{' '.join(_WORDS[:3])} are needed once each, and {_WORDS[3]} may follow")
    if not _RUN_ID.fullmatch(given["--run-id"]):
        raise EdgeError("run id", "letters, digits and dashes only")
    key, known_hosts = (_credential(folder, given[word]) for word in _WORDS[1:3])
    vault = given.get(_WORDS[3])
    return own_box(given["--run-id"], Credentials((), key, known_hosts, _credential(folder, vault) if vault else None))


def _credential(folder: Path, name: str) -> Path:
    path = Path(name)
    try:
        found = path.resolve(strict=True)
    except OSError as error:
        raise EdgeError(name, f"{_UNREADABLE}: {error.strerror}") from None
    if not path.is_absolute() or not found.is_relative_to(folder.resolve()) or not found.is_file():
        raise EdgeError(name, f"credentials lie below {folder}; move it there and name it so in server.toml")
    return found
