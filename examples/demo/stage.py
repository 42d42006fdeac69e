"""The machine of the demo: a Git server with alice and bob, three hosts, and the site, all in one folder."""

import json
import os
import shutil
import sys
from pathlib import Path

from examples.demo.terminal import Shell, StoryError, tell
from gitops_hooks.edge import living
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher
from gitops_hooks.edge.living import Living
from gitops_hooks.edge.sshd import stop_sshd
from gitops_hooks.edge.warm_place import stop_warm
from tests.hosts import inventory
from tests.people import clean_environment
from tests.world import REPOSITORY, ROOT, World

HOSTS = ("web1", "web2", "web3")
PEOPLE = ("alice", "bob")
_INVENTORY = "inventories/staging/hosts.yml"
_NOTE = "running.json"


def stage_folder() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "gitops-hooks-demo"


class Stage:
    """An open resource: `close` ends everything that it started and removes its folder."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, None, PEOPLE)
        self.folder = folder

    @classmethod
    def build(cls, folder: Path) -> "Stage":
        """Errors: StoryError where another demo's folder is in the way and is not ours."""
        folder.mkdir(mode=0o700, parents=True)
        stage = cls(folder)
        try:
            stage._build()
        except BaseException:
            stage.close()
            raise
        return stage

    def _build(self) -> None:
        world = self.world
        tell("On the server: people are their SSH keys, and a repository is taken over as it is.")
        admin = self.administrator()
        for name in PEOPLE:
            world.lay_key(name)
            public = f"people/{name}/id.pub"
            admin.type("gitops-hooks", "user", "add", name, public, "--email", f"{name}@example.org")
        hosts = world.start_hosts(*HOSTS)
        files = {str(path.relative_to(_site())): path.read_text() for path in _site().rglob("*") if path.is_file()}
        world.lay_history({**files, _INVENTORY: inventory(hosts)})
        admin.type("gitops-hooks", "repo", "add", REPOSITORY, "--admin", "bob", "--write", "*")
        world.grant_hosts(hosts)
        world.open()
        self._note()

    def administrator(self) -> Shell:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        command = programs / "gitops-hooks"
        command.write_text(
            f"#!/bin/sh\nexec {sys.executable} -m gitops_hooks.entry.cli --home '{self.world.home.path}' \"$@\"\n"
        )
        command.chmod(0o755)
        clean = clean_environment(self.folder)
        environment = {**clean, "PATH": f"{programs}:{clean['PATH']}", "PYTHONPATH": str(ROOT)}
        return Shell("server", environment, self.folder)

    def shell(self, name: str) -> Shell:
        return Shell(name, self.world.environment(name), self.world.person(name))

    def host_file(self, name: str, path: str) -> Path:
        return self.world.hosts[name].root / path

    def keep(self) -> None:
        """Write down what runs, and a file a person that sets a shell up as theirs."""
        self._note()
        for name in PEOPLE:
            lines = [f"export {key}='{value}'" for key, value in self.world.environment(name).items() if key != "HOME"]
            lines += [f"PS1='{name}$ '", f"cd '{self.world.person(name) / REPOSITORY}'"]
            (self.world.person(name) / "shell").write_text("\n".join(lines) + "\n")

    def close(self) -> None:
        end_stage(self.folder)

    def _note(self) -> None:
        folders = [str(self.folder / "sshd"), *(str(self.folder / "hosts" / name / "sshd") for name in HOSTS)]
        pids = [int((Path(folder) / "sshd.pid").read_text()) for folder in folders]
        started = [[pid, one.started] for pid in pids if (one := living.look_at(pid)) is not None]
        (self.folder / _NOTE).write_text(json.dumps({"folders": folders, "started": started}))


def end_stage(folder: Path) -> bool:
    """End everything that a demo in this folder started, and remove the folder; False where there is none."""
    if not folder.exists():
        return False
    if folder.stat().st_uid != os.getuid():
        raise StoryError(f"{folder} belongs to somebody else; set XDG_STATE_HOME to a folder of your own")
    world = World(folder, None, PEOPLE)
    # Nobody can get in first: every visitor starts the reconciler where it does not run.
    stop_sshd(folder / "sshd")
    if world.home.server_file.exists():
        world.stop_reconciler()
        stop_warm(world.home)
    for name in HOSTS:
        stop_sshd(folder / "hosts" / name / "sshd")
    left = living.end((*_noted(folder), *_reconcilers(folder)), gentle_seconds=0)
    if left:
        raise StoryError(f"these do not end: {' '.join(str(one.pid) for one in left)}")
    shutil.rmtree(folder)
    return True


def _noted(folder: Path) -> list[Living]:
    """What the note names and still is what it was: a number alone may be somebody else's by now."""
    try:
        note = json.loads((folder / _NOTE).read_text())
    except (OSError, ValueError):
        return []
    found = ((living.look_at(pid), started) for pid, started in note["started"])
    return [one for one, started in found if one is not None and one.started == started]


def _reconcilers(folder: Path) -> list[Living]:
    launcher = str(reconcile_launcher(Home(folder / "home")))
    return [one for one in living.list_living() if launcher in one.argv]


def _site() -> Path:
    return ROOT / "examples" / "site"
