"""One clone at which everybody sits in turn, each with their own key; commits are made without a checkout."""

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.answers import Event, Result
from tests.world import REPOSITORY, World

FILE, EXECUTABLE, SYMLINK, SUBMODULE = "100644", "100755", "120000", "160000"
HOST = f"host:{REPOSITORY}"
MAIN = "refs/heads/main"
POLICY = """\
version: 1
groups:
  ops: [alice, bob, carol]
  senior: [bob, carol]
branches:
  - match: main
    push: []
    propose: ['*']
    land: ['@ops']
    approvals:
      - {count: 1, from: ['@senior']}
    checks: [yaml]
"""

# What is put at a path: a text, bytes, None to remove, or (mode, text) for what is no plain file.
Content = str | bytes | None | tuple[str, str]


@dataclass(slots=True)
class Desk:
    """A bare clone that borrows the server's objects, so that nobody has to fetch before the next step."""

    world: World
    clone: Path

    @classmethod
    def beside(cls, world: World) -> "Desk":
        clone = world.folder / "desk.git"
        desk = cls(world, clone)
        desk.world.run("alice", "git", "init", "-q", "--bare", str(clone), where=world.folder).must()
        (clone / "objects" / "info" / "alternates").write_text(f"{world.repository / 'objects'}\n")
        return desk

    def git(self, who: str, *words: str, text: str = "", seconds: float = 60.0) -> Result:
        return self.world.run(who, "git", *words, where=self.clone, text=text, seconds=seconds)

    def ask(self, *words: str, text: str | bytes = "", who: str = "alice", **more: str) -> str:
        """One git command that has to work; answers its output without the last newline."""
        done = subprocess.run(
            self.world.on_server(["git", *words]),
            cwd=self.clone,
            env={**self.world.environment(who), **more},
            input=text.encode(errors="surrogateescape") if isinstance(text, str) else text,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    # objects

    def tree(self, files: Mapping[str, Content], onto: str = "") -> str:
        """The tree of a commit (or none) with these paths put or removed."""
        index = {"GIT_INDEX_FILE": str(self.clone / "made.index")}
        self.ask("read-tree", onto or "--empty", **index)
        lines = [self._entry(path, content) for path, content in files.items()]
        self.ask("update-index", "-z", "--add", "--index-info", text="".join(lines), **index)
        return self.ask("write-tree", "--missing-ok", **index)

    def _entry(self, path: str, content: Content) -> str:
        if content is None:
            return f"0 {'0' * 40}\t{path}\0"
        mode, body = content if isinstance(content, tuple) else (FILE, content)
        return f"{mode} {body if mode == SUBMODULE else self.blob(body)}\t{path}\0"

    def blob(self, content: str | bytes) -> str:
        return self.ask("hash-object", "-w", "--stdin", text=content)

    def commit(
        self, who: str, files: Mapping[str, Content], message: str = "A change", *, onto: str | None = MAIN, **more: str
    ) -> str:
        """A commit on top of a ref or commit of the server's (None: a root); `more` as GIT_AUTHOR_EMAIL."""
        parent = self.tip(onto) if onto else ""
        return self.commit_tree(who, self.tree(files, parent), [parent] if parent else [], message, **more)

    def commit_tree(self, who: str, tree: str, parents: list[str], message: str = "A change", **more: str) -> str:
        named = [word for parent in parents for word in ("-p", parent)]
        return self.ask("commit-tree", tree, *named, text=message, who=who, **more)

    # what people type

    def push(self, who: str, *words: str) -> Result:
        return self.git(who, "push", HOST, *words)

    def propose(self, who: str, files: Mapping[str, Content], to: str = "main", **more: str | None) -> str:
        """Commit on top of main and propose it, which has to work; answers the commit."""
        commit = self.commit(who, files, **more)
        self.push(who, f"{commit}:refs/for/{to}").must()
        return commit

    def land(self, files: Mapping[str, Content], to: str = "main", **more: str | None) -> str:
        """Alice proposes and bob approves, which has to work; answers where the branch stands then."""
        branch, _, topic = to.partition("/")
        commit = self.propose("alice", files, f"{branch}/{topic or 'landed-at-once'}", **more)
        self.push("bob", f"{commit}:refs/approve/{self.newest()}").must()
        return self.tip(f"refs/heads/{branch}")

    # what the server holds

    def tip(self, ref: str) -> str:
        """Where a ref of the server's stands; a commit is itself."""
        return self.world.server_git("rev-parse", "--verify", ref).strip()

    def refs(self) -> dict[str, str]:
        return self.world.refs()

    def newest(self) -> int:
        """The number of the newest change."""
        return max(int(name.split("/")[2]) for name in self.refs() if name.startswith("refs/changes/"))

    def said(self, number: int) -> list[str]:
        """What the record says of a change, a line an event, oldest first."""
        return [event.subject for event in self.world.events(f"refs/changes/{number}/meta")]

    def log(self) -> list[Event]:
        """The repository's own log, oldest first."""
        return self.world.events("refs/gitops/log")


def status_lines(result: Result) -> list[str]:
    """git's own lines of what became of each ref."""
    return [line for line in result.err.split("\n") if " -> " in line and not line.startswith("remote:")]


def a_change_id(word: str) -> str:
    return "I" + hashlib.sha1(word.encode()).hexdigest()


def refusal(ref: str, rule: str, *lines: str, cure: str = "") -> str:
    """The whole message of a refusal by one rule."""
    reason = "\n".join(f"    {line}" for line in lines)
    return f"gitops: refused {ref}\n\n  {rule}\n{reason}" + (f"\n\n{cure}" if cure else "")
