"""The first program in a deployment's box: it takes the job, lets the deployer work in a child, and has the last word.

The deployer runs in a fork, so that one which raises, exits or hangs still ends in an outcome. When the lifeline is
cut the whole box dies with this program: it is what keeps the PID namespace alive.
"""

import contextlib
import dataclasses
import os
import select
import signal
import sys
import time
from typing import NoReturn

from gitops_hooks.edge import launch_box as box
from gitops_hooks.edge.door import SOCKET
from gitops_hooks.edge.launch_unpack import ExactReader, unpack
from gitops_hooks.edge.launch_wire import LINE_LIMIT, TERMINATE, Job, Said, encode, parse_job, parse_word
from gitops_hooks.edge.plugins import load_plugins
from gitops_hooks.hookspec import Deployer
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Outcome, Progress, RunState, Workplace
from gitops_hooks.model.drift import Drift
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.plan_found import Plan

_JOB_LIMIT = 4 * 1024 * 1024
_GRACE_SECONDS = 5.0
_TERM_SECONDS = 10.0
_LIFELINE = 0
_CUT = 70


@dataclass(slots=True)
class _Worker:
    """The fork that runs the deployer: its number, its pipe, and what it has said but not finished."""

    pid: int
    said: int
    unread: bytearray
    deadline: float
    terminated: bool = False


def main() -> int:
    os.umask(0o077)
    channel = _take_channel()
    began = time.monotonic()
    try:
        job = parse_job(ExactReader(_LIFELINE).line(_JOB_LIMIT))
        unpack(_LIFELINE, box.PROJECT, job.tree_bytes)
        box.SCRATCH.mkdir(mode=0o700)
        outcome = _watch(_start_worker(job, channel), channel, job)
    except EdgeError as error:
        outcome = Outcome(RunState.ERROR, detail=str(error))
    _write(channel, dataclasses.replace(outcome, seconds=round(time.monotonic() - began, 3)))
    return 0


def _take_channel() -> int:
    """Keep standard output to ourselves: whatever prints by accident must not reach the reconciler."""
    channel = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    return channel


def _start_worker(job: Job, channel: int) -> _Worker:
    said, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(channel)
        os.close(said)
        _work(job, pipe)
    os.close(pipe)
    with contextlib.suppress(OSError):
        # Here too: a request to end may come before the fork has got round to it.
        os.setpgid(pid, pid)
    return _Worker(pid, said, bytearray(), time.monotonic() + job.run_seconds + _GRACE_SECONDS)


def _watch(worker: _Worker, channel: int, job: Job) -> Outcome:
    while True:
        left = worker.deadline - time.monotonic()
        ready = select.select([_LIFELINE, worker.said], [], [], max(0.0, left))[0]
        if not ready:
            return _too_late(worker, job)
        if _LIFELINE in ready:
            _hear(worker)
        if worker.said in ready:
            part = os.read(worker.said, 65536)
            worker.unread += part
            outcome = _pass_on(worker, channel)
            if outcome is not None or not part:
                return _last_word(worker, outcome, job)


def _hear(worker: _Worker) -> None:
    word = os.read(_LIFELINE, 1)
    if not word:
        # Nobody is left to tell: the box dies now, with everything in it.
        os._exit(_CUT)
    if word == TERMINATE and not worker.terminated:
        worker.terminated = True
        worker.deadline = min(worker.deadline, time.monotonic() + _TERM_SECONDS)
        os.killpg(worker.pid, signal.SIGTERM)


def _pass_on(worker: _Worker, channel: int) -> Outcome | None:
    """Hand progress on; an outcome is kept back. Errors: EdgeError where the worker says anything else."""
    while (end := worker.unread.find(b"\n")) >= 0:
        word = parse_word(bytes(worker.unread[:end]))
        del worker.unread[: end + 1]
        if isinstance(word, Outcome):
            return word
        _write(channel, word)
    if len(worker.unread) > LINE_LIMIT:
        raise EdgeError("deployment", "the deployer says too much at once")
    return None


def _too_late(worker: _Worker, job: Job) -> Outcome:
    if worker.terminated:
        return Outcome(RunState.CANCELED, detail=f"did not end within {_TERM_SECONDS:.0f} s of being asked; was killed")
    name = job.deployment.environment.deployer
    return Outcome(RunState.ERROR, detail=f"deployer {name} did not end within {job.run_seconds:.0f} s; was killed")


