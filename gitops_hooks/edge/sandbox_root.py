"""The folders that a confined child sees: an empty root with read-only views of what it may read."""

import functools
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.model.lazy_dataclass import dataclass

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32")
_OLD = "old-root"


@dataclass(frozen=True, slots=True)
class View:
    """What a new root shows: folders and files at their own places, and links with what they lead to."""

    shown: tuple[Path, ...]
    links: tuple[tuple[Path, Path], ...]


def visible_paths(readable: Sequence[Path]) -> tuple[Path, ...]:
    """What was asked for and what lazy imports need: interpreter, shared libraries, this package, import folders."""
    asked = (path.absolute() for path in readable if path.exists())
    return tuple(dict.fromkeys((*asked, *_for_imports(tuple(sys.path)))))


@functools.lru_cache(maxsize=4)
def _for_imports(import_path: tuple[str, ...]) -> tuple[Path, ...]:
    package = Path(__file__).resolve().parent.parent
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    wanted = [*map(Path, _SYSTEM), *map(Path, prefixes), package, *_import_folders(import_path)]
    return tuple(dict.fromkeys(path for path in wanted if path.exists()))


def _import_folders(import_path: Iterable[str]) -> Iterable[Path]:
    """Import folders, but none that holds a home: whoever started us there did not mean to show it."""
    home = user_home()
    for name in filter(None, import_path):
        folder = Path(name).resolve()
        if folder.is_dir() and not home.is_relative_to(folder):
            yield folder


def user_home() -> Path:
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir).resolve()
    except KeyError:
        # A number without a name has no home; the root folder is never shown whole.
        return Path("/")


def view_of(visible: Sequence[Path]) -> View:
    """Found out before the fork that enters it: there each page that is touched is copied first."""
    known = _real_imports(tuple(sys.path))
    real = [(path, known.get(path) or path.resolve()) for path in visible]
    links = tuple((path, target) for path, target in real if path != target)
    return View(tuple(_outermost(target for _, target in real)), links)


@functools.lru_cache(maxsize=4)
def _real_imports(import_path: tuple[str, ...]) -> dict[Path, Path]:
    return {path: path.resolve() for path in _for_imports(import_path)}


def enter_new_root(view: View) -> None:
    """Replace the root by an empty one with this view; the old one is gone afterwards.

    The caller is alone in a mount namespace of its own. Errors: OSError.
    """
    here = os.getcwd()  # noqa: PTH109  # as few pages as can be
    kernel.forget_mount_peers()
    scaffold = Path("/tmp")  # noqa: S108  # any folder that exists; what is below it stays visible in the old root
    kernel.mount_memory(scaffold)
    (scaffold / _OLD).mkdir()
    kernel.pivot_root(scaffold, scaffold / _OLD)
    os.chdir("/")
    os.umask(0o022)
    for path in view.shown:
        _show(path)
    for path, target in view.links:
        _link(path, target)
    kernel.detach(Path("/") / _OLD)
    (Path("/") / _OLD).rmdir()
    kernel.make_read_only(Path("/"))
    if os.path.isdir(here):  # noqa: PTH112  # as above
        os.chdir(here)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    chosen: list[Path] = []
    for path in sorted(set(paths), key=lambda each: len(each.parts)):
        if not any(path.is_relative_to(outer) for outer in chosen):
            chosen.append(path)
    return chosen


def _show(path: Path) -> None:
    source = Path("/") / _OLD / path.relative_to("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(source.stat().st_mode):
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    kernel.bind(source, path)


def _link(path: Path, target: Path) -> None:
    if os.path.lexists(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
