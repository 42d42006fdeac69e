"""After a batch: every host of it that Ansible was content with is asked whether it is well."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from gitops_hooks.plugin import (
    HealthCheck,
    HealthKind,
    HostOutcome,
    HostState,
    Outcome,
    Progress,
    RunState,
    Workplace,
    listed,
    summary,
)
from gitops_hooks.plugins.ansible.asking import ask
from gitops_hooks.plugins.ansible.events import Listener
from gitops_hooks.plugins.ansible.outcome import CANCELED
from gitops_hooks.plugins.ansible.preflight import Ready

_AT_ONCE = 16
_LOOK_SECONDS = 0.2
_UNASKED = "the run ended before it was known whether it is well"


@dataclass(frozen=True, slots=True)
class Clinic:
    """What asking needs: the hosts, who is told, how a playbook is run on some of them, and when it is over.

    `play` answers the outcome of a playbook on these hosts within so many seconds; `left` are the seconds of the run.
    """

    ready: Mapping[str, Ready]
    workplace: Workplace
    listener: Listener
    play: Callable[[str, Sequence[str], float], Outcome]
    canceled: Callable[[], bool]
    left: Callable[[], float]

    @property
    def over(self) -> bool:
        return self.canceled() or self.left() <= 0


def examine(end: Outcome, checks: Sequence[HealthCheck], clinic: Clinic) -> Outcome:
    """The same outcome, in which hosts that are not well have failed."""
    good = [host.name for host in end.hosts if host.state.is_good]
    if not checks or not good:
        return end
    broke_off = end.state in (RunState.ERROR, RunState.CANCELED) or clinic.over
    faults = dict.fromkeys(good, _UNASKED) if broke_off else _ask_all(checks, good, clinic)
    if not faults:
        return end
    hosts = tuple(_failed(host, faults[host.name]) if host.name in faults else host for host in end.hosts)
    if clinic.canceled():
        return dataclasses.replace(end, hosts=hosts, state=RunState.CANCELED, detail=CANCELED)
    if broke_off and end.state is not RunState.SUCCESSFUL:
        return dataclasses.replace(end, hosts=hosts)
    bad = [host for host in hosts if not host.state.is_good]
    return dataclasses.replace(end, hosts=hosts, state=RunState.FAILED, detail=summary(bad))


def _failed(host: HostOutcome, fault: str) -> HostOutcome:
    return dataclasses.replace(host, state=HostState.FAILED, detail=fault)


def _ask_all(checks: Sequence[HealthCheck], hosts: Sequence[str], clinic: Clinic) -> dict[str, str]:
    """The first fault of each host that has one."""
    faults: dict[str, str] = {}
    for check in checks:
        left = [name for name in hosts if name not in faults]
        if left:
            faults |= _ask_again(check, left, clinic)
    return faults


def _ask_again(check: HealthCheck, hosts: Sequence[str], clinic: Clinic) -> dict[str, str]:
    """Those that are not well are asked again until the tries are over."""
    faults, tries = dict.fromkeys(hosts, _UNASKED), 0
    while faults and tries <= check.retries:
        if tries:
            _pause(check.delay, clinic)
        if clinic.over:
            return dict.fromkeys(faults, _UNASKED)
        clinic.listener.say(Progress(task=f"health {check}: {listed(tuple(faults))}"))
        faults, tries = _ask_once(check, tuple(faults), clinic), tries + 1
    tried = f" ({tries} tries)" if tries > 1 else ""
    told = {name: f"health {check}: {fault}{tried}" for name, fault in faults.items()}
    for name in hosts:
        state = HostState.FAILED if name in faults else HostState.OK
        clinic.listener.note(name, state, f"health {check}", faults.get(name, "") + (tried if name in faults else ""))
    return told


def _ask_once(check: HealthCheck, hosts: Sequence[str], clinic: Clinic) -> dict[str, str]:
    seconds = min(float(check.timeout), clinic.left())
    if check.kind is HealthKind.PLAYBOOK:
        end = clinic.play(check.what, hosts, seconds)
        if end.state in (RunState.ERROR, RunState.CANCELED):
            return dict.fromkeys(hosts, end.detail)
        return {host.name: host.detail for host in end.hosts if not host.state.is_good}
    pool = ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(hosts)))
    asked = {name: pool.submit(ask, check, clinic.ready[name], clinic.workplace, seconds) for name in hosts}
    while wait(asked.values(), _LOOK_SECONDS).not_done and not clinic.over:
        pass
    # Whoever asks to end is not kept waiting by hosts that do not answer.
    pool.shutdown(wait=False, cancel_futures=True)
    answers = {name: _answer(future) for name, future in asked.items()}
    return {name: _told(fault, said, clinic) for name, (fault, said) in answers.items() if fault}


def _answer(future: Future[tuple[str, str]]) -> tuple[str, str]:
    return future.result() if future.done() and not future.cancelled() else (_UNASKED, "")


def _told(fault: str, said: str, clinic: Clinic) -> str:
    return f"{fault}: {clinic.listener.shown(said)}" if said.strip() else fault


def _pause(seconds: float, clinic: Clinic) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not clinic.over:
        time.sleep(_LOOK_SECONDS)
