"""The only reader of a repository through pygit2; every question is about a change, never about everything."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, ObjectType, RepositoryOpenFlag, SortMode

from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.folders import Folders
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.edge.tree import GitTree, TooManyPaths, changed_files, read_blob
from gitops_hooks.model.change import ChangedFile
from gitops_hooks.model.commit import Commit, Merged, Range
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import Limits

_CO_AUTHOR = re.compile(r"^co-authored-by:.*?<([^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_SIGNED_OFF = re.compile(r"^signed-off-by:.*?<([^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_QUARANTINE = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


@dataclass(frozen=True, slots=True)
class Repository:
    """One open repository; with a quarantine it also sees, and writes, the objects of the push under way."""

    path: Path
    git2: pygit2.Repository
    limits: Limits
    git: str
    quarantine: Mapping[str, str]
    folders: Folders

    @property
    def object_folders(self) -> tuple[Path, ...]:
        """Where the objects lie, quarantine first: what a confined check may read."""
        found = [self.path / "objects"]
        if folder := self.quarantine.get("GIT_OBJECT_DIRECTORY"):
            found.insert(0, (self.path / folder).resolve())
        return tuple(found)

    def tip(self, ref: str) -> str:
        """The object id that a full ref name stands at, NO_OID where there is none."""
        try:
            return str(self.git2.references[ref].target)
        except KeyError:
            return NO_OID

    def is_commit(self, oid: str) -> bool:
        return oid in self.git2.odb and self.git2.odb.read_header(oid)[0] == ObjectType.COMMIT

    def commit(self, oid: str) -> Commit:
        """Errors: EdgeError where there is no such commit."""
        if not self.is_commit(oid):
            raise EdgeError(oid[:12], "is not a commit of this repository")
        found = self.git2[oid].peel(pygit2.Commit)
        people = [found.author.email, found.committer.email, *_CO_AUTHOR.findall(found.message)]
        addresses = tuple(dict.fromkeys(address.lower() for address in people))
        parents = tuple(str(parent) for parent in found.parent_ids)
        author, committer = (address.lower() for address in people[:2])
        signers = tuple(address.lower() for address in _SIGNED_OFF.findall(found.message))
        line = _line_of(found.author)
        return Commit(oid, str(found.tree_id), parents, addresses, found.message, author, committer, signers, line)

    def tree(self, oid: str) -> GitTree:
        return GitTree(self.git2, oid, self.limits.blob_size)

    def tree_of(self, commit: str) -> str:
        return self.commit(commit).tree if commit != NO_OID else NO_OID

    def descends(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` or one of its ancestors."""
        return commit == ancestor or bool(self.git2.descendant_of(commit, ancestor))

    def range(self, tip: str, head: str) -> Range | Refusal:
        """How head stands to tip. Refused: nothing in common, several merge bases, more commits than the limit."""
        bases = self._merge_bases(tip, head)
        if not bases:
            return Refusal("history", f"{head[:12]} has no history in common with the branch")
        if len(bases) > 1:
            return Refusal("history", f"{head[:12]} and the branch have {len(bases)} merge bases", "Rebase first.")
        commits = self.between_at_most(bases[0], head)
        return commits if isinstance(commits, Refusal) else Range(tip, head, bases[0], commits)

    def between_at_most(self, old: str, new: str) -> tuple[Commit, ...] | Refusal:
        """The commits of old..new, newest first. Refused: more than the limit."""
        found = self._between(old, new)
        if found is None:
            return Refusal("limits", f"more than {self.limits.commits} commits in one change", "Split it.")
        return found

    def between(self, old: str, new: str) -> tuple[Commit, ...]:
        """The commits of old..new, newest first. Errors: EdgeError over the limit."""
        found = self._between(old, new)
        if found is None:
            raise EdgeError(f"{old[:12]}..{new[:12]}", f"more than {self.limits.commits} commits")
        return found

    def _merge_bases(self, one: str, other: str) -> list[str]:
        base = self.git2.merge_base(one, other)
        if base is None or str(base) in (one, other):
            return [str(base)] if base else []
        ran = subprocess.run(
            [self.git, "--git-dir", str(self.path), "merge-base", "--all", one, other],
            capture_output=True,
            env={**clean_environment(), **self.quarantine},
            cwd=self.path,
            timeout=60,
            check=False,
        )
        if ran.returncode:
            raise EdgeError("git merge-base", "failed")
        return ran.stdout.decode().split()

    def _between(self, base: str, head: str) -> tuple[Commit, ...] | None:
        walker = self.git2.walk(head, SortMode.TOPOLOGICAL)
        if base != NO_OID:
            walker.hide(base)
        found: list[Commit] = []
        for commit in walker:
            if len(found) == self.limits.commits:
                return None
            found.append(self.commit(str(commit.id)))
        return tuple(found)

    def merge(self, span: Range) -> Merged | Refusal:
        """The tree of landing head on tip, made from exactly these two: no renames, no merge attributes."""
        head = span.commits[0] if span.commits else self.commit(span.head)
        tree = head.tree if span.fast_forward else self._merged_tree(span)
        if isinstance(tree, Refusal):
            return tree
        tip_tree, base_tree = self.tree_of(span.tip), self.tree_of(span.base)
        try:
            files = {file.path: file for file in self.changed(base_tree, head.tree)}
            if not span.fast_forward:
                files |= {file.path: file for file in self.changed(tip_tree, tree)}
        except TooManyPaths:
            return Refusal("limits", f"more than {self.limits.changed_files} paths differ", "Split the change.")
        return Merged(tree, tuple(files[path] for path in sorted(files)))

    def replaced(self, span: Range) -> Merged | Refusal:
        """The tree of head in place of tip's, whatever history either has."""
        tree = self.tree_of(span.head)
        try:
            return Merged(tree, self.changed(self.tree_of(span.tip), tree))
        except TooManyPaths:
            return Refusal("limits", f"more than {self.limits.changed_files} paths differ", "Move it in steps.")

    def merge_onto(self, base: str, onto: str, head: str) -> str | None:
        """The tree of moving base..head onto another commit, merged as a landing is; None where that conflicts."""
        old, new, theirs = (self.tree_of(oid) for oid in (base, onto, head))
        index = self.git2.merge_trees(old, new, theirs, flags=pygit2.enums.MergeFlag(0))
        return None if index.conflicts else str(index.write_tree(self.git2))

    def _merged_tree(self, span: Range) -> str | Refusal:
        base, ours, theirs = (self.tree_of(oid) for oid in (span.base, span.tip, span.head))
        index = self.git2.merge_trees(base, ours, theirs, flags=pygit2.enums.MergeFlag(0))
        if index.conflicts:
            paths = sorted({side.path for sides in index.conflicts for side in sides if side})
            shown = ", ".join(paths[:10]) + (f" and {len(paths) - 10} more" if len(paths) > 10 else "")
            return Refusal("merge", f"conflicts with the branch in {shown}", "Rebase, resolve, and propose again.")
        with needing_room(pygit2.GitError):
            return str(index.write_tree(self.git2))

    def changed(self, old_tree: str, new_tree: str) -> tuple[ChangedFile, ...]:
        return changed_files(self.folders, old_tree, new_tree, self.limits.changed_files)

    def file(self, commit: str, path: str, most: int) -> bytes | None:
        """A regular file's bytes at a commit; None where there is none. Errors: EdgeError for another type or size."""
        entry = self.tree(self.tree_of(commit)).entry(path)
        if entry is None:
            return None
        if entry.mode not in (0o100644, 0o100755):
            raise EdgeError(path, "is not a regular file")
        return read_blob(self.git2, entry.oid, most, path)


