"""What a tool is shown of the tree: all of it while it is small, else what the policy names."""

from collections.abc import Iterator

from gitops_hooks.plugin import Tree

_ENTRIES = 2000
_BYTES = 64 * 1024 * 1024
_FOLDER = 0o40000


def shown_paths(tree: Tree, folders: tuple[str, ...]) -> tuple[str, ...]:
    """The folders that the policy names; without any the whole tree, or () where it is too large for each push."""
    if folders:
        return tuple(folder for folder in folders if tree.entry(folder) is not None)
    count = size = 0
    for path in _walk(tree):
        count, size = count + 1, size + max(0, tree.size(path))
        if count > _ENTRIES or size > _BYTES:
            return ()
    return (".",)


def _walk(tree: Tree) -> Iterator[str]:
    waiting = [""]
    while waiting:
        place = waiting.pop()
        for entry in tree.list(place):
            path = f"{place}/{entry.name}".lstrip("/")
            if entry.mode == _FOLDER:
                waiting.append(path)
            yield path
