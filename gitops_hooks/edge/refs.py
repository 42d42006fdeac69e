"""The only writer of refs: git's own transactions, compare-and-swap on every one."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import field
from pathlib import Path

from gitops_hooks.edge.disk import free_bytes, full_disk, is_full
from gitops_hooks.edge.ref_program import RefProgram
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID

_LITTLE = 64 * 1024


@dataclass(frozen=True, slots=True)
class RefMove:
    """One ref from `old` to `new`; NO_OID stands for absent on either side."""

    ref: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class LostRace:
    """Nothing was moved: some ref no longer stands where the transaction expected it; git's words say which."""

    words: str


def clean_environment() -> dict[str, str]:
    """What git subprocesses of ours see: none of the pusher's or the hook's variables."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        # No hook of a repository may run, or veto, while the suite itself moves a ref.
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": "/dev/null",
    }


@dataclass(frozen=True, slots=True)
class RefWriter:
    """Moves refs of one repository with one git executable."""

    repository: Path
    git: str = "git"
    _kept: list[RefProgram] = field(default_factory=list)

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Until its end all moves are one git's, which starts now, while the caller does something else.

        A fork that is made meanwhile must end first: git waits for the end of what it could be told.
        """
        with closing(self._program()) as program:
            self._kept.append(program)
            try:
                yield
            finally:
                self._kept.remove(program)

    def move(self, moves: Sequence[RefMove], verify: Sequence[tuple[str, str]] = ()) -> LostRace | None:
        """Move all or nothing, while every `verify` (ref, oid) stands there too; None when it is done.

        Give one move where it is a commit point: a kill between the renames of two moves one ref alone.
        """
        lines = [*(_line(move) for move in moves), *(f"verify {ref} {oid}" for ref, oid in verify)]
        if self._kept and not self._kept[-1].has_ended:
            words = self._kept[-1].commit(lines)
        else:
            with closing(self._program()) as program:
                words = program.commit(lines)
        if not words:
            return None
        if any(sign in words for sign in ("but expected", "reference already exists", "unable to resolve")):
            return LostRace(words)
        # Of a lock file that could not be written git says no reason.
        if is_full(words) or free_bytes(self.repository) < _LITTLE:
            raise full_disk()
        raise EdgeError(f"moving {', '.join(move.ref for move in moves)}", _without_paths(words, self.repository))

    def _program(self) -> RefProgram:
        return RefProgram([self.git, "--git-dir", str(self.repository), "update-ref", "--stdin"], clean_environment())


def list_branches(repository: Path, git: str = "git") -> tuple[str, ...]:
    """Every branch by full name: for the reconciler, never for a push. Errors: EdgeError where git cannot say."""
    ran = subprocess.run(
        [git, "--git-dir", str(repository), "for-each-ref", "--format=%(refname)", "refs/heads/"],
        capture_output=True,
        env=clean_environment(),
        timeout=300,
        check=False,
    )
    if ran.returncode:
        raise EdgeError("listing the branches", _without_paths(ran.stderr.decode("utf-8", "replace"), repository))
    return tuple(ran.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1])


def _line(move: RefMove) -> str:
    if move.new == NO_OID:
        return f"delete {move.ref} {move.old}"
    if move.old == NO_OID:
        return f"create {move.ref} {move.new}"
    return f"update {move.ref} {move.new} {move.old}"


def _without_paths(words: str, repository: Path) -> str:
    """What git said without the server's paths: the words go to the pusher."""
    return words.replace(str(repository), "<repository>")
