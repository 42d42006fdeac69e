"""An agent on a host that nobody can log in to, and its file as docs/agent.md says it."""

import getpass
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.keys import make_key
from tests.answers import Result
from tests.faults.small_disk import SmallDisk
from tests.people import clean_environment
from tests.world import REPOSITORY, ROOT, World

AGENT = "web-agent"


@dataclass(slots=True)
class Agent:
    """One host with its agent: `root` stands for the host's `/`.

    `disk` is that of its state folder alone, `within` answers the command that runs words where the host is.
    """

    world: World
    folder: Path
    host: str = "web1"
    name: str = AGENT
    running: list["subprocess.Popen[str]"] = field(default_factory=list)
    disk: SmallDisk | None = None
    within: Callable[[Sequence[str]], list[str]] = list

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def state(self) -> Path:
        return self.disk.seen(self.folder / "state") if self.disk else self.folder / "state"

    @property
    def config(self) -> Path:
        return self.folder / "agent.toml"

    def page(self) -> str | None:
        page = self.root / "page"
        return page.read_text() if page.exists() else None

    def command(self, *words: str) -> list[str]:
        # Not by -m, which would have the working folder among those that programs are taken from.
        program = "from gitops_hooks.entry.cli import main; main()"
        command = [sys.executable, "-c", program, "agent", "--config", str(self.config), *words]
        return self.disk.inside(command) if self.disk else self.within(command)

    @property
    def environ(self) -> dict[str, str]:
        return {**clean_environment(self.folder / "home"), "PYTHONPATH": str(ROOT)}

    def run(self, *words: str, seconds: float = 120.0) -> Result:
        done = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def once(self) -> tuple[int, str]:
        """One round: the exit code, and its last words without the time."""
        done = self.run("--once")
        lines = (done.out or done.err).splitlines() or [""]
        return done.code, lines[-1].partition(" ")[2] if done.out else lines[-1]

    def start(self) -> "subprocess.Popen[str]":
        log = (self.folder / "agent.log").open("a")
        process = subprocess.Popen(
            self.command(),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
        )
        self.running.append(process)
        return process

    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    def status(self) -> dict[str, object]:
        return json.loads(self.run("status", "--json").out)

    def standing(self) -> dict[str, object]:
        return self.status()["hosts"][self.host]

    def report(self) -> dict[str, object]:
        """What the server has of it."""
        return json.loads(self.world.show(f"refs/agents/{self.name}:report"))

    def mirrored(self, ref: str) -> str:
        """Where a ref stands in its mirror."""
        command = ["git", "--git-dir", str(self.state / "mirror.git"), "rev-parse", "--verify", "-q", ref]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def let_pass(self, seconds: int) -> None:
        """As if everything it remembers were so much longer ago."""
        path = self.state / "standing.json"
        found = json.loads(path.read_text())
        for one in found["standing"].values():
            one["at"], one["looked"] = one["at"] - seconds, max(0.0, one["looked"] - seconds)
        path.write_text(json.dumps(found))

    def wipe(self) -> None:
        shutil.rmtree(self.state)

    def set(self, **lines: str) -> None:
        """Top-level lines of its file, as TOML has them."""
        text = self.config.read_text()
        for key, value in lines.items():
            text = re.sub(rf"(?m)^{key} = .*\n", "", text)
            text = f"{key} = {value}\n{text}"
        self.config.write_text(text)
        self.config.chmod(0o600)


def end(process: "subprocess.Popen[str]") -> int:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            living.end(tuple(living.descendants(process.pid)), gentle_seconds=0)
            process.kill()
    return process.wait(10)


def inventory(agent: Agent, *more: str) -> str:
    """web1, and hosts that this agent does not answer for; the address is one that nothing listens at."""
    lines = ["---", "web:", "  hosts:"]
    for name in (agent.host, *more):
        lines += [
            f"    {name}:",
            "      ansible_host: 192.0.2.1",
            f"      root: {agent.root.with_name(f'root-{name}')}",
        ]
    lines[5] = f"      root: {agent.root}"
    return "\n".join([*lines, "  vars:", "    ansible_python_interpreter: /usr/bin/python3", ""])


def lay_agent(agent: Agent, hosts: Sequence[str] = (), answers: str = "") -> None:
    """As docs/agent.md says it: a key, its account on the server, what it trusts, and its file.

    `answers` is what the account answers for, where that is not what the file says.
    """
    world, folder = agent.world, agent.folder
    for path in (folder / "home", agent.root):
        path.mkdir(parents=True, exist_ok=True)
    make_key(folder / "key", agent.name)
    make_key(folder / "host_key", "host")
    named = answers or ",".join(hosts or (agent.host,))
    words = ("user", "add", agent.name, str(folder / "key.pub"), "--agent", "staging", "--hosts", named)
    world.admin(*words).must()
    (folder / "known_hosts").write_text(world.sshd.known_hosts_line() + "\n")
    (folder / "server_key.pub").write_text((world.home.path / "server_key.pub").read_text())
    agent.config.write_text(
        f'''\
name = "{agent.name}"
url = "ssh://{getpass.getuser()}@{world.sshd.address}:{world.sshd.port}/{REPOSITORY}"
key = "key"
known_hosts = "known_hosts"
repository = "{identity(world)}"
adoption = "{world.server_git("rev-list", "--max-parents=0", "refs/gitops/log").strip()}"
server_key = "server_key.pub"
environment = "staging"
hosts = {json.dumps(list(hosts or (agent.host,)))}
state = "state"
host_key = "host_key"
interval = 1
'''
    )
    for name in ("agent.toml", "key", "host_key"):
        (folder / name).chmod(0o600)


def follow_for(world: World, seconds: float) -> None:
    """How long a push waits to see how the deployment ends."""
    file = world.home.server_file
    text = re.sub(r"(?m)^follow_seconds = .*\n", "", file.read_text())
    file.write_text(text.replace("[limits]\n", f"[limits]\nfollow_seconds = {seconds:g}\n", 1))


def identity(world: World) -> str:
    return re.search(r'(?m)^id = "(.*)"', world.home.server_file.read_text())[1]
