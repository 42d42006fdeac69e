"""A machine to install on: this one's files under a layer of its own, so that nothing written stays or is seen outside.

Its programs have numbers and mounts of their own and are ended with it; the network is this machine's.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.answers import Result
from tests.world import ROOT

CHECKOUT = Path("/srv/checkout")
_ENTER = Path(__file__).with_name("enter.sh")
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_NETWORK = ("PIP_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_SECONDS = 150.0
# Held open by whoever holds the writing end; what it mounts nobody else sees.
_HOLD = 'mount -t tmpfs -o mode=0755 layers "$1" && echo ready && exec cat >/dev/null'


def why_not() -> str:
    """Why no such machine can be made here, or ''."""
    if os.geteuid() != 0:
        return "needs root"
    try:
        layers = Layers.open()
    except AssertionError as error:
        return f"needs a mount namespace: {str(error).strip()}"
    try:
        with_nothing = Machine.start(layers)
        answer = with_nothing.run("bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "/usr/bin/true")
        with_nothing.end()
    except AssertionError as error:
        return f"needs an overlay in a mount namespace: {' '.join(str(error).split())[-200:]}"
    finally:
        layers.close()
    return "" if answer.code == 0 else f"needs namespaces within namespaces: {answer.err.strip()}"


@dataclass(slots=True)
class Layers:
    """Memory in which machines keep what they write, an open resource: no other program's mounts change."""

    folder: Path
    keeper: "subprocess.Popen[bytes]"
    machines: int = 0

    @classmethod
    def open(cls) -> "Layers":
        folder = Path(tempfile.mkdtemp(prefix="gm-"))
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _HOLD, "sh", str(folder)]
        keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            _await_ready(keeper)
        except AssertionError:
            folder.rmdir()
            raise
        return cls(folder, keeper)

    def close(self) -> None:
        self.keeper.communicate(timeout=_SECONDS)
        self.folder.rmdir()


@dataclass(slots=True)
class Machine:
    """A running machine, an open resource; `layer` is what it wrote, for another one to begin with."""

    layer: Path
    outer: "subprocess.Popen[bytes]"
    first: int

    @classmethod
    def start(cls, layers: Layers, begin_with: Path | None = None) -> "Machine":
        layers.machines += 1
        folder = layers.folder / str(layers.machines)
        command = ["nsenter", "--target", str(layers.keeper.pid), "--mount", "--"]
        command += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        command += ["sh", str(_ENTER), str(folder), str(ROOT), *([str(begin_with)] if begin_with else [])]
        outer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _await_ready(outer)
        # nsenter has become unshare, whose only child is the machine's first program.
        first = int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()[0])
        return cls(folder / "upper", outer, first)

    def run(
        self, *words: str, text: str = "", seconds: float = _SECONDS, environment: Mapping[str, str] | None = None
    ) -> Result:
        """Run a command on it as root."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.first), "--mount", "--pid", "--", *words],
            env={**_ENVIRONMENT, "HOME": _home(), **_network(), **(environment or {})},
            input=text.encode(),
            capture_output=True,
            timeout=seconds,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def run_as(self, user: str, *words: str, text: str = "") -> Result:
        """Run a command on it as one of its users, with nothing of root's."""
        return self.run("runuser", "-u", user, "--", "env", "-i", f"PATH={_ENVIRONMENT['PATH']}", *words, text=text)

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path, text=text).must()

    def end(self) -> None:
        """End it and everything that runs on it."""
        self.outer.communicate(timeout=_SECONDS)


def _await_ready(program: "subprocess.Popen[bytes]") -> None:
    assert program.stdout is not None
    if program.stdout.readline() == b"ready\n":
        return
    _, complaints = program.communicate(timeout=_SECONDS)
    raise AssertionError(complaints.decode(errors="replace"))


def _network() -> dict[str, str]:
    """How this machine reaches a package index: the installation takes its packages from there."""
    return {name: value for name, value in os.environ.items() if name.startswith(_NETWORK)}


def _home() -> str:
    return str(Path("~root").expanduser())
