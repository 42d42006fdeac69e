"""The whole tree once more, right before it runs: what would run on the controller itself is refused."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.plugin import Severity, matches_any
from gitops_hooks.plugins.ansible.controller import controller_findings

_FILE, _PROGRAM, _SYMLINK = 0o100644, 0o100755, 0o120000
_VAULT = b"$ANSIBLE_VAULT;"
_TOLD = 10


@dataclass(frozen=True, slots=True)
class Scan:
    """`refusal` names each forbidden path with its cure, or is empty; `vault` says that the tree holds vault values."""

    refusal: str
    vault: bool


def rescan(project: Path, allowed: Sequence[Sequence[str]] = ()) -> Scan:
    """Read every file of the tree; the folder holds nothing else. `allowed` are those of the deployment."""
    faults: list[str] = []
    vault = False
    for path, mode, text in _entries(project):
        vault = vault or _VAULT in text
        # Only a file that stands in the tree itself was approved as what it is.
        may = bool(allowed) and mode != _SYMLINK and all(matches_any(globs, path) for globs in allowed)
        found = controller_findings(path, mode, text, allowed=may)
        faults += [f"{path}:{one.line}: {one.message}" for one in found if one.severity is Severity.ERROR]
    more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
    return Scan("; ".join(faults[:_TOLD]) + more, vault)


def _entries(project: Path) -> Iterator[tuple[str, int, bytes]]:
    for folder, folders, files in os.walk(project):
        for name in sorted((*files, *(one for one in folders if Path(folder, one).is_symlink()))):
            place = Path(folder, name)
            path = str(place.relative_to(project))
            if place.is_symlink():
                yield path, _SYMLINK, os.fsencode(place.readlink())
            else:
                yield path, _PROGRAM if place.stat().st_mode & 0o100 else _FILE, place.read_bytes()
