"""Somebody's own clone, read with their own git; what is tried in it is written beside it and leaves nothing there.

Their git makes the tree, because their filters and line endings decide what a commit of theirs would hold.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

import pygit2

from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits

_SECONDS = 300
_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"
_WRITER = pygit2.Signature("gitops-hooks", "check-run@gitops-hooks.invalid", 0, 0)


class Extent(Enum):
    """What of a clone is looked at; the value says it in words."""

    WORKING_TREE = "the working tree"
    STAGED = "what is staged"
    COMMITTED = "what is committed"


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone with a working tree at `top`; `objects` is where its objects lie."""

    top: Path
    objects: Path

    def git(self, words: Sequence[str], more: Mapping[str, str] | None = None) -> str:
        """What git answers. Errors: EdgeError with its last line."""
        done = _run(self.top, words, more)
        if done.returncode:
            raise EdgeError(f"git {words[0]}", _last_line(done.stderr))
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def commit(self, name: str) -> str:
        """The commit that a name stands for, or an empty string."""
        done = _run(self.top, ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"])
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def points_to(self, ref: str) -> str:
        """The ref that a symbolic ref stands for, or an empty string."""
        done = _run(self.top, ["symbolic-ref", "--quiet", ref])
        return done.stdout.decode("utf-8", "surrogateescape").strip() if done.returncode == 0 else ""


def open_clone(folder: Path) -> Clone:
    """The clone that a folder lies in. Errors: EdgeError where it is none that can be judged."""
    done = _run(folder, ["rev-parse", "--show-toplevel"])
    top = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    if done.returncode or not top:
        raise EdgeError("this folder", "lies in no working tree of git; go into your clone")
    here = Clone(Path(top), Path(top))
    # git's own format is asked for first: where the answer is another one, nothing below could be read.
    if here.git(["rev-parse", "--show-object-format"]) != "sha1":
        raise EdgeError("this clone", "has SHA-256 objects, which no gitops-hooks server takes")
    if here.git(["rev-parse", "--is-shallow-repository"]) == "true":
        raise EdgeError("this clone", "is shallow, and what a push would bring cannot be told; git fetch --unshallow")
    if _run(here.top, ["config", "--get-regexp", _PARTIAL]).returncode == 0:
        raise EdgeError("this clone", "is partial (--filter), and checks would miss files; clone it whole")
    return Clone(here.top, here.top / here.git(["rev-parse", "--git-path", "objects"]))


@dataclass(frozen=True, slots=True)
class Shadow:
    """A bare repository that borrows a clone's objects, an open resource."""

    folder: Path
    clone: Clone
    repository: Repository

    @property
    def object_folders(self) -> tuple[Path, ...]:
        """Every folder of objects, as a confined check must see them."""
        found, left = list[Path](), [self.repository.path / "objects"]
        while left:
            folder = left.pop().resolve()
            if folder not in found:
                found.append(folder)
                left += _borrowed(folder)
        return tuple(found)

    def head(self, extent: Extent) -> str:
        """The commit that would be pushed: HEAD, or a new one on top of it. Errors: EdgeError."""
        head = self.clone.commit("HEAD")
        if not head:
            raise EdgeError("this clone", "has no commit yet")
        tree = self._tree(extent)
        if not tree or tree == self.repository.tree_of(head):
            return head
        return str(self.repository.git2.create_commit(None, _WRITER, _WRITER, f"{extent.value}\n", tree, [head]))

    def _tree(self, extent: Extent) -> str:
        if extent is Extent.COMMITTED:
            return ""
        index = self.folder / "index"
        own = self.clone.top / self.clone.git(["rev-parse", "--git-path", "index"])
        if own.exists():
            # With its time: git tells by it which files may have changed in the moment that it was written.
            shutil.copy2(own, index)
        aside = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(self.repository.path / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.clone.objects),
        }
        if unmerged := self.clone.git(["ls-files", "--unmerged", "-z"], aside):
            path = unmerged.split("\0")[0].partition("\t")[2]
            raise EdgeError(path, "is not merged; resolve it and git add it")
        if extent is Extent.WORKING_TREE:
            self.clone.git(["add", "--all"], aside)
        return self.clone.git(["write-tree"], aside)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def open_shadow(clone: Clone, limits: Limits, git: str = "git") -> Shadow:
    """A shadow in a temporary folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gitops-check-"))
    bare = folder / "shadow.git"
    pygit2.init_repository(str(bare), bare=True)
    (bare / "objects" / "info").mkdir(exist_ok=True)
    (bare / "objects" / "info" / "alternates").write_bytes(os.fsencode(clone.objects.resolve()) + b"\n")
    return Shadow(folder, clone, open_repository(bare, limits, git))


def _borrowed(folder: Path) -> list[Path]:
    try:
        lines = (folder / "info" / "alternates").read_bytes().split(b"\n")
    except OSError:
        return []
    return [folder / os.fsdecode(line) for line in lines if line and not line.startswith(b"#")]


def _run(
    folder: Path, words: Sequence[str], more: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    # Their own environment is meant: a hook of theirs names the index that it is about.
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "failed"
