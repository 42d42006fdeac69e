"""The servers that benchmarks/push.py compares, and the pushes to each."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2

from benchmarks import gitolite
from benchmarks.as_installed import exchange_keys_as_installed
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.sshd import start_sshd
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.change_event import Proposed
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Oid, Stamp, Text, Word
from gitops_hooks.model.push import NO_OID
from tests.push.desk import MAIN, Desk
from tests.world import REPOSITORY, World

POLICY = """\
version: 1
groups:
  ops: [alice, bob]
branches:
  - match: main
    propose: ['*']
    land: ['@ops']
    approvals:
      - {count: 1, from: ['@ops']}
    checks: [yaml]
"""
RULE = """\
  - match: release/{number}
    land: ['@ops']
    approvals:
      - {{count: 1, from: ['@ops']}}
"""
PAST = "past.txt"
# Seconds of Unix time: of the newest commit that is there before anybody pushes.
LAID = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How large the repository is that a push meets, beside what it changes."""

    files: int = 1
    commits: int = 1
    branches: int = 0
    changes: int = 1
    rules: int = 1


class Course:
    """One server, and the four pushes that are compared on it."""

    def __init__(self, size: Size, *, warm: bool) -> None:
        self.world = World(Path(tempfile.mkdtemp(prefix="gw-")), None)
        self.world.lay_people()
        lay_repository(self.world, size)
        self.world.admin("repo", "add", REPOSITORY, "--admin", "bob", "--write", "*").must()
        if not warm:
            server = self.world.home.server_file
            server.write_text(server.read_text().replace("[limits]\n", "[limits]\nwarm_seconds = 0\n", 1))
        self.world.open()
        exchange_keys_as_installed(self.world.sshd)
        self.desk = Desk.beside(self.world)
        self.count = 0
        if size.changes > 1:
            fill(self.world.home, size.changes)
        self.bare = self.world.folder / "bare.git"
        self.world.server_git("clone", "-q", "--bare", str(self.world.repository), str(self.bare))
        self.free_push()
        while warm and not (self.world.home.judge / "socket").exists():
            time.sleep(0.1)

    def commit(self, files: int = 1) -> str:
        """A commit of alice's on top of main with so many changed YAML files, made by one process."""
        self.count += 1
        tip, ref = self.desk.tip(MAIN), f"refs/made/{self.count}"
        lines = [f"commit {ref}", "committer alice <alice@example.org> 1700000000 +0000", "data 1", "x", f"from {tip}"]
        for number in range(files):
            text = f"number: {self.count}\nof: {number}\n"
            lines += [f"M 100644 inline changed/{number // 100}/{number}.yml", f"data {len(text)}", text]
        self.desk.ask("fast-import", "--quiet", "--force", text="\n".join([*lines, ""]))
        return self.desk.ask("rev-parse", ref)

    def bare_push(self, files: int = 1) -> float:
        """The same client and sshd; the server's end is a plain receive-pack without hooks."""
        commit = self.commit(files)
        self.plain_ssh()
        return timed(lambda: self.plain(commit))

    def gitolite_push(self, files: int = 1) -> float:
        """The same client and sshd; the server's end is gitolite, which looks whether alice may write the branch."""
        commit = self.commit(files)
        url = f"plain:{gitolite.REPOSITORY}"
        return timed(lambda: self.plain(commit, url=url, ssh=self.gitolite_ssh()))

    def plain(
        self, commit: str, name: str = "", url: str = "", ssh: Path | None = None, names: Sequence[str] = ()
    ) -> None:
        env = {**self.world.environment("alice"), "GIT_SSH_COMMAND": str(ssh or self.plain_ssh())}
        to = names or [f"{commit}:refs/heads/{name or f'plain{self.count}'}"]
        words = ["git", "push", "-q", url or f"plain:{self.bare}", *to]
        subprocess.run(words, cwd=self.desk.clone, env=env, check=True, capture_output=True)

    def gitolite_ssh(self) -> Path:
        """ssh with a key that the same sshd gives to gitolite."""
        script = self.world.folder / "gitolite-ssh"
        if not script.exists():
            script.write_text(
                self.plain_ssh()
                .read_text()
                .replace(f"-i {self.world.folder}/plain ", f"-i {self.world.folder}/gitolite ")
            )
            script.chmod(0o755)
        return script

    def plain_ssh(self) -> Path:
        """ssh with a key of the machine's own, which may run anything: how a server without us is reached."""
        script = self.world.folder / "plain-ssh"
        if not script.exists():
            public = make_key(self.world.folder / "plain", "plain")
            allowed = self.world.folder / "plain_keys"
            lines = [public]
            if gitolite.is_installed():
                key = make_key(self.world.folder / "gitolite", "gitolite")
                lines.append(gitolite.lay(self.world.folder / "gitolite-home", self.bare, key))
            allowed.write_text("\n".join([*lines, ""]))
            allowed.chmod(0o600)
            self.sshd = start_sshd(self.world.folder / "plain-sshd", allowed)
            exchange_keys_as_installed(self.sshd)
            known = self.world.folder / "plain_known"
            known.write_text(self.sshd.known_hosts_line("plain") + "\n")
            options = f"-i {self.world.folder}/plain -p {self.sshd.port} -o UserKnownHostsFile={known} -F none"
            options += " -o HostKeyAlias=plain -o HostName=127.0.0.1 -o IdentitiesOnly=yes -o SendEnv=GIT_PROTOCOL"
            script.write_text(f'#!/bin/sh\nexec /usr/bin/ssh {options} "$@"\n')
            script.chmod(0o755)
        return script

    def free_push(self) -> float:
        commit = self.commit()
        return timed(lambda: self.desk.push("alice", "-q", f"{commit}:refs/heads/free{self.count}").must())

    def proposal(self, files: int = 1) -> float:
        self.proposed = self.commit(files)
        return timed(lambda: self.desk.push("alice", "-q", f"{self.proposed}:refs/for/main/t{self.count}").must())

    def landing(self) -> float:
        number = self.number()
        taken = timed(lambda: self.desk.push("bob", "-q", f"{self.proposed}:refs/approve/{number}").must())
        assert self.desk.tip(MAIN) == self.proposed
        return taken

    def number(self) -> int:
        listed = self.world.admin("change", "list").must().out
        return int(listed.split()[0])

    def close(self) -> None:
        if hasattr(self, "sshd"):
            self.sshd.stop()
        self.world.close()


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def lay_repository(world: World, size: Size) -> None:
    """A repository with the policy, in one pack and without a work tree; its last commit has the files."""
    git = ["git", "--git-dir", str(world.repository), "-c", "core.fsync=none"]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(world.repository)], check=True)
    more = "".join(RULE.format(number=number) for number in range(size.rules - 1))
    texts = {".gitops/policy.yaml": POLICY + more}
    texts |= {f"bulk/{n // 250}/{n}.yml": f"n: {n}\n" for n in range(size.files)}
    past = f"M 100644 inline {PAST}"
    lines: list[str] = []
    for n in range(size.commits - 1):
        lines += [*head(LAID - 60 * (size.commits - n)), past, *data(f"{n}\n")]
    lines += head(LAID)
    for path, text in texts.items():
        lines += [f"M 100644 inline {path}", *data(text)]
    subprocess.run([*git, "fast-import", "--quiet"], input="\n".join([*lines, ""]).encode(), check=True)
    refs = "".join(f"create refs/heads/many/{number} refs/heads/main\n" for number in range(size.branches))
    subprocess.run([*git, "update-ref", "--stdin"], input=refs.encode(), check=True)
    subprocess.run([*git, "pack-refs", "--all"], check=True)