def _last_word(worker: _Worker, outcome: Outcome | None, job: Job) -> Outcome:
    if outcome is None and worker.terminated:
        return Outcome(RunState.CANCELED, detail="ended on request; deploy again to bring the hosts to one state")
    if outcome is None:
        _, status = os.waitpid(worker.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        how = f"killed by signal {-code}" if code < 0 else f"exit {code}"
        name = job.deployment.environment.deployer
        return Outcome(RunState.ERROR, detail=f"deployer {name} ended without an outcome ({how})")
    if worker.terminated and outcome.state is not RunState.SUCCESSFUL:
        return dataclasses.replace(outcome, state=RunState.CANCELED)
    return outcome


def _work(job: Job, pipe: int) -> NoReturn:
    """The fork: run the deployer, say its outcome, and leave without running anything of the parent's."""
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for end in (0, 1, 2):
            os.dup2(nothing, end)
        outcome = _deploy(job, pipe)
    except EdgeError as error:
        outcome = Outcome(RunState.ERROR, detail=str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin is run here, and must end in an outcome
        outcome = Outcome(RunState.ERROR, detail=f"deployer {job.deployment.environment.deployer} {_raised(error)}")
    _write(pipe, outcome)
    os._exit(0)


def _deploy(job: Job, pipe: int) -> Outcome:
    name = job.deployment.environment.deployer
    deployers = load_plugins(job.plugins).deployers()
    if name not in deployers:
        known = ", ".join(sorted(deployers)) or "none"
        raise EdgeError("deployer", f"no enabled plugin offers '{name}' (offered: {known}); enable it in server.toml")
    if job.deployment.plan or job.deployment.look:
        return _find(deployers[name], job, pipe)
    outcome = deployers[name].deploy(job.deployment, _workplace(job), lambda word: _say(pipe, word))
    if not isinstance(outcome, Outcome):
        raise EdgeError("deployer", f"{name} answered {type(outcome).__name__} instead of Outcome")
    return outcome


def _find(deployer: Deployer, job: Job, pipe: int) -> Outcome:
    """What a look or a plan answers, said before its outcome."""
    ask, kind, cannot = (
        (deployer.plan, Plan, "what a change would do")
        if job.deployment.plan
        else (deployer.drift, Drift, "how hosts differ from what was deployed")
    )
    if ask is None:
        raise EdgeError("deployer", f"{deployer.name} cannot tell {cannot}")
    found = ask(job.deployment, _workplace(job), lambda word: _say(pipe, word))
    if not isinstance(found, kind):
        raise EdgeError("deployer", f"{deployer.name} answered {type(found).__name__} instead of {kind.__name__}")
    _write(pipe, found)
    return Outcome(RunState.SUCCESSFUL)


def _workplace(job: Job) -> Workplace:
    laid = {name: box.CREDENTIALS / name for name in job.laid if name != "state"}
    for path in laid.values():
        if not os.access(path, os.R_OK):
            raise EdgeError("credentials", f"the {path.name} of this environment is not readable for deployments")
    state = box.STATE if "state" in job.laid else None
    if state and not os.access(state, os.W_OK):
        raise EdgeError("credentials", "the state_folder of this environment is not writable for deployments")
    credentials = Credentials.of(laid, job.hosts, state, job.network)
    credentials = dataclasses.replace(credentials, user=job.user, become=job.become, some=job.some)
    way = SOCKET if job.door and not job.network else None
    return Workplace(box.PROJECT, box.SCRATCH, credentials, job.connect_seconds, job.run_seconds, way, job.own)


def _say(pipe: int, word: Progress) -> None:
    if not isinstance(word, Progress):
        raise TypeError(f"say takes Progress, not {type(word).__name__}")
    _write(pipe, word)


def _raised(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"raised {type(error).__name__}{': ' + lines[0][:200] if lines else ''}"


def _write(pipe: int, word: Said) -> None:
    left = memoryview(encode(word))
    while left:
        left = left[os.write(pipe, left) :]


if __name__ == "__main__":
    sys.exit(main())
