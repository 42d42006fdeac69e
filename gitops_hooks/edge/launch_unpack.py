"""A tar stream → a tree, as a stranger's: regular files, symlinks that stay inside, and nothing else."""

import io
import os
import tarfile
from pathlib import Path, PurePosixPath

from gitops_hooks.model.errors import EdgeError

_BLOCK = 1024 * 1024
_COUNT = 200_000


def unpack(pipe: int, folder: Path, most_bytes: int) -> None:
    """Write the tree below `folder`, which is made; reads not one byte behind the archive's end.

    Errors: EdgeError that names the path and the cure.
    """
    folder.mkdir(mode=0o700)
    symlinks: list[tuple[str, str]] = []
    left, count = most_bytes, 0
    try:
        with tarfile.open(fileobj=ExactReader(pipe), mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                count, left = count + 1, left - max(entry.size, 0)
                if left < 0 or count > _COUNT:
                    raise EdgeError(entry.name, f"the tree is over {most_bytes} bytes or {_COUNT} files; deploy less")
                _write(archive, entry, folder)
                if entry.issym():
                    symlinks.append((entry.name, entry.linkname))
    except tarfile.TarError as error:
        raise EdgeError("tree", f"did not arrive whole: {error}") from None
    for name, _ in symlinks:
        _refuse_escape(folder, name)


class ExactReader(io.RawIOBase):
    """Reads exactly what is asked for, straight from the descriptor: what follows the archive stays there."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def read(self, size: int = -1) -> bytes:
        parts = []
        while size > 0 and (part := os.read(self.pipe, min(size, _BLOCK))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def line(self, most_bytes: int) -> bytes:
        """One line without its end. Errors: EdgeError where it is over the limit or never ends."""
        found = bytearray()
        while len(found) <= most_bytes:
            # Byte by byte is meant: the archive starts right behind this line.
            byte = os.read(self.pipe, 1)
            if byte == b"\n":
                return bytes(found)
            if not byte:
                break
            found += byte
        raise EdgeError("job", "did not arrive whole")


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    parts = entry.name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in entry.name:
        raise EdgeError(entry.name, "this path leaves the tree or names nothing; rename it")
    place = folder.joinpath(*parts)
    _make_parents(folder, parts[:-1], entry.name)
    if os.path.lexists(place):
        raise EdgeError(entry.name, "stands in the tree twice")
    if entry.issym():
        _refuse_outside(entry.name, entry.linkname)
        place.symlink_to(entry.linkname)
    elif entry.isreg():
        _write_file(archive, entry, place)
    else:
        raise EdgeError(entry.name, "neither a file nor a symlink; only these can be deployed")


def _write_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
    source = archive.extractfile(entry)
    mode = 0o755 if entry.mode & 0o100 else 0o644
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as target:
        while source is not None and (part := source.read(_BLOCK)):
            target.write(part)
    place.chmod(mode)


def _make_parents(folder: Path, parts: list[str], name: str) -> None:
    for part in parts:
        folder = folder / part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise EdgeError(name, "lies below something that is no folder")
        folder.mkdir(exist_ok=True)


def _refuse_outside(name: str, target: str) -> None:
    place = PurePosixPath(name).parent
    depth = len(place.parts)
    if target.startswith("/") or not target:
        depth = -1
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            raise EdgeError(name, "this symlink leads out of the tree; point it at a file of the repository")


def _refuse_escape(folder: Path, name: str) -> None:
    """Each symlink looks harmless alone; two that follow each other may still lead out."""
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        inside = False
    if not inside:
        raise EdgeError(name, "this symlink leads out of the tree or in a circle; point it at a file of the repository")
