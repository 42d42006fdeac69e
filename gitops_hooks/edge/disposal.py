"""Objects that must be gone: everything that no ref holds is removed at once, and what is left is looked for."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_SECONDS = 4 * 3600.0
_MOST_LOOKED_FOR = 50


@dataclass(frozen=True, slots=True)
class Disposal:
    """One repository and the git that works on it."""

    repository: Path
    git: str

    def content(self, heads: Iterable[str], bases: Iterable[str]) -> tuple[str, ...]:
        """Every object that the heads hold and the bases do not; heads that are gone hold none."""
        there = [head for head in dict.fromkeys(heads) if head in self.left([head])]
        if not there:
            return ()
        known = [f"^{base}" for base in dict.fromkeys(bases) if base in self.left([base])]
        lines = self._run("rev-list", "--objects", *there, *known).splitlines()
        return tuple(line.partition(" ")[0] for line in lines)

    def left(self, oids: Iterable[str]) -> tuple[str, ...]:
        """Those that are still here."""
        lines = self._run("cat-file", "--batch-check=%(objectname)", text="".join(f"{oid}\n" for oid in oids))
        return tuple(line for line in lines.splitlines() if not line.endswith(" missing"))

    def collect(self) -> None:
        """Remove what no ref holds, however young; only for who holds the repository alone."""
        self._run("reflog", "expire", "--expire-unreachable=now", "--all")
        self._run("gc", "--quiet", "--prune=now")

    def holders(self, oids: Iterable[str]) -> tuple[str, ...]:
        """The refs because of which these objects are still here."""
        found: set[str] = set()
        for oid in list(oids)[:_MOST_LOOKED_FOR]:
            kind = self._run("cat-file", "-t", oid).strip()
            looked = (
                [oid] if kind == "commit" else self._run("log", "--all", "--format=%H", f"--find-object={oid}").split()
            )
            for commit in looked[:_MOST_LOOKED_FOR]:
                found |= set(self._run("for-each-ref", "--format=%(refname)", f"--contains={commit}").split())
        return tuple(sorted(found))

    def _run(self, *words: str, text: str = "") -> str:
        done = subprocess.run(
            [self.git, "--git-dir", str(self.repository), *words],
            input=text.encode(),
            capture_output=True,
            env=clean_environment(),
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise EdgeError(f"git {words[0]}", done.stderr.decode("utf-8", "replace").strip() or "failed")
        return done.stdout.decode("utf-8", "replace")
