"""The files of a tree that globs name, found by opening only the folders below each glob's plain beginning."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import EdgeError, Tree, matches_any

_FILES = (0o100644, 0o100755)
_FOLDER = 0o40000
_DEEPEST = 20
_MOST_FILES = 5_000
_MOST_BYTES = 32 * 1024 * 1024


def paths_named(tree: Tree, globs: Iterable[str], check: str) -> list[str]:
    """In order. Errors: EdgeError where there is more than is read."""
    found: set[str] = set()
    for glob in globs:
        parts = glob.split("/")
        plain = next((at for at, part in enumerate(parts) if "*" in part or "?" in part), len(parts))
        start = "/".join(parts[:plain])
        entry = tree.entry(start) if start else None
        if entry is not None and entry.mode in _FILES:
            found.add(start)
        elif not start or (entry is not None and entry.mode == _FOLDER):
            found.update(path for path in _below(tree, start, 0) if matches_any((glob,), path))
    if len(found) > _MOST_FILES or sum(tree.size(path) for path in found) > _MOST_BYTES:
        limit = f"more than {_MOST_FILES} files or {_MOST_BYTES >> 20} MiB"
        raise EdgeError("paths", f"they name {limit}; narrow them in the policy (checks: {check}: paths)")
    return sorted(found)


def _below(tree: Tree, folder: str, depth: int) -> Iterator[str]:
    for entry in tree.list(folder) if depth < _DEEPEST else ():
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.mode == _FOLDER:
            yield from _below(tree, path, depth + 1)
        elif entry.mode in _FILES:
            yield path
