"""The deployer `command`: a script of the tree, in a box without network and secrets unless the server trusts it."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gitops_hooks.plugin import (
    Deployer,
    Deployment,
    Difference,
    Drift,
    EdgeError,
    HostOutcome,
    HostPlan,
    HostState,
    Outcome,
    Plan,
    Progress,
    Prospect,
    RunState,
    Say,
    Step,
    Workplace,
    hookimpl,
)
from gitops_hooks.plugins.deployed_program import Ended, Place, last_moment, listen_for_term, run_program
from gitops_hooks.plugins.granted import WITHHELD, hider, one_line, read_variables
from gitops_hooks.plugins.looked import drift_of

_TOLD_EVERY = 0.2
_LINE_LIMIT = 300
_MOST_LINES = 5000
_MOST_PLANNED = 500
_DIFFERS = 2
_CUT = f"more than {_MOST_LINES} lines; the rest is not kept"
# What nobody trusts gets no more than what a check may start.
_BOUNDS = {"core": 0, "nproc": 256, "data": 2 * 1024**3, "fsize": 1024**3, "nofile": 1024, "memlock": 0, "msgqueue": 0}


@hookimpl
def gitops_deployers() -> Iterable[Deployer]:
    words = "runs a script of the repository, in the sandbox unless the server trusts it"
    return (Deployer("command", words, deploy, drift=look, plan=plan),)


def deploy(deployment: Deployment, workplace: Workplace, say: Say) -> Outcome:
    """The script stands for a host. Errors: EdgeError where it, or what it is granted, cannot be used."""
    script, *words = deployment.environment.run
    program = _find(workplace.project, "run", script)
    if isinstance(program, str):
        return Outcome(RunState.ERROR, detail=program)
    told = _Told(script, say, hider(workplace.credentials, read_variables(workplace.credentials).values()))
    ended = _run(deployment, workplace, [str(program), *words], told)
    return _judge(script, ended, told.last, workplace.run_timeout)


def look(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    """Another script says whether anything differs: 0 for no, 2 for yes, as `terraform plan -detailed-exitcode`."""
    asked = deployment.environment.drift_run
    if not asked:
        return Drift(detail="the environment has no drift_run, which would say how it is")
    return drift_of(_ask_script("drift_run", asked, (deployment, workplace, say)))


def plan(deployment: Deployment, workplace: Workplace, say: Say) -> Plan:
    """A further script says in the same way what a deployment of its tree would change."""
    asked = deployment.environment.plan_run
    if not asked:
        return Plan(detail="the environment has no plan_run, which would say what a change does")
    return _ask_script("plan_run", asked, (deployment, workplace, say))


def _ask_script(key: str, asked: Sequence[str], job: tuple[Deployment, Workplace, Say]) -> Plan:
    """What a script of the tree answers, for the one host that the deploying script stands for."""
    (script, *words), (deployment, workplace, say) = asked, job
    program = _find(workplace.project, key, script)
    if isinstance(program, str):
        return Plan(detail=program)
    host = deployment.environment.run[0]
    told = _Told(host, say, hider(workplace.credentials, read_variables(workplace.credentials).values()))
    ended = _run(deployment, workplace, [str(program), *words], told)
    if not ended.stopped and ended.status == 0:
        return Plan((HostPlan(host, Prospect.UNCHANGED),))
    if ended.stopped or ended.status != _DIFFERS:
        why = f"{script} {_how(ended)}: {told.last}".removesuffix(": ")
        return Plan((HostPlan(host, Prospect.UNKNOWN, detail=why),))
    lines = told.lines or [f"{script} says so, and not what"]
    found = tuple(Difference("", line) for line in lines[:_MOST_PLANNED])
    withheld = sum(one.task == WITHHELD for one in found)
    return Plan((HostPlan(host, Prospect.CHANGES, found, len(lines) - len(found), withheld),))


def _run(deployment: Deployment, workplace: Workplace, words: Sequence[str], told: "_Told") -> Ended:
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    told.begin()
    environ = {**read_variables(workplace.credentials), **_environ(deployment, workplace)}
    place = Place(workplace.project, environ, deadline, canceled)
    bounds = () if workplace.credentials.network else _bounds()
    ended = run_program([*bounds, *words], place, told.hear, _ask)
    told.flush()
    return ended


def _find(project: Path, key: str, script: str) -> Path | str:
    """The script, or why there is none that could be started."""
    path = (project / script).resolve()
    if not path.is_relative_to(project.resolve()) or not path.is_file():
        return f"{key}: {script} is no file of the repository; correct the environment's entry in the policy"
    if not os.access(path, os.X_OK):
        return f"{key}: {script} is not executable; run: git update-index --chmod=+x {script}"
    return path


def _environ(deployment: Deployment, workplace: Workplace) -> dict[str, str]:
    said = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}
    said["GITOPS_ENVIRONMENT"] = deployment.environment.name
    said["GITOPS_COMMIT"] = deployment.commit
    said["GITOPS_GENERATION"] = str(deployment.generation)
    granted = workplace.credentials
    paths = (("KEY", granted.key), ("KNOWN_HOSTS", granted.known_hosts), ("STATE_FOLDER", granted.state_folder))
    return said | {f"GITOPS_{name}": str(path) for name, path in paths if path is not None}


def _bounds() -> list[str]:
    found = shutil.which("prlimit")
    if found is None:
        raise EdgeError("util-linux", "not installed, and no script is bounded without it")
    return [found, *(f"--{name}={most}:{most}" for name, most in _BOUNDS.items())]


def _ask(pid: int, _: int) -> None:
    os.killpg(pid, signal.SIGTERM)


class _Told:
    """What the script writes, as steps: bounded, and without what it was granted."""

    def __init__(self, script: str, say: Say, hide: Callable[[str], str]) -> None:
        self.last = ""
        self.lines: list[str] = []
        self._script = script
        self._say = say
        self._hide = hide
        self._began = self._said = time.monotonic()
        self._steps: list[Step] = []
        self._left = _MOST_LINES

    def begin(self) -> None:
        self._say(Progress(hosts=(self._script,)))

    def hear(self, line: bytes) -> None:
        text = self._hide(one_line(line.decode("utf-8", "replace")))[:_LINE_LIMIT]
        if text:
            self.last = text
            self._left -= 1
            self.lines += [text] if self._left >= 0 else []
            if self._left >= -1:
                self._steps.append(self._step(text if self._left >= 0 else _CUT))
        if time.monotonic() - self._said >= _TOLD_EVERY:
            self.flush()

    def _step(self, text: str) -> Step:
        return Step(round(time.monotonic() - self._began, 2), self._script, HostState.OK, text)

    def flush(self) -> None:
        steps, self._steps = tuple(self._steps), []
        self._said = time.monotonic()
        if steps:
            self._say(Progress(task=steps[-1].task, steps=steps))


def _judge(script: str, ended: Ended, last: str, limit: float) -> Outcome:
    if not ended.stopped and ended.status == 0:
        return Outcome(RunState.SUCCESSFUL, (HostOutcome(script, HostState.OK),))
    how = _how(ended)
    hosts = (HostOutcome(script, HostState.FAILED, 0, f"{how}: {last}" if last else how),)
    if ended.stopped == "canceled":
        return Outcome(RunState.CANCELED, hosts, detail="ended on request; nobody knows how far it came")
    if ended.stopped == "timeout":
        words = f"did not end within {limit:.0f} s; raise deploy_seconds in server.toml, or do less at once"
        return Outcome(RunState.FAILED, hosts, detail=words)
    return Outcome(RunState.FAILED, hosts, detail=f"{script} {how}")


def _how(ended: Ended) -> str:
    return f"ended with {ended.status}" if ended.status >= 0 else f"was ended by signal {-ended.status}"
