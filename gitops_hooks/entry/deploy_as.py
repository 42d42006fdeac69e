"""The one program that the server's user may run as the deployment user: it makes one deployment's box.

`install.sh server` lays a script of root's that starts it, and sudo allows that script by its path. The caller says a
run id and which of the laid credentials are meant; the box and the programs in it come from this release alone, so
whoever gets hold of the server's user still cannot open a credential's file. What is deployed is that user's to say,
and may use what the box is given.
"""

import dataclasses
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from gitops_hooks.edge.launch_box import SYSTEM_PATH, own_box, own_probe
from gitops_hooks.model.credentials import CREDENTIAL_FILES, Credentials
from gitops_hooks.model.errors import EdgeError

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_FILES = {f"--{name.replace('_', '-')}": name for name in CREDENTIAL_FILES}
_WORDS = ("--run-id", *_FILES, "--state-folder", "--network", "--door", "--tool-folders")
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
        if Path(words[0]).is_dir():
            _state(folder, words[0])
            return
        with _credential(folder, words[0]).open("rb"):
            return
    except OSError as error:
        raise EdgeError(words[0], f"{_UNREADABLE}: {error.strerror}") from None


def parse_words(words: Sequence[str], folder: Path) -> list[str]:
    """The command of the box. Errors: EdgeError where a word is unknown or a path leaves the folder."""
    if list(words) == ["--probe"]:
        return own_probe()
    given = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) != 2 * len(given) or not {"--run-id"} <= set(given) <= set(_WORDS):
        raise EdgeError("words", f"--run-id is needed, and of {' '.join(_WORDS[1:])} each may follow once")
    if not _RUN_ID.fullmatch(given["--run-id"]):
        raise EdgeError("run id", "letters, digits and dashes only")
    if given.get("--network", "no") != "no":
        raise EdgeError("--network", "can only be no")
    if given.get("--door", "yes") != "yes":
        raise EdgeError("--door", "can only be yes")
    files = {name: _credential(folder, given[word]) for word, name in _FILES.items() if word in given}
    state = given.get("--state-folder")
    granted = Credentials.of(files, (), _state(folder, state) if state else None, "--network" not in given)
    tools = _tool_folders(given.get("--tool-folders", ""))
    return own_box(given["--run-id"], dataclasses.replace(granted, tools=tools, door="--door" in given))


def _state(folder: Path, name: str) -> Path:
    """It holds secrets like every credential, so it lies among them; and it is this user's own."""
    found = _below(folder, name)
    if not found.is_dir() or found.stat().st_uid != os.geteuid():
        raise EdgeError(name, "a state_folder belongs to the deployment user; make it with: install -d -m 0700 -o USER")
    return found


def _tool_folders(names: str) -> tuple[Path, ...]:
    """Root's alone: what is started from there has the credentials, and must not be the caller's."""
    found = tuple(Path(name) for name in names.split(os.pathsep) if name)
    for path in found:
        if not path.is_absolute() or not path.is_dir() or path.stat().st_uid != 0 or path.stat().st_mode & 0o022:
            raise EdgeError(str(path), "a folder of tools for deployments is root's, and nobody else writes to it")
    return found


def _credential(folder: Path, name: str) -> Path:
    found = _below(folder, name)
    if not found.is_file():
        raise EdgeError(name, f"credentials lie below {folder}; move it there and name it so in server.toml")
    return found


def _below(folder: Path, name: str) -> Path:
    path = Path(name)
    try:
        found = path.resolve(strict=True)
    except OSError as error:
        raise EdgeError(name, f"{_UNREADABLE}: {error.strerror}") from None
    if not path.is_absolute() or not found.is_relative_to(folder.resolve()):
        raise EdgeError(name, f"credentials lie below {folder}; move it there and name it so in server.toml")
    return found
