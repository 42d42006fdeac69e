"""A server for bad input, what a push of it must leave as it was, and a canary that hears whoever reaches outside."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge.living import list_living
from gitops_hooks.edge.warm_place import running
from gitops_hooks.model.server import CHECKS
from tests.faults.failpoints import no_reconciler
from tests.hostile.rogue import DEEDS, MARK, name_of
from tests.push.desk import Content, Desk
from tests.push.waiting_fork import without_waiting_forks
from tests.world import Template, World

# What one push may take beyond its checks, whatever is in it, on a machine with much else to do.
MARGIN = 40
BRANCHES = {
    "main": "yaml, secrets, controller",
    "documents": "yaml, json, toml, schema",
    "ansible": "ansible, controller",
    "clusters": "kubernetes",
    "infra": "terraform",
    "rules": "rego, cel",
    "rogue": ", ".join(name_of(deed) for deed in DEEDS),
}
_RULE = """\
  - match: {0}
    push: []
    propose: ['*']
    land: ['@ops']
    approvals:
      - {{count: 1, from: ['@ops']}}
    files: {{symlinks: []}}
    checks: [{1}]
"""
_HEAD = "version: 1\ngroups:\n  ops: [alice, bob]\nbranches:\n"
_OPTIONS = """\
checks:
  schema: {schemas: {schema.json: ['data/**']}}
  kubernetes: {version: '1.33', remote: error}
  terraform: {external_data: error}
  rego: {paths: ['apps/**'], engine: regorus}
  cel:
    rules:
      - {name: named, paths: 'apps/**', expr: 'has(doc.name)', message: say a name}
"""
POLICY = _HEAD + "".join(_RULE.format(name, checks) for name, checks in BRANCHES.items()) + _OPTIONS
_REGO = 'package main\n\nimport rego.v1\n\ndeny contains "no name" if not input.name\n'
_FILES = {
    ".gitops/policy.yaml": POLICY,
    "README.md": "A site\n",
    "schema.json": '{"type": "object"}\n',
    "policy/base.rego": _REGO,
}


def build_template(folder: Path) -> Template:
    """Every branch is there before the server takes the repository over."""
    world = World(folder, None)
    world.lay_people()
    world.lay_history(_FILES)
    for name in set(BRANCHES) - {"main"}:
        world.server_git("branch", name, "main")
    world.admin("repo", "add", "site", "--admin", "bob", "--write", "*").must()
    server = folder / "home" / "server.toml"
    checks = ", ".join(f'"{module}"' for module in (*CHECKS, "tests.hostile.rogue"))
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\nchecks = [{checks}]\n", 1))
    return Template(folder)


@dataclass(slots=True)
class Ground:
    """One server, its desk, and a canary: a port where nobody may knock, and a folder where nobody may write."""

    desk: Desk
    door: socket.socket
    seconds: int

    @classmethod
    @contextmanager
    def opened(cls, template: Template, seconds: int) -> Iterator["Ground"]:
        """`seconds` is what one check may take."""
        world = World.copied_from(template)
        server = world.home.server_file
        server.write_text(server.read_text().replace("[limits]\n", f"[limits]\ncheck_seconds = {seconds}\n", 1))
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            door.listen()
            door.setblocking(False)
            ground = cls(Desk.beside(world), door, seconds)
            ground.canary.mkdir()
            ground.canary.chmod(0o777)  # whoever gets out may write here, and is seen
            # None packs refs between two looks at them.
            with no_reconciler(world):
                ground.desk.push("alice", f"{ground.desk.commit('alice', {'a.yml': 'a: 1'})}:refs/for/main/good").must()
                yield ground
        world.close()

    @property
    def canary(self) -> Path:
        return self.desk.world.folder / "canary"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.door.getsockname()[1]}"

    def told(self, branch: str, files: Mapping[str, Content]) -> str:
        """All that a refused proposal of these files is told, in one line, however it was wrapped."""
        return self.told_of(branch, self.desk.commit("alice", files))

    def told_of(self, branch: str, commit: str) -> str:
        before, began = self._state(), time.monotonic()
        done = self.desk.push("alice", f"{commit}:refs/for/{branch}/bad")
        spent = time.monotonic() - began
        assert done.code != 0, done.remote
        assert spent < self.seconds + MARGIN, f"{spent:.1f} s"
        self._wait_for_silence()
        assert self._state() == before
        assert list(self.canary.iterdir()) == []
        assert self._knocks() == 0
        _, _, said = done.remote.partition(f"gitops: refused refs/for/{branch}/bad\n")
        assert said, done.remote
        return " ".join(said.split())

    def line_of(self, word: str, branch: str) -> int:
        """The line of the policy at which this word stands in the rule of a branch."""
        start = POLICY.index(f"match: {branch}\n")
        return POLICY.count("\n", 0, POLICY.index(word, start)) + 1

    def _knocks(self) -> int:
        try:
            self.door.accept()[0].close()
        except BlockingIOError:
            return 0
        return 1

    def _state(self) -> tuple[dict[str, str], list[str]]:
        """The refs, and every file that a push could leave behind; the server's own books may grow."""
        home, repository = self.desk.world.home.path, self.desk.world.repository
        inside = [path for path in repository.rglob("*") if path.is_file()]
        scratch = [path for path in (home / "state").rglob("*") if path.is_file() and "verdicts" not in path.parts]
        left = [str(path) for path in (*inside, *scratch) if path.suffix not in (".log", ".jsonl")]
        return self.desk.refs(), sorted(left)

    def _wait_for_silence(self) -> None:
        """Nothing of the push runs any more; sshd's own child for the connection may take a moment."""
        deadline = time.monotonic() + 10
        while (left := self._running()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []

    def _running(self) -> list[tuple[str, ...]]:
        """By the mark, or by the environment of this server's hooks, which every fork of theirs still has."""
        place = str(self.desk.world.home.path).encode()
        found = [each for each in list_living() if MARK in each.argv or place in _environment(each.pid)]
        warm = {one.pid for one in running(self.desk.world.home)}
        found = without_waiting_forks(found, warm)
        return [each.argv for each in found if not any("reconcile" in word for word in each.argv)]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
