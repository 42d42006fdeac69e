"""kubectl as a deployment starts it: bounded in time and size, its answers as JSON, its complaints as one line."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.deployed_program import Ended, Place, run_program
from gitops_hooks.plugins.granted import one_line

OUTPUT_LIMIT = 64 * 1024 * 1024
_ERROR_LIMIT = 64 * 1024
_TOLD_LIMIT = 600
_ASK_SECONDS = 60.0
_REQUEST_SECONDS = 30
_MEMORY = 4 * 1024**3
# Both outputs as files: an answer is one text, however long its lines are, and bounded by the size of a file.
_TO_FILES = 'exec "$@" >"$0.out" 2>"$0.err"'
_LOG_LINE = re.compile(r"^(?:[IWEF][0-9]{4} .*|Warning: .*)$", re.MULTILINE)
_ADVICE = re.compile(r"\s*Please review the fields above.*", re.DOTALL)
_UNREACHABLE = re.compile(
    r"Unable to connect to the server|was refused - did you specify the right host|connection refused|no route to host"
    r"|i/o timeout|TLS handshake timeout|no such host|Client\.Timeout|net/http: request canceled"
    r"|the server is currently unable"
)

_UNKNOWN = re.compile(
    r"no matches for kind|doesn't have a resource type|could not find the requested resource"
    r"|namespaces \"\S+\" not found"
)


class Unreachable(Exception):
    """The cluster does not answer; the words say what kubectl said."""


class Halted(Exception):
    """The run was asked to end, or its time is up: `why` is `canceled` or `timeout`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended, what it wrote, and its complaint as one line."""

    status: int
    out: bytes
    complaint: str

    def items(self) -> tuple[dict[str, Any], ...]:
        """The objects of an answer in JSON: one, a list of them, or none. Errors: EdgeError."""
        try:
            found = json.loads(self.out) if self.out.strip() else {"kind": "List"}
        except ValueError:
            raise EdgeError("kubectl", "said something that is no JSON") from None
        listed = [found] if found.get("kind") != "List" else found.get("items") or ()
        return tuple(one for one in listed if isinstance(one, dict))


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One program with one cluster; `hide` withholds what carries a secret, `manager` is who owns fields there."""

    program: str
    place: Place
    scratch: Path
    settings: Path
    manager: str
    hide: Callable[[str], str]

    def run(self, *words: str, seconds: float = _ASK_SECONDS) -> Answer:
        """Errors: Unreachable, Halted, EdgeError."""
        asked = [*words, f"--kubeconfig={self.settings}", f"--cache-dir={self.scratch / 'cache'}"]
        asked.append(f"--request-timeout={_REQUEST_SECONDS}s")
        ended = run_bounded([self.program, *asked], self.place, self.scratch / "said", seconds)
        answer = self._read(ended)
        if answer.status and _UNREACHABLE.search(answer.complaint):
            raise Unreachable(answer.complaint)
        return answer

    def _read(self, ended: Ended) -> Answer:
        out, errors = read_said(self.scratch / "said")
        if is_too_large(ended, errors):
            raise EdgeError("kubectl", f"said more than {OUTPUT_LIMIT // 1024**2} MiB at once")
        return Answer(ended.status, out, self.words(errors) or f"kubectl ended with {ended.status}")

    def words(self, errors: str) -> str:
        """A complaint without its advice, our own paths, and whatever is secret."""
        text = _ADVICE.sub("", _LOG_LINE.sub("", errors)).strip().removeprefix("error: ")
        text = re.sub(rf'"?{re.escape(str(self.scratch))}[^\s":]*"?', "the manifests", text)
        return self.hide(one_line(text))[:_TOLD_LIMIT]

    def lay(self, name: str, texts: Iterable[bytes]) -> str:
        """A file of objects for kubectl."""
        path = self.scratch / name
        path.write_bytes(b"\n---\n".join(texts))
        return str(path)

    def rest(self, seconds: float) -> None:
        """Wait, but not past the end of the run. Errors: Halted."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.place.canceled():
                raise Halted("canceled")
            if time.monotonic() >= self.place.deadline:
                raise Halted("timeout")
            time.sleep(min(0.1, left))


def is_unknown(complaint: str) -> bool:
    """Whether the cluster does not know the kind, or has not got the namespace, of what it was asked for."""
    return bool(_UNKNOWN.search(complaint))


def is_too_large(ended: Ended, errors: str) -> bool:
    """Whether it came to the end of its file's bounds; programs in Go do not hear the signal, and say so."""
    return ended.status == -signal.SIGXFSZ or (ended.status != 0 and "file too large" in errors)


def find_kubectl(path: str) -> str:
    """Errors: EdgeError where this machine has none."""
    found = shutil.which("kubectl", path=path)
    if found is None:
        raise EdgeError("kubectl", "not installed; put it into a folder of tool_folders")
    return found


def run_bounded(
    words: Sequence[str], place: Place, said: Path, seconds: float, most: int = OUTPUT_LIMIT, memory: int = _MEMORY
) -> Ended:
    """Run it with both outputs in files beside `said`. Errors: Halted; EdgeError where it takes too long."""
    bounds = [_prlimit(), "--core=0:0", f"--fsize={most}:{most}", f"--data={memory}:{memory}"]
    until = min(place.deadline, time.monotonic() + seconds)
    ended = run_program(
        ["/bin/sh", "-c", _TO_FILES, str(said), *bounds, *words], replace(place, deadline=until), _nobody, _ask
    )
    if ended.stopped == "canceled" or (ended.stopped and time.monotonic() >= place.deadline):
        raise Halted(ended.stopped)
    if ended.stopped:
        raise EdgeError(Path(words[0]).name, f"gave no answer within {seconds:.0f} s")
    return ended


def read_said(said: Path) -> tuple[bytes, str]:
    """What the last run wrote to both."""
    with said.with_name(said.name + ".err").open("rb") as stream:
        errors = stream.read(_ERROR_LIMIT).decode("utf-8", "replace")
    return said.with_name(said.name + ".out").read_bytes(), errors


def _prlimit() -> str:
    found = shutil.which("prlimit")
    if found is None:
        raise EdgeError("util-linux", "not installed, and no program is bounded without it")
    return found


def _nobody(_: bytes) -> None:
    return


def _ask(pid: int, _: int) -> None:
    os.killpg(pid, signal.SIGTERM)
