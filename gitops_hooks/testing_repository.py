"""For tests of checks: a repository of a test's own with commits and branches, judged as the server does."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pygit2

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.tree import GitTree
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import Limits
from gitops_hooks.plugin import Change, Check, EdgeError, Tree, Verdict

_FILE = 0o100644
_HEADS = "refs/heads/"


class MemoryRepository:
    """Commits and branches in a temporary bare repository, which goes with this value or with `close()`.

    `main` begins with these files.
    """

    def __init__(self, files: Mapping[str, bytes | str] | None = None, limits: Limits = Limits()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gitops-memory-"))
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        pygit2.init_repository(str(self.folder / "memory.git"), bare=True)
        self._limits = limits
        self._repository = open_repository(self.folder / "memory.git", limits)
        self.commit(files or {}, message="The first commit")

    def close(self) -> None:
        self._end()

    def commit(
        self,
        files: Mapping[str, bytes | str | None],
        *,
        branch: str = "main",
        message: str = "A change",
        modes: Mapping[str, int] | None = None,
        author: str = "alice",
    ) -> str:
        """Put these files (None removes one) on top of a branch, which begins at main; answers the commit."""
        git2, parent = self._repository.git2, self.tip(branch) or self.tip("main")
        index = pygit2.Index()
        if parent:
            index.read_tree(git2[parent].peel(pygit2.Tree))
        for path, content in files.items():
            if content is None:
                index.remove(path)
                continue
            blob = git2.create_blob(content.encode() if isinstance(content, str) else content)
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode((modes or {}).get(path, _FILE))))
        who = pygit2.Signature(author, f"{author}@example.org")
        tree, parents = index.write_tree(git2), [parent] if parent else []
        made = git2.create_commit(None, who, who, f"{message}\n", tree, parents)
        git2.references.create(_HEADS + branch, made, force=True)
        return str(made)

    def tip(self, branch: str) -> str:
        """Where a branch stands, an empty string where there is none."""
        found = self._repository.tip(_HEADS + branch)
        return "" if found == NO_OID else found

    def tree(self, branch: str = "main") -> Tree:
        return self._repository.tree(self._repository.tree_of(self.tip(branch)))

    def change(self, branch: str, target: str = "main") -> Change:
        """What landing a branch would bring. Errors: EdgeError where it cannot land."""
        span, merged = self._land(branch, target)
        return Change(0, _HEADS + target, span.base, span.head, merged.files)

    def run(
        self, check: Check, branch: str, target: str = "main", *, options: Mapping[str, Any] | None = None
    ) -> Verdict:
        """The server's own verdict on landing a branch: in the sandbox, on the merged tree.

        `options` are values as the check gets them, in place of its defaults. Errors: EdgeError where it cannot land.
        """
        span, merged = self._land(branch, target)
        change = Change(0, _HEADS + target, span.base, span.head, merged.files)
        values = {option.name: option.default for option in check.options if option.default is not None}
        repository = self._repository
        grounds = Grounds(
            merged.tree,
            repository.tree(merged.tree),
            repository.tree(repository.tree_of(span.tip)),
            GitTree(repository.git2, merged.tree, self._limits.tool_tree),
            repository.object_folders,
            self.folder / "tools",
        )
        (verdict,) = run_checks([Asked(check, values | dict(options or {}))], change, grounds, self._limits)
        return verdict

    def _land(self, branch: str, target: str) -> tuple[Range, Merged]:
        for name in (branch, target):
            if not self.tip(name):
                raise EdgeError(name, "is no branch of this repository")
        span = self._repository.range(self.tip(target), self.tip(branch))
        if isinstance(span, Refusal):
            raise EdgeError(branch, span.reason)
        merged = self._repository.merge(span)
        if isinstance(merged, Refusal):
            raise EdgeError(branch, merged.reason)
        return span, merged
