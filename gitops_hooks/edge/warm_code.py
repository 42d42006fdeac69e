"""What the warm judge has loaded, and whether it still is what stands there: a fork runs what its parent loaded."""

import hashlib
import os
import sys
from array import array
from collections.abc import Iterable

from gitops_hooks.model.lazy_dataclass import dataclass

_FIELDS = 4
_INODES = 1 << 63  # inode numbers have no sign, and the array's numbers do
_SETTLED = 50_000_000  # nanoseconds: files are stamped with the clock of the kernel's last tick


@dataclass(frozen=True, slots=True)
class Loaded:
    """The files and import folders that were read, and a stamp of each: its number, size and times of change.

    Both lie in one piece: a process that forks copies each page that it touches afterwards, if only to count a
    reference, and paths one by one lie on as many pages as there are modules.
    """

    paths: bytes
    stamps: bytes

    @property
    def sign(self) -> str:
        """A digest of it all."""
        return hashlib.blake2b(self.paths + b"\0\0" + self.stamps, digest_size=32).hexdigest()

    def is_current(self) -> bool:
        """Whether each still stands there as it was."""
        return _stamps(self.paths) == self.stamps


def look_at_loaded(began: int) -> Loaded | None:
    """None where something changed since `began` (nanoseconds, before the first import): what was read is unknown."""
    found = sorted({*_files(), *filter(os.path.isdir, sys.path), sys.executable})
    paths = b"\0".join(os.fsencode(path) for path in found)
    stamps = _stamps(paths)
    changed = array("q", stamps)[_FIELDS - 1 :: _FIELDS]
    if any(each > began - _SETTLED for each in changed):
        return None
    return Loaded(paths, stamps)


def _files() -> Iterable[str]:
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.startswith("/"):
            yield name


def _stamps(paths: bytes) -> bytes:
    found = array("q")
    for path in paths.split(b"\0"):
        try:
            stat = os.stat(path)  # noqa: PTH116  # some hundred of them, for each push
        except OSError:
            found.extend((0,) * _FIELDS)
            continue
        found.extend((stat.st_ino - _INODES, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return found.tobytes()
