"""A server with a release of its own, which a test may change, and a trusted plugin that does what it is told to."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge import living, warm_client
from gitops_hooks.edge.warm_place import running
from tests.people import clean_environment
from tests.push.desk import Desk
from tests.world import ROOT, Template, World

PLUGIN = """\
import os, signal, time
from pathlib import Path
from gitops_hooks.plugin import hookimpl

LEFT = []

@hookimpl
def gitops_decided(push, decision):
    home = Path(os.environ["GITOPS_HOOKS_HOME"])
    mood = (home / "mood").read_text()
    umask = os.umask(0)
    os.umask(umask)
    with (home / "seen").open("a") as seen:
        seen.write(f"VERSION {os.getpid()} {os.getppid()} {len(LEFT)} {os.environ.get('LEFT')} {umask:o}\\n")
    if mood == "leak":
        LEFT.append(bytearray(1 << 20))
        os.environ["LEFT"] = "x"
        os.umask(0)
        os.dup2(os.open(os.devnull, os.O_RDWR), 150)
    elif mood == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    elif mood == "leave":
        os._exit(0)
    elif mood == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif mood == "daemon":
        if os.fork() == 0:
            os.setsid()
            os.closerange(0, 200)
            time.sleep(20)
            os._exit(0)
    elif mood == "wait":
        while (home / "mood").read_text() == "wait":
            time.sleep(0.02)
"""
SILENT = (
    "gitops: the judge ended without a verdict; nothing was moved. Ask the administrator to run: gitops-hooks doctor"
)
_MODULE = "told_plugin"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the plugin saw in one pre-receive: its version, the judge and its parent, and what others left."""

    version: str
    judge: int
    parent: int
    left: int
    environ: str
    umask: str


@dataclass(frozen=True, slots=True)
class WarmDesk:
    """The desk, and what a story does to the warm judge of its server."""

    desk: Desk
    release: Path

    @property
    def world(self) -> World:
        return self.desk.world

    def be(self, mood: str) -> None:
        """Whoever reads the mood meanwhile finds the old one or the new one, and never half of it."""
        beside = self.world.home.path / "mood.new"
        beside.write_text(mood)
        beside.replace(self.world.home.path / "mood")

    def write_plugin(self, version: str, text: str = PLUGIN) -> None:
        (self.release / f"{_MODULE}.py").write_text(text.replace("VERSION", version))

    def propose(self, topic: str, seconds: float = 60.0) -> "tuple[int, list[str]]":
        """Propose a file of this name; answers the exit code and the server's lines."""
        commit = self.desk.commit("alice", {f"{topic}.yml": "a: 1\n"})
        done = self.desk.git("alice", "push", "-q", "host:site", f"{commit}:refs/for/main/{topic}", seconds=seconds)
        return done.code, done.remote_lines

    def start_pushing(self, topic: str) -> "subprocess.Popen[str]":
        commit = self.desk.commit("alice", {f"{topic}.yml": "a: 1\n"})
        return subprocess.Popen(
            ["git", "push", "-q", "host:site", f"{commit}:refs/for/main/{topic}"],
            cwd=self.desk.clone,
            env=self.world.environment("alice"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def seen(self) -> list[Seen]:
        path = self.world.home.path / "seen"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Seen(v, int(j), int(p), int(left), e, u) for v, j, p, left, e, u in map(str.split, lines)]

    def judge(self) -> living.Living:
        """The warm judge, which must run."""
        found = running(self.world.home)
        assert len(found) == 1, found
        return found[0]

    def is_warm(self) -> bool:
        try:
            warm_client.connect(str(self.world.home.path)).close()
        except OSError:
            return False
        return True

    def warm_up(self) -> int:
        """Push until the warm judge has judged; answers its process id."""
        for number in range(20):
            assert self.propose(f"warm-up-{number}-{time.monotonic_ns()}")[0] == 0
            if any(one.pid == self.seen()[-1].parent for one in running(self.world.home)):
                return self.judge().pid
            time.sleep(1)
        raise AssertionError((self.world.home.judge / "log").read_text())


@contextmanager
def warm_desk(site: Template) -> Iterator[WarmDesk]:
    world = World.copied_from(site)
    release = world.folder / "release"
    lay_release(world, release)
    server = world.home.server_file
    trusted = 'trusted = ["gitops_hooks.plugins.ssh_actor", "gitops_hooks.plugins.ansible.deployer", "told_plugin"]'
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\n{trusted}\n", 1))
    warm = WarmDesk(Desk.beside(world), release)
    warm.write_plugin("1")
    warm.be("calm")
    yield warm
    world.close()


def lay_release(world: World, release: Path) -> None:
    """Another copy of this release, and the home's hooks and launchers as its installation lays them."""
    for name in ("gitops_hooks", "hooks"):
        shutil.copytree(ROOT / name, release / name)
    lay = "import sys; from pathlib import Path; from gitops_hooks.edge.home import Home; "
    lay += "from gitops_hooks.edge.hooks_folder import lay_hooks; lay_hooks(Home(Path(sys.argv[1])))"
    environment = {**clean_environment(world.folder), "PYTHONPATH": str(release)}
    command = [sys.executable, "-c", lay, str(world.home.path)]
    subprocess.run(command, env=environment, cwd=world.folder, check=True, timeout=60)
