"""What a killed git leaves in a repository: lock files that block every later push, and dead quarantine folders."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

_LOCKS = ("HEAD.lock", "packed-refs.lock", "packed-refs.new", "config.lock", "shallow.lock")
_QUARANTINES = ("incoming-", "tmp_objdir-")
_KEPT_BY_PUSH = b"receive-pack "


def sweep(repository: Path) -> tuple[str, ...]:
    """Remove it all; answers what was removed, relative to the repository.

    Only for whoever holds the repository's use.lock exclusively: then none of it can be in use.
    """
    return tuple(str(path.relative_to(repository)) for path in _leftovers(repository) if _remove(path))


def _leftovers(repository: Path) -> Iterator[Path]:
    yield from (repository / name for name in _LOCKS)
    for folder, _, names in os.walk(repository / "refs"):
        # A ref may not end in .lock (git check-ref-format), so none is taken for one.
        yield from (Path(folder, name) for name in names if name.endswith(".lock"))
    for entry in _entries(repository / "objects"):
        if entry.name.startswith(_QUARANTINES) and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
    for entry in _entries(repository / "objects" / "pack"):
        if entry.name.startswith(("tmp_", ".tmp-")) or _keeps_for_a_push(Path(entry.path)):
            yield Path(entry.path)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _keeps_for_a_push(path: Path) -> bool:
    """A push that was killed leaves its pack marked as to be kept, and it would never be packed again."""
    if path.suffix != ".keep":
        return False
    try:
        with path.open("rb") as keep:
            return keep.read(len(_KEPT_BY_PUSH)) == _KEPT_BY_PUSH
    except OSError:
        return False


def _remove(path: Path) -> bool:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        return False
    return True
