"""A fixture of pytest, `gitops_server`: a real server over a real sshd, with people who push, ended after each test.

A package uses it with `pytest_plugins = ["gitops_hooks.testing_server"]` in the conftest.py of its root. It needs git
and OpenSSH; the plugin under test must be installed in the environment that runs the tests.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from gitops_hooks.edge import living
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.sshd import Sshd, start_sshd
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import CHECKS

_SECONDS = 60.0
_REPOSITORY = "site"
_DEVELOPER, _REVIEWER = "alice", "bob"
_SSH = """\
Host host
    HostName {address}
    Port {port}
    HostKeyAlias host
    IdentityFile "{key}"
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile "{known_hosts}"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
"""
_POLICY = f"""\
version: 1
branches:
  - match: main
    push: []
    propose: ['*']
    land: [{_DEVELOPER}, {_REVIEWER}]
    approvals:
      - {{count: 1, from: [{_REVIEWER}]}}
"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended; `lines` are what the server said, without git's `remote: ` and padding."""

    code: int
    lines: tuple[str, ...]

    @property
    def refused(self) -> bool:
        return self.code != 0

    @property
    def change(self) -> int:
        """The number of the change. Errors: ValueError where the server told none."""
        found = re.search(r"^gitops: change (\d+)", "\n".join(self.lines), re.MULTILINE)
        if found is None:
            raise ValueError("the server told no change:\n" + "\n".join(self.lines))
        return int(found[1])