def head(at: int) -> tuple[str, ...]:
    """How a commit of a stream for fast-import begins; one without `from` stands on the one before."""
    return "commit refs/heads/main", f"committer bob <bob@example.org> {at} +0000", *data("one")


def data(text: str) -> tuple[str, str]:
    return f"data {len(text)}", text


def fill(home: Home, changes: int) -> None:
    """So many open changes of carol's, each signed as the server signs, in one pack and in packed-refs."""
    sitting = open_sitting(home, "site")
    pygit2.settings.enable_fsync_gitdir(False)
    tip = sitting.default.recorded
    lines = [f"{oid} {ref}" for ref, oid in all_refs(sitting.entry.path)]
    for number in range(1, changes + 1):
        at = sitting.ledger.clock().replace(microsecond=0)
        stamp = Stamp(Word(sitting.entry.id), 1, at, Word("carol"), Word("SHA256:none"))
        oids = (Oid(tip), Oid(tip), (Oid(tip),), Oid(tip))
        said = (Word(MAIN), Word(f"f{number}"), Text("x"), Text(""), Word(""))
        body = Proposed(number, 1, *said, *oids, False, (), False, 0, Oid(NO_OID), (), ())
        event = sitting.ledger.objects.write_event(Event(stamp, body), None)
        folder = f"refs/changes/{number}"
        lines += [f"{oid} {folder}/{name}" for name, oid in (("1", tip), ("head", tip), ("meta", event))]
    lines.sort(key=lambda line: line.split(" ")[1].encode())
    # Sixty thousand loose refs take git minutes to pack, one lock each; it is the packed state that is measured.
    text = "\n".join(["# pack-refs with: peeled fully-peeled sorted ", *lines, ""])
    (sitting.entry.path / "packed-refs").write_text(text)
    subprocess.run(["git", "--git-dir", str(sitting.entry.path), "repack", "-a", "-d", "-q"], check=True)
    sitting.record.ensure_changes()


def all_refs(repository: Path) -> list[tuple[str, str]]:
    words = ["git", "--git-dir", str(repository), "for-each-ref", "--format=%(refname) %(objectname)"]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(line.split(" ")[0], line.split(" ")[1]) for line in lines]
