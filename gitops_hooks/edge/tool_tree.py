"""Files of a tree, written from objects into a folder for a tool to read: no checkout, no filters, nothing outside."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from gitops_hooks.hookspec import Entry, Tree
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits

_FOLDER, _SYMLINK, _PROGRAM = 0o40000, 0o120000, 0o100755
_FILES = (0o100644, 0o100664, _PROGRAM)
_DEPTH = 100
WHOLE = "."


def write_tree(tree: Tree, paths: Sequence[str], folder: Path, limits: Limits) -> None:
    """Write these paths, a folder with all below it, "." for everything; what is not there is left out.

    Submodules are left out, and so are symlinks that lead out of the tree. Errors: EdgeError over a limit.
    """
    folder.mkdir(mode=0o755)
    left, count = limits.tool_tree, 0
    links: list[tuple[Path, str]] = []
    made: set[str] = set()
    for path, entry in _wanted(tree, paths):
        count += 1
        size = 0 if entry.mode == _FOLDER else tree.size(path)
        left -= max(size, 0)
        if left < 0 or count > limits.tool_files:
            bounds = f"{limits.tool_tree} bytes or {limits.tool_files} files"
            raise EdgeError("the tree for a tool", f"is over {bounds}; raise tool_tree or tool_files in server.toml")
        if path in made:
            continue
        made.add(path)
        _write(tree, path, entry, folder, links)
    # Last, so that no file is ever written through one.
    for place, target in links:
        _link(place, target)


def _wanted(tree: Tree, paths: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    """Each path with its entry, parents before what is in them."""
    for path in dict.fromkeys(paths):
        if path == WHOLE:
            yield from _below(tree, "", 0)
            continue
        parts = path.split("/")
        if any(_is_strange(part) for part in parts):
            raise EdgeError(path, "is no path of a tree")
        entry = tree.entry(path)
        if entry is not None:
            yield path, entry
            if entry.mode == _FOLDER:
                yield from _below(tree, path, len(parts))


def _below(tree: Tree, folder: str, depth: int) -> Iterator[tuple[str, Entry]]:
    if depth > _DEPTH:
        raise EdgeError(folder, f"folders are nested deeper than {_DEPTH}")
    for entry in tree.list(folder):
        if _is_strange(entry.name):
            continue
        path = f"{folder}/{entry.name}" if folder else entry.name
        yield path, entry
        if entry.mode == _FOLDER:
            yield from _below(tree, path, depth + 1)


def _is_strange(name: str) -> bool:
    """No name of a file: git's own checks refuse these, and not every tree has been through them."""
    return name in ("", ".", "..") or "/" in name or "\0" in name or name.lower() == ".git"


def _write(tree: Tree, path: str, entry: Entry, folder: Path, links: list[tuple[Path, str]]) -> None:
    place = folder / path
    try:
        if entry.mode == _FOLDER:
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif entry.mode in _FILES:
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            _write_file(place, tree.read(path), entry.mode)
        elif entry.mode == _SYMLINK:
            target = tree.read(path).decode("utf-8", "surrogateescape")
            if _stays_inside(path, target):
                place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                links.append((place, target))
    except OSError as error:
        raise EdgeError(path, f"cannot be written for a tool: {error.strerror}") from None


def _write_file(place: Path, content: bytes, mode: int) -> None:
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    # Readable whatever the umask is: as root, the tool is somebody else.
    place.chmod(0o755 if mode == _PROGRAM else 0o644)


def _link(place: Path, target: str) -> None:
    try:
        place.symlink_to(target)
    except OSError as error:
        raise EdgeError(place.name, f"cannot be written for a tool: {error.strerror}") from None


def _stays_inside(path: str, target: str) -> bool:
    depth = len(PurePosixPath(path).parent.parts)
    if target.startswith("/") or not target or "\0" in target:
        return False
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return False
    return True


def write_given(given: Sequence[tuple[str, bytes]], folder: Path) -> None:
    """Further files that a check gives; their names are paths below the folder. Errors: EdgeError."""
    folder.mkdir(mode=0o755)
    for name, content in given:
        if any(_is_strange(part) for part in name.split("/")):
            raise EdgeError(name, "is no name of a file that can be given to a tool")
        place = folder / name
        try:
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            _write_file(place, content, 0o100644)
        except OSError as error:
            raise EdgeError(name, f"cannot be given to a tool: {error.strerror}") from None