class Server:
    """An open resource: `close()` ends everything that it started, and removes its folder.

    `alice` develops and `bob` reviews; the repository `site` has one protected branch, main, that asks for an
    approval by bob and for no check until `require`.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gh-"))
        self.home = Home(self.folder / "home")
        self._checks: dict[str, Mapping[str, Any]] = {}
        self._topics = 0
        self._sshd: Sshd | None = None
        with ExitStack() as undone:
            undone.callback(self.close)
            self._begin()
            undone.pop_all()

    def _begin(self) -> None:
        for name in (_DEVELOPER, _REVIEWER):
            self.add_user(name)
        self._lay_repository()
        self._sshd = start_sshd(self.folder / "sshd", self.home.authorized_keys)
        (self.folder / "known_hosts").write_text(self._sshd.known_hosts_line("host") + "\n")

    # what the administrator does

    def admin(self, *words: str) -> str:
        """`gitops-hooks <words>` on the server, which has to work; answers its output."""
        command = [sys.executable, "-m", "gitops_hooks.entry.cli", "--home", str(self.home.path), *words]
        # PYTHONPATH stays: whoever runs the tests out of a checkout has the suite there.
        kept = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        return self._must(command, self.folder, self._clean() | kept)

    def add_user(self, name: str, *words: str) -> None:
        """Somebody with a key who may push; `words` go to `gitops-hooks user add`."""
        folder = self.folder / "people" / name
        folder.mkdir(parents=True)
        make_key(folder / "id", name)
        self.admin("user", "add", name, str(folder / "id.pub"), "--email", f"{name}@example.org", *words)

    def enable(self, *modules: str) -> None:
        """Enable plugins that offer checks, beside those that ship."""

        def change(document: tomlkit.TOMLDocument) -> None:
            plugins = document["plugins"]
            listed = plugins.get("checks", list(CHECKS))
            plugins["checks"] = [*dict.fromkeys([*listed, *modules])]

        self.configure(change)

    def configure(self, change: Any) -> None:  # noqa: ANN401  # tomlkit's document is what its caller knows
        """Change server.toml: `change` is called with tomlkit's document of it."""
        document = tomlkit.parse(self.home.server_file.read_text())
        change(document)
        self.home.server_file.write_text(tomlkit.dumps(document))

    def require(self, check: str, **options: object) -> None:
        """Bring a policy into force that asks for a check, with options; alice proposes it and bob approves."""
        self._checks[check] = options
        self.land({".gitops/policy.yaml": self._policy()})

    # what people do

    def propose(
        self, files: Mapping[str, str | bytes | None], who: str = _DEVELOPER, message: str = "A change"
    ) -> Pushed:
        """Commit these files (None removes one) on top of the server's main, and propose that for main."""
        clone = self.clone(who)
        self._git(who, "fetch", "-q", "origin")
        self._git(who, "checkout", "-q", "--detach", "origin/main")
        for name, content in files.items():
            path = clone / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self._git(who, "add", "-A")
        self._git(who, "commit", "-q", "-m", message)
        self._topics += 1
        return self.push(who, f"HEAD:refs/for/main/topic-{self._topics}")

    def approve(self, number: int, who: str = _REVIEWER) -> Pushed:
        """Approve the head of a change, which lands it where nothing else is missing."""
        self.clone(who)
        self._git(who, "fetch", "-q", "origin", f"refs/changes/{number}/head")
        return self.push(who, f"FETCH_HEAD:refs/approve/{number}")

    def land(self, files: Mapping[str, str | bytes | None]) -> None:
        """Alice proposes and bob approves. Errors: AssertionError where either is refused."""
        for pushed in (proposed := self.propose(files), self.approve(proposed.change)):
            assert not pushed.refused, "\n".join(pushed.lines)  # noqa: S101  # for tests

    def push(self, who: str, *words: str) -> Pushed:
        """`git push origin <words>` in this person's clone."""
        done = self._run(["git", "push", "origin", *words], self.clone(who), self.environment(who))
        lines = re.split(r"[\r\n]+", done.stderr.decode(errors="replace"))
        said = (line.removeprefix("remote:")[1:] for line in lines if line.startswith("remote:"))
        return Pushed(done.returncode, tuple(line.removesuffix("\x1b[K").rstrip() for line in said))

    def ssh(self, who: str, words: str) -> str:
        """`ssh host <words>`, which has to work; answers its output."""
        return self._must(["ssh", "-F", str(self._ssh(who)), "host", words], self.folder, self.environment(who))

    def clone(self, who: str = _DEVELOPER) -> Path:
        """Their clone of the repository."""
        folder = self.folder / "people" / who / _REPOSITORY
        if not folder.exists():
            words = ["git", "clone", "-q", f"host:{_REPOSITORY}", str(folder)]
            self._must(words, folder.parent, self.environment(who))
        return folder

    def environment(self, who: str = _DEVELOPER) -> dict[str, str]:
        """What their shell has: their key, their name, and nothing of whoever runs the tests but programs."""
        return self._clean() | _person(who) | {"GIT_SSH_COMMAND": f"ssh -F '{self._ssh(who)}'"}

    def close(self) -> None:
        """End what runs and remove the folder. Errors: AssertionError where something had to be killed."""
        if self._sshd is not None:
            self._sshd.stop()
        left = self._living()
        for _ in range(10):
            if not any("gitops-reconcile" in word for one in left for word in one.argv):
                break
            self.admin("reconcile", "--stop")
            left = self._living()
        living.end(left, gentle_seconds=0)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, f"still running after the test: {[one.argv for one in left]}"  # noqa: S101  # for tests

    # within

    def _living(self) -> tuple[living.Living, ...]:
        return tuple(one for one in living.list_living() if any(str(self.folder) in word for word in one.argv))

    def _policy(self) -> str:
        options = {name: values for name, values in self._checks.items() if values}
        # What is JSON is YAML as well.
        return _POLICY + f"    checks: {json.dumps(list(self._checks))}\n" + f"checks: {json.dumps(options)}\n"

    def _lay_repository(self) -> None:
        work, bare = self.folder / "first", self.home.repositories / f"{_REPOSITORY}.git"
        (work / ".gitops").mkdir(parents=True)
        (work / ".gitops" / "policy.yaml").write_text(self._policy())
        environment = self._clean() | _person(_REVIEWER)
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "The site so far"]):
            self._must(["git", *words], work, environment)
        self._must(["git", "clone", "-q", "--bare", str(work), str(bare)], work, environment)
        self._must(["git", "--git-dir", str(bare), "remote", "remove", "origin"], work, environment)
        shutil.rmtree(work)
        self.admin("repo", "add", _REPOSITORY, "--admin", _REVIEWER, "--write", "*")

    def _git(self, who: str, *words: str) -> str:
        return self._must(["git", *words], self.clone(who), self.environment(who))

    def _ssh(self, who: str) -> Path:
        folder = self.folder / "people" / who
        if self._sshd is not None and not (folder / "ssh_config").exists():
            place = {"address": self._sshd.address, "port": self._sshd.port, "key": folder / "id"}
            (folder / "ssh_config").write_text(_SSH.format(known_hosts=self.folder / "known_hosts", **place))
        return folder / "ssh_config"

    def _clean(self) -> dict[str, str]:
        """Nothing of whoever runs the tests but their programs."""
        path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
        alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "TZ": "UTC", **alone}

    def _must(self, words: Sequence[str], where: Path, environment: Mapping[str, str]) -> str:
        done = self._run(words, where, environment)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{words}\n{said}\n{done.stderr.decode(errors='replace')}"  # noqa: S101  # for tests
        return said

    def _run(
        self, words: Sequence[str], where: Path, environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            words,
            cwd=where,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )


def _person(name: str) -> dict[str, str]:
    roles = ("AUTHOR", "COMMITTER")
    return {f"GIT_{role}_NAME": name for role in roles} | {f"GIT_{role}_EMAIL": f"{name}@example.org" for role in roles}


@pytest.fixture
def gitops_server() -> Iterator[Server]:
    """A whole server of this test's own."""
    server = Server()
    yield server
    server.close()
