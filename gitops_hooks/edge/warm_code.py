"""What the warm judge has loaded, and whether it still is what stands there: a fork runs what its parent loaded."""

import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

_SETTLED = 50_000_000  # nanoseconds: files are stamped with the clock of the kernel's last tick


@dataclass(frozen=True, slots=True)
class Loaded:
    """The files and import folders that were read, each with its number, size and times of change."""

    stamps: tuple[tuple[str, int, int, int, int], ...]

    @property
    def sign(self) -> str:
        """A digest of it all."""
        return hashlib.blake2b(repr(self.stamps).encode("utf-8", "backslashreplace"), digest_size=32).hexdigest()

    def is_current(self) -> bool:
        """Whether each still stands there as it was."""
        return _stamps(path for path, *_ in self.stamps) == self.stamps


def look_at_loaded(began: int) -> Loaded | None:
    """None where something changed since `began` (nanoseconds, before the first import): what was read is unknown."""
    stamps = _stamps(sorted({*_files(), *filter(os.path.isdir, sys.path), sys.executable}))
    if any(changed > began - _SETTLED for *_, changed in stamps):
        return None
    return Loaded(stamps)


def _files() -> Iterable[str]:
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.startswith("/"):
            yield name


def _stamps(paths: Iterable[str]) -> tuple[tuple[str, int, int, int, int], ...]:
    return tuple(_stamp(path) for path in paths)


def _stamp(path: str) -> tuple[str, int, int, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116  # some hundred of them, for each push
    except OSError:
        return path, 0, 0, 0, 0
    return path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
