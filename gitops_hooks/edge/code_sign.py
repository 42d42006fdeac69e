"""A sign of the code that checks are made of: the suite, every enabled plugin, what is installed beside them, Python.

It is made of names, sizes and the kernel's own times of change, which no copy, archive or installer can set: reading a
few hundred files would cost each push more than most checks do.
"""

import hashlib
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

_MOST_FILES = 20_000
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".pth")
_OURS = "gitops_hooks"
_FIRST_INSTALLED = "pluggy"  # where it lies, the release's other packages do, and plugins that pip installed
# How long a look is good for: a hook that loads by itself takes as long from its first module to its look.
FRESH_SECONDS = 0.25
_NEVER = (-math.inf, "")

Sign = tuple[str, int, int, int]
_looked: dict[tuple[str, ...], tuple[float, str]] = {}


def code_sign(modules: Iterable[str]) -> str:
    """The sign for these modules (their whole top packages) and our own.

    Empty where there is none: a module has no files, there are too many, or one has changed since the process that
    loaded this code began, which may then run other code than there is.
    """
    wanted, now = tuple(modules), time.monotonic()
    if now - _looked.get(wanted, _NEVER)[0] > FRESH_SECONDS:
        _looked[wanted] = now, _look(wanted)
    return _looked[wanted][1]


def _look(modules: Iterable[str]) -> str:
    try:
        places = sorted({place for name in {_OURS, *modules} for place in _places(name.partition(".")[0])})
        signs = [sign for place in places for sign in _signs(place)]
        beside = {place.parent for place in (*places, *_places(_FIRST_INSTALLED))}
        installed = sorted(sign for folder in beside for sign in _installed(folder))
    except (OSError, ValueError):
        return ""
    if len(signs) > _MOST_FILES or any(changed > _BEGAN for _, _, changed, _ in signs):
        return ""
    said = repr((sys.version, sys.prefix, signs, installed))
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()


def _places(name: str) -> Iterator[Path]:
    """The folders of a package; the folder of a module that is a file alone. Errors: ValueError."""
    spec = find_spec(name)
    if spec is None or (spec.origin is None and not spec.submodule_search_locations):
        raise ValueError(name)
    if spec.submodule_search_locations:
        yield from (Path(folder) for folder in spec.submodule_search_locations)
    else:
        yield Path(str(spec.origin))


def _signs(place: Path) -> Iterator[Sign]:
    """Every file of a package; of a module alone also those beside it, which it may load."""
    if place.is_dir():
        yield from _below(place)
    else:
        with os.scandir(place.parent) as entries:
            yield from sorted(_sign(each) for each in entries if each.name.endswith((".py", ".so")))


def _below(folder: Path) -> Iterator[Sign]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _below(Path(entry.path))
            else:
                yield _sign(entry)


def _sign(entry: "os.DirEntry[str]") -> Sign:
    found = entry.stat()
    return entry.path, found.st_size, found.st_ctime_ns, found.st_ino


def _installed(folder: Path) -> Iterator[Sign]:
    with os.scandir(folder) as entries:
        yield from (_sign(each) for each in entries if each.name.endswith(_INSTALLED))


def _began() -> int:
    """When this process began, in nanoseconds of the clock that files are stamped with."""
    words = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    since_boot = int(words[19]) / os.sysconf("SC_CLK_TCK")
    return int((time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot) * 1e9)


# Asked once, when this is loaded: a fork of the warm judge runs what that one loaded, however young it is itself.
_BEGAN = _began()
