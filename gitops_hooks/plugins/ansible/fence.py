"""The fence on a host: one run at a time, and an older run never writes after a newer one.

Below the login user's home lies `.gitops-hooks/<host>/`, one folder per host key, since hosts may share a home:

- `run`: locked exclusively by the run that the host belongs to, as long as its connection lives;
- `lock`: shared by every command of that run, exclusive for the moment in which a run takes the host;
- `generation-<environment>`: the newest generation of each environment that ever took the host; a look at what one
  brought may take the host after it, and leaves the number as it is;
- `current`: the run that the host belongs to; `fence-<run>` compares it before each command.

The fence stands in front of the login shell and not in front of Python alone: so it also covers `raw`, file
transfers and tasks that become another user, who could not read below the login user's home.
Limit: a command that leaves a program of its own behind, as `raw: server &` does, keeps the host working.
There is no lock on this side: nothing outlives a run here, and the host's own lock also knows other servers.
"""

import contextlib
import hashlib
import json
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import paramiko

from gitops_hooks.plugin import Deployment, HostOutcome, HostState
from gitops_hooks.plugins.ansible.mitogen import MITOGEN

_LIFE_SECONDS = 10.0
_SILENCE_SECONDS = 90.0
_SLACK_SECONDS = 5.0
# What is told to a host is put on its way within this time; what cannot be, since the host stands still, is left.
LINE_SECONDS = _SLACK_SECONDS
_AT_ONCE = 32
# So much longer than a host may wait for what still works there, all of `take` lasts at most.
TAKE_SECONDS = 2 * _SLACK_SECONDS
_ANSWER_LIMIT = 64 * 1024
# Those that Ansible looks for where no inventory names one, of all its releases.
SOUGHT = (
    *(f"python3.{minor}" for minor in range(15, 7, -1)),
    *("/usr/bin/python3", "python3", "/usr/libexec/platform-python", "/usr/bin/platform-python"),
)
_TOLD = {"fence", "python", "shell"}
_PYTHONS = "python3 /usr/bin/python3 /usr/libexec/platform-python"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Taken:
    """A host that belongs to this run until `channel` closes; `prefix` is what each of its commands starts with.

    `pythons` says where each name of SOUGHT leads there, empty where it leads nowhere.
    """

    channel: paramiko.Channel
    prefix: str
    pythons: Mapping[str, str]


def take(
    client: paramiko.SSHClient, host: str, host_key: bytes, python: str, deployment: Deployment, wait: float
) -> Taken | HostOutcome:
    """Make the host this run's own, waiting so many seconds for what still works there.

    Errors: OSError, paramiko.SSHException, where the connection breaks.
    """
    transport = client.get_transport()
    if transport is None:
        raise OSError("the connection is gone")
    channel = transport.open_session(timeout=wait)
    forms = _forms(whole=deployment.environment.strategy == MITOGEN)
    channel.exec_command(_command(python, _job(host_key, deployment, wait, forms)))
    channel.sendall(b"".join(forms.values()))
    answer = _answer(channel, wait + _SLACK_SECONDS)
    if answer.get("state") == "taken" and answer.keys() >= _TOLD:
        return Taken(channel, _prefix(answer), _pythons(answer))
    channel.close()
    return _set_aside(host, answer, deployment)


class Life:
    """Tells the taken hosts from time to time that this run lives; leaving it gives them back."""

    def __init__(self, taken: tuple[Taken, ...]) -> None:
        self._taken = taken
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> None:
        self._teller.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._teller.join(_SLACK_SECONDS)
        self._with_each(lambda channel: channel.close())

    def _tell(self) -> None:
        while not self._over.wait(_LIFE_SECONDS):
            self._with_each(lambda channel: channel.sendall(b"\n"))

    def _with_each(self, act: Callable[[paramiko.Channel], object]) -> None:
        """A host that reboots during the run loses its line and keeps its fence; the others hear of this run.

        Nor do they wait, one after the other, for hosts that stand still: each may take `LINE_SECONDS`.
        """

        def reach(taken: Taken) -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                act(taken.channel)

        with ThreadPoolExecutor(_AT_ONCE) as hands:
            list(hands.map(reach, self._taken))


