"""How much one repository may hold."""

import os
from collections.abc import Iterator
from pathlib import Path

from gitops_hooks.edge.repository import Repository
from gitops_hooks.model.request import Refusal

_MIB = 1024 * 1024
# Object ids are spread evenly: one of the 256 folders of loose objects tells of all, as git itself guesses.
_SAMPLE, _FOLDERS = "17", 256


def over_size(repository: Repository) -> Refusal | None:
    """Whether what a push brings is more than the repository may hold; a push without objects always passes."""
    *quarantine, stored = repository.object_folders
    brought = sum(_size(path) for folder in quarantine for path in _below(folder))
    most = repository.limits.repository_size
    held = _stored(stored) if brought else 0
    if not brought or held + brought <= most:
        return None
    words = f"this push brings {_shown(brought)}, and the repository holds {_shown(held)} of at most {_shown(most)}"
    return Refusal("limits", words, "Ask the administrator to make room, or for a larger repository_size.")


def _stored(objects: Path) -> int:
    packs = sum(_size(path) for path in _entries(objects / "pack"))
    return packs + _FOLDERS * sum(_size(path) for path in _entries(objects / _SAMPLE))


def _below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _shown(size: int) -> str:
    return f"{size / _MIB:.1f} MiB" if size < 1024 * _MIB else f"{size / _MIB / 1024:.1f} GiB"
