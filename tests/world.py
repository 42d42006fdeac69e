"""A complete real server in a folder of its own: people with keys, a real sshd, a repository, and everything ended."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.sshd import Sshd, start_sshd
from gitops_hooks.edge.warm_place import running
from tests.answers import EVENT_FORMAT, Event, Result, change_number, parse_event
from tests.copying import copy_folder
from tests.history import lay_history
from tests.hosts import DeployedHost, credential_table, known_hosts, start_host
from tests.people import clean_environment, introduce, shell_of

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "site"
PEOPLE = ("alice", "bob", "carol", "dave", "robot")
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
    create: []
    approvals:
      - {count: 1, from: ['@senior']}
    checks: [yaml, secrets]
    land_method: merge
"""
_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Template:
    """A world without its sshd, made once and copied for each test."""

    folder: Path

    @classmethod
    def build(cls, policy: str = POLICY, files: Mapping[str, str] | None = None) -> "Template":
        folder = Path(tempfile.mkdtemp(prefix="gw-"))
        world = World(folder, None)
        world.lay_people()
        world.lay_repository({".gitops/policy.yaml": policy, "README.md": "A site\n", **(files or {})})
        return cls(folder)

    def remove(self) -> None:
        shutil.rmtree(self.folder)


@dataclass(slots=True)
class World:
    """An open resource: `close()` ends everything that it or the server in it started, and removes the folder."""

    folder: Path
    sshd: Sshd | None
    people: tuple[str, ...] = PEOPLE
    hosts: dict[str, DeployedHost] = field(default_factory=dict)

    @classmethod
    def copied_from(cls, template: Template) -> "World":
        world = cls(Path(tempfile.mkdtemp(prefix="gw-")), None)
        copy_folder(template.folder, world.folder)
        world.open()
        return world

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def repository(self) -> Path:
        return self.home.repositories / f"{REPOSITORY}.git"

    def open(self, port: int = 0) -> None:
        """Start the server's sshd and tell everybody's ssh where it listens."""
        self.make_known(start_sshd(self.folder / "sshd", self.home.authorized_keys, port))

    def make_known(self, sshd: Sshd) -> None:
        self.sshd = sshd
        introduce(sshd, self.folder / "known_hosts", {self.person(name): self.key(name) for name in self.people})

    def close(self) -> None:
        """End everything; a leftover is a fault of the test or of the server."""
        for host in self.hosts.values():
            host.sshd.stop()
        self.close_server()
        left = self._living()
        living.end(left, gentle_seconds=0)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, f"still running after the test: {[one.argv for one in left]}"

    def close_server(self) -> None:
        if self.sshd is not None:
            self.sshd.stop()
        self.stop_reconciler()
        while found := running(self.home):
            living.end(found, gentle_seconds=0)

    def on_server(self, words: Sequence[str]) -> list[str]:
        """The command that runs these words where the server stands: here, or in a namespace of its own."""
        return list(words)

    def seen(self, path: Path) -> Path:
        """A path of the server's as this process reaches it."""
        return path

    def person(self, name: str) -> Path:
        return self.folder / "people" / name

    def key(self, name: str) -> Path:
        return self.person(name) / "id"

    def lay_key(self, name: str) -> Path:
        """A person's own key; answers its public half."""
        self.person(name).mkdir(parents=True)
        make_key(self.key(name), f"{name}@example.org")
        return self.key(name).with_suffix(".pub")

    def lay_people(self) -> None:
        """Keys and names, known to the server: alice develops, bob and carol are seniors, robot is a bot."""
        for name in self.people:
            bot = ("--bot",) if name == "robot" else ()
            self.admin("user", "add", name, str(self.lay_key(name)), "--email", f"{name}@example.org", *bot).must()

    def environment(self, name: str) -> dict[str, str]:
        return shell_of(name, self.person(name))

    # what people type

    def run(
        self, who: str, *words: str, where: Path | None = None, text: str = "", seconds: float = _SECONDS
    ) -> Result:
        """Run a command as this person, in their clone unless `where` says otherwise."""
        clone = self.person(who) / REPOSITORY
        done = subprocess.run(
            self.on_server(words),
            cwd=where or (clone if clone.exists() else self.person(who)),
            env=self.environment(who),
            input=text.encode(),
            capture_output=True,
            timeout=seconds,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def ssh(self, who: str, words: str, text: str = "", seconds: float = _SECONDS) -> Result:
        """`ssh host <words>`, with the words as one text that the server's grammar takes apart."""
        return self.run(who, "ssh", "host", words, where=self.person(who), text=text, seconds=seconds)

    def git(self, who: str, *words: str) -> Result:
        return self.run(who, "git", *words)

    def clone(self, who: str) -> Path:
        """A fresh clone of the repository for this person."""
        target = self.person(who) / REPOSITORY
        shutil.rmtree(target, ignore_errors=True)
        self.run(who, "git", "clone", "-q", f"host:{REPOSITORY}", str(target), where=self.person(who)).must()
        return target

    def commit(self, who: str, files: Mapping[str, str | None], message: str = "A change") -> str:
        """Commit these texts (None removes) in this person's clone; answers the commit."""
        clone = self.person(who) / REPOSITORY
        if not clone.exists():
            self.clone(who)
        for name, content in files.items():
            path = clone / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git(who, "add", "-A").must()
        self.git(who, "commit", "-q", "-m", message).must()
        return self.git(who, "rev-parse", "HEAD").must().out.strip()

    def start_over(self, who: str, branch: str = "main") -> None:
        """Put this person's clone on the server's branch, as it is now."""
        if not (self.person(who) / REPOSITORY).exists():
            self.clone(who)
        self.git(who, "fetch", "-q", "origin", f"+refs/heads/{branch}:refs/remotes/origin/{branch}").must()
        self.git(who, "checkout", "-q", "-B", branch, f"refs/remotes/origin/{branch}").must()

    def propose(self, who: str, files: Mapping[str, str | None], message: str = "A change", to: str = "main") -> Result:
        """Commit on top of the server's branch and propose it."""
        self.start_over(who, to.partition("/")[0])
        self.commit(who, files, message)
        return self.git(who, "push", "origin", f"HEAD:refs/for/{to}")

    def approve(self, who: str, number: int) -> Result:
        """Fetch the head of a change, as a reviewer does, and approve exactly that."""
        return self.verb(who, "approve", number)

    def verb(self, who: str, verb: str, number: int) -> Result:
        if not (self.person(who) / REPOSITORY).exists():
            self.clone(who)
        self.git(who, "fetch", "-q", "origin", f"refs/changes/{number}/head").must()
        return self.git(who, "push", "origin", f"FETCH_HEAD:refs/{verb}/{number}")

    def policy(self, text: str) -> None:
        """Bring a policy into force the way people do: alice proposes, bob approves."""
        proposed = self.propose("alice", {".gitops/policy.yaml": text}, "Another policy").must()
        self.approve("bob", change_number(proposed)).must()
        assert self.show("refs/heads/main:.gitops/policy.yaml") == text

    # what the administrator types

    def admin(self, *words: str, seconds: float = _SECONDS) -> Result:
        """`gitops-hooks --home … <words>` on the server's own shell."""
        command = [sys.executable, "-m", "gitops_hooks.entry.cli", "--home", str(self.home.path), *words]
        done = subprocess.run(
            self.on_server(command),
            cwd=self.folder,
            env={**clean_environment(self.folder), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def reconcile_once(self, seconds: float = 120.0) -> Result:
        return self.admin("reconcile", "--once", seconds=seconds)

    def lay_repository(self, files: Mapping[str, str]) -> None:
        """A repository with these files, taken over by the server with bob as its administrator."""
        self.lay_history(files)
        self.admin("repo", "add", REPOSITORY, "--admin", "bob", "--write", "*").must()

    def lay_history(self, files: Mapping[str, str]) -> None:
        """The repository as it was before the server knew it: bare, with one commit of bob's."""
        lay_history(self.repository, self.folder / "first", files, self.environment("bob"))

    # what the server holds

    def server_git(self, *words: str) -> str:
        """git in the server's repository, as the administrator might."""
        done = subprocess.run(
            self.on_server(["git", "--git-dir", str(self.repository), *words]),
            env=clean_environment(self.folder),
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
        return done.stdout.decode(errors="replace")

    def refs(self) -> dict[str, str]:
        """Every ref of the server's repository with its object id."""
        lines = self.server_git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def show(self, name: str) -> str:
        return self.server_git("show", name)

    def events(self, ref: str) -> list[Event]:
        """The events on a history ref, oldest first."""
        text = self.server_git("log", "--reverse", f"--format={EVENT_FORMAT}", ref)
        return [parse_event(record.lstrip("\n")) for record in text.split("\x1e") if record.strip()]

    def add_hosts(self, *names: str, environment: str = "staging", branch: str = "main") -> list[DeployedHost]:
        """Start hosts and grant them, and no others, to an environment in the server's file."""
        hosts = self.start_hosts(*names)
        self.grant_hosts(hosts, environment, branch)
        return hosts

    def start_hosts(self, *names: str) -> list[DeployedHost]:
        key = self.folder / "deploy_key"
        if not key.exists():
            make_key(key, "deploy")
        public = key.with_suffix(".pub").read_text()
        hosts = [start_host(self.folder / "hosts" / name, name, public) for name in names]
        self.hosts.update({host.name: host for host in hosts})
        return hosts

    def grant_hosts(self, hosts: Sequence[DeployedHost], environment: str = "staging", branch: str = "main") -> None:
        credentials = self.seen(self.home.path) / "credentials" / environment
        credentials.mkdir(parents=True, mode=0o700)
        shutil.copy(self.folder / "deploy_key", credentials / "key")
        (credentials / "known_hosts").write_text(known_hosts(hosts))
        with self.seen(self.home.server_file).open("a") as server:
            server.write(credential_table(REPOSITORY, environment, branch, [host.name for host in hosts]))

    def stop_reconciler(self) -> None:
        """One that the last visitor started has its lock only in a moment, and cannot be asked to stop before."""
        for _ in range(10):
            if not any("gitops-reconcile" in word for one in self._living() for word in one.argv):
                return
            self.admin("reconcile", "--stop")

    def _living(self) -> tuple[living.Living, ...]:
        return tuple(one for one in living.list_living() if any(str(self.folder) in word for word in one.argv))
