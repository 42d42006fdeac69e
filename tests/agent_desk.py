"""An agent's key and stock git at a desk: what an agent may fetch and push, without the agent's own program."""

import subprocess
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.core.agent_report import encode
from gitops_hooks.model.agent import HostReport, Report
from tests.answers import Result
from tests.people import introduce
from tests.world import REPOSITORY, World

_TOO_MUCH = "at once, is what an agent may push"
HOST = f"host:{REPOSITORY}"


@dataclass(slots=True)
class AgentDesk:
    """One agent of an environment; `sequence` is that of its last report."""

    world: World
    name: str
    environment: str
    hosts: tuple[str, ...]
    sequence: int = 0
    told: dict[str, HostReport] = field(default_factory=dict)

    @classmethod
    def added(cls, world: World, name: str, environment: str, *hosts: str) -> "AgentDesk":
        """Make its key, and let the administrator add it."""
        key = world.lay_key(name)
        charge = ("--agent", environment, "--hosts", ",".join(hosts), "-R", REPOSITORY)
        world.admin("user", "add", name, str(key), *charge).must()
        assert world.sshd is not None
        introduce(world.sshd, world.folder / "known_hosts", {world.person(name): world.key(name)})
        desk = cls(world, name, environment, hosts)
        world.run(name, "git", "init", "-q", "--bare", str(desk.clone), where=world.person(name)).must()
        return desk

    @property
    def clone(self) -> Path:
        return self.world.person(self.name) / "mirror.git"

    @property
    def ref(self) -> str:
        return f"refs/agents/{self.name}"

    def git(self, *words: str) -> Result:
        return self.world.run(self.name, "git", *words, where=self.clone)

    def ssh(self, words: str) -> Result:
        return self.world.ssh(self.name, words)

    def poll(self) -> dict[str, str]:
        """What an agent asks for, by full names."""
        refs = [f"refs/environments/{self.environment}/{name}" for name in ("desired", "log")]
        lines = self.git("ls-remote", HOST, *refs, "refs/gitops/log").must().out.splitlines()
        return {ref: oid for oid, ref in (line.split("\t") for line in lines)}

    def repository_id(self) -> str:
        server = tomllib.loads(self.world.home.server_file.read_text())
        return next(entry["id"] for entry in server["repository"] if entry["name"] == REPOSITORY)

    def report(self, *hosts: HostReport, generation: int = 0, commit: str = "", alarm: str = "") -> Report:
        """The next report, with what was told of other hosts before; a desk acts on no log."""
        self.sequence += 1
        self.told |= {host.name: host for host in hosts}
        now = datetime.now(UTC).replace(microsecond=0)
        told = (generation, commit, "", self.sequence, now, tuple(self.told.values()), alarm)
        return Report(self.name, self.repository_id(), self.environment, *told)

    def push(self, report: Report) -> Result:
        """An agent that told too much waits, as it is told to."""
        while _TOO_MUCH in (done := self.push_files({"report": encode(report)})).err:
            time.sleep(1)
        return done

    def push_files(
        self, files: dict[str, bytes], parents: Sequence[str] = (), mode: str = "100644", to: str = ""
    ) -> Result:
        """Commit these blobs without a worktree and push them over what was reported before."""
        commit = self.commit(files, parents, mode)
        return self.git("push", "-q", HOST, f"+{commit}:{to or self.ref}")

    def commit(self, files: dict[str, bytes], parents: Sequence[str] = (), mode: str = "100644") -> str:
        rows = [
            f"{mode} blob {self._ask(content, 'hash-object', '-w', '--stdin')}\t{at}" for at, content in files.items()
        ]
        tree = self._ask("\n".join(rows).encode() + b"\n" if rows else b"", "mktree")
        return self._ask(b"report", "commit-tree", tree, *(word for one in parents for word in ("-p", one)))

    def _ask(self, text: bytes, *words: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.clone,
            env=self.world.environment(self.name),
            input=text,
            capture_output=True,
            check=True,
            timeout=60,
        )
        return done.stdout.decode().strip()

    def reported(self) -> str:
        """The report that the server holds, as bytes of text."""
        return self.world.show(f"{self.ref}:report")