def _prefix(answer: dict[str, str]) -> str:
    reader = [answer["shell"]] if answer["shell"] else [answer["python"], "-I", "-S"]
    return shlex.join([*reader, answer["fence"]])


def _pythons(answer: dict[str, str]) -> dict[str, str]:
    """Those that it tells as every shell does: with their whole path, or not at all."""
    return {name: found for name in SOUGHT if (found := answer.get(name, "?")) == "" or found.startswith("/")}


def _command(python: str, job: Mapping[str, object]) -> str:
    """The job is plain words, numbers and yes or no, and none of them a secret: every user there may read it.

    Below 9,000 bytes, which is all that Dropbear takes for a command.
    """
    script = shlex.quote(f"{(_HERE / 'on_host_take.py').read_text(encoding='utf-8')}\n\nmain({job!r})\n")
    chosen = shlex.quote(python) if python else _PYTHONS
    find = f'for p in {chosen}; do command -v "$p" >/dev/null 2>&1 && exec "$p" -I -S -c "$0"; done; exit 127'
    return f"exec /bin/sh -c {shlex.quote(find)} {script}"


def _job(host_key: bytes, deployment: Deployment, wait: float, forms: Mapping[str, bytes]) -> dict[str, object]:
    name = f"{deployment.repository}\n{deployment.environment.name}"
    return {
        "host": hashlib.sha256(host_key).hexdigest()[:16],
        "environment": hashlib.sha256(name.encode()).hexdigest()[:16],
        "generation": deployment.generation,
        "run": deployment.run_id,
        "wait": wait,
        "look": deployment.look,
        "pythons": SOUGHT,
        "silence": _SILENCE_SECONDS,
        **{name: len(form) for name, form in forms.items()},
    }


def _forms(*, whole: bool) -> dict[str, bytes]:
    """Only the one in Python stays behind a command that is a whole run."""
    light = b"" if whole else (_HERE / "on_host_fence.sh").read_bytes()
    return {"fence": (_HERE / "on_host_fence.py").read_bytes(), "light": light}


def _answer(channel: paramiko.Channel, seconds: float) -> dict[str, str]:
    """The host's one line; `state` is `silent` with its complaints where none comes in time."""
    deadline = time.monotonic() + seconds
    said = b""
    while b"\n" not in said and len(said) < _ANSWER_LIMIT and (left := deadline - time.monotonic()) > 0:
        channel.settimeout(left)
        try:
            part = channel.recv(4096)
        except TimeoutError:
            break
        if not part:
            break
        said += part
    channel.settimeout(LINE_SECONDS)
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(said.partition(b"\n")[0])
        if isinstance(answer, dict) and all(isinstance(value, str) for value in answer.values()):
            return answer
    return {"state": "silent", "by": _complaints(channel)}


def _complaints(channel: paramiko.Channel) -> str:
    if channel.exit_status_ready() and channel.recv_exit_status() == 127:
        return "no python3 there; install it, or set ansible_python_interpreter"
    words = channel.recv_stderr(2048).decode("utf-8", "replace") if channel.recv_stderr_ready() else ""
    return " ".join(words.split())[-300:] or "no answer"


def _set_aside(host: str, answer: dict[str, str], deployment: Deployment) -> HostOutcome:
    by = answer.get("by", "")
    reasons = {
        "busy": (
            HostState.UNREACHABLE,
            f"run {by or 'unknown'} works on {host}; it is caught up when that run is over",
        ),
        "working": (
            HostState.UNREACHABLE,
            f"not known idle: a command of an earlier run still works on {host} ({by or 'unknown'}); "
            "it is caught up when that has ended, end it there if it hangs",
        ),
        "newer": (
            HostState.SKIPPED,
            f"generation {deployment.generation} is older than what {host} has already seen ({by}); deploy again",
        ),
    }
    unknown = (HostState.FAILED, f"the fence cannot be set up on {host}: {by}")
    state, detail = reasons.get(answer.get("state", ""), unknown)
    # A host that has seen a newer deployment has something that our log does not tell.
    return HostOutcome(host, state, detail=detail, untouched=answer.get("state") != "newer")