def _line_of(who: pygit2.Signature) -> str:
    """git's own line for an author: name, address, time and zone."""
    sign, zone = ("-" if who.offset < 0 else "+"), abs(who.offset)
    name, address = (raw.decode("utf-8", "replace") for raw in (who.raw_name, who.raw_email))
    return f"{name} <{address}> {who.time} {sign}{zone // 60:02}{zone % 60:02}"


def open_repository(
    path: Path, limits: Limits, git: str = "git", environ: Mapping[str, str] | None = None
) -> Repository:
    """Open a bare repository; with `environ` of a pre-receive hook also its quarantine.

    Errors: EdgeError where libgit2 cannot open it (SHA-256, reftable, not a repository).
    """
    _forget_system_settings()
    quarantine = {key: environ[key] for key in _QUARANTINE if key in environ} if environ else {}
    try:
        if quarantine:
            git2 = pygit2.Repository(str(path), RepositoryOpenFlag.FROM_ENV)
        else:
            git2 = pygit2.Repository(str(path), RepositoryOpenFlag.BARE | RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise EdgeError("the repository", f"cannot be opened: {error}".replace(str(path), "<repository>")) from None
    return Repository(path, git2, limits, git, quarantine, Folders(git2))


def _forget_system_settings() -> None:
    """No file of the machine (attributes, merge drivers, owners) may change what a merge gives."""
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL, ConfigLevel.PROGRAMDATA):
        pygit2.settings.search_path[level] = ""
    pygit2.settings.owner_validation = False
    # What is recorded must survive a power cut as git's own objects do.
    pygit2.settings.enable_fsync_gitdir(True)
