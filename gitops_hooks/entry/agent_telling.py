"""What an agent tells: a report to the server's own ref for it, a file for Prometheus, and words for people."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256

from gitops_hooks.core.agent_report import encode, parse
from gitops_hooks.core.agent_work import GOOD
from gitops_hooks.edge.agent_mirror import Mirror, Silence, Why
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.edge.store import replace_file
from gitops_hooks.model.agent import HostReport, Report
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.agent_mark import EnvironmentMark, Mark, Standing, Status, Target
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_ALARM = 2000
_MOST_PATH = 500
_AGAIN_SECONDS = 60.0
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Teller:
    """What is true now, for whoever wants to know."""

    file: AgentFile
    mirror: Mirror
    mark: Mark
    standing: Mapping[str, Standing]
    alarm: str

    def report(self, status: Status, say: Callable[[str], None]) -> Status:
        """Push what has changed since the last report; a server that does not take it is told the next time."""
        found = self._report(0)
        digest = sha256(encode(found)).hexdigest()[:32]
        if digest == status.reported:
            return status
        sequence = (status.sequence or self._last_sequence()) + 1
        silence = self._push(sequence)
        if silence and silence.why is Why.REFUSED and (last := self._last_sequence()) >= sequence:
            # The state folder is older than the last report: it was put back from somewhere.
            sequence = last + 1
            silence = self._push(sequence)
        if silence:
            say(f"the server did not take the report: {silence.words}")
            return dataclasses.replace(status, due=min(status.due, time.time() + _AGAIN_SECONDS))
        return dataclasses.replace(status, reported=digest, sequence=sequence)

    def _push(self, sequence: int) -> Silence | None:
        now = datetime.now(UTC).replace(microsecond=0)
        blob = encode(dataclasses.replace(self._report(sequence), at=now))
        return self.mirror.push(self.mirror.write_report(blob), self.file.own_ref)

    def _last_sequence(self) -> int:
        """That of the last report which the server has, 0 where it has none."""
        if self.mirror.fetch([self.file.own_ref]) is not None:
            return 0
        try:
            return parse(self.mirror.read_report()).sequence
        except (EdgeError, ValueError):
            return 0

    def _report(self, sequence: int) -> Report:
        targets = [target for _, target in self.mark.environment.targets]
        newest = max(targets, key=lambda target: target.number, default=None)
        return Report(
            self.file.name,
            self.file.roots.repository,
            self.file.environment,
            newest.generation if newest else 0,
            newest.commit if newest else "",
            self.mark.environment.tip,
            sequence,
            _LAST,
            tuple(_host(name, self.standing.get(name, Standing())) for name in self.file.hosts),
            self.alarm[:_MOST_ALARM],
            str(run_log(self.file.state, self.file.environment).folder)[:_MOST_PATH],
        )

    def lay_metrics(self, status: Status) -> None:
        """The text file for Prometheus, replaced whole. Errors: EdgeError."""
        if self.file.prometheus is None:
            return
        text = "".join(f"{line}\n" for line in self._metrics(status))
        try:
            replace_file(self.file.prometheus, text.encode(), 0o644)
        except OSError as error:
            raise EdgeError("prometheus", f"{self.file.prometheus} cannot be written: {error.strerror}") from None

    def _metrics(self, status: Status) -> list[str]:
        about = f'agent="{self.file.name}",environment="{self.file.environment}"'
        stopped = int(bool(self.mark.environment.stopped))
        lines = [
            *_metric("code", "The exit code of the last round.", [(about, status.code)]),
            *_metric("alarm", "Whether it refuses what the server gave it.", [(about, int(bool(status.alarm)))]),
            *_metric("stopped", "Whether all deployments are stopped.", [(about, stopped)]),
            *_metric("round_timestamp_seconds", "When the last round ended.", [(about, round(status.at))]),
            *_metric("heard_timestamp_seconds", "When the server answered last.", [(about, round(status.heard))]),
        ]
        left = {name for name, target in self.mark.environment.targets if target.pushed}
        mine = (name for name in self.file.hosts if name not in left)
        hosts = [(f'{about},host="{name}"', self.standing.get(name, Standing())) for name in mine]
        synced = [(names, int(one.sync == Sync.SYNCED.value and one.state in GOOD)) for names, one in hosts]
        lines += _metric("host_synced", "Whether the host is as it should be.", synced)
        generations = [(names, one.generation) for names, one in hosts]
        return lines + _metric("host_generation", "The deployment that stands on the host.", generations)


def _metric(name: str, help_text: str, values: list[tuple[str, int]]) -> list[str]:
    full = f"gitops_agent_{name}"
    return [f"# HELP {full} {help_text}", f"# TYPE {full} gauge", *(f"{full}{{{at}}} {n}" for at, n in values)]


def _host(name: str, one: Standing) -> HostReport:
    state = HostState(one.state) if one.state else None
    # A clock may be set in the middle of a run.
    began, took = round(max(0.0, one.began)), round(max(0.0, one.at - one.began))
    return HostReport(name, state, Sync(one.sync), one.changed, one.detail, one.generation, one.commit, began, took)


def stop_words(mark: EnvironmentMark) -> str:
    """`all deployments are stopped by the administrator since …: the reason`, or an empty string."""
    return f"all deployments are stopped {mark.stopped}" if mark.stopped else ""


def judge_hosts(mark: EnvironmentMark, standing: Mapping[str, Standing], paused: str = "") -> tuple[int, str]:
    """0 where all hosts are as released, else 1, with words for each that is not; `paused` is the policy's reason.

    Where all deployments are stopped nothing is kept as released either.
    """
    code, words = _judge_hosts(mark, standing, paused)
    return (1, f"{stop_words(mark)}; {words}") if mark.stopped else (code, words)


def _judge_hosts(mark: EnvironmentMark, standing: Mapping[str, Standing], paused: str) -> tuple[int, str]:
    if not mark.targets:
        return 0, "nothing is released to its hosts yet"
    released = [(host, target) for host, target in mark.targets if not target.pushed]
    if not released:
        return 0, "nothing is released to its hosts: the server has brought them there itself"
    bad = []
    for host, target in released:
        one = standing.get(host, Standing())
        if one.generation != target.generation:
            bad.append(f"{host} waits for generation {target.generation} ({_why(mark, target, paused)})")
        elif one.state not in GOOD:
            bad.append(f"{host} {one.state}: {one.detail}" if one.detail else f"{host} {one.state}")
        elif one.sync != Sync.SYNCED.value:
            bad.append(f"{host} {one.sync}: {one.detail}" if one.detail else f"{host} {one.sync}")
    return (1, "; ".join(bad)) if bad else (0, f"{len(released)} of {len(released)} hosts synced")


def _why(mark: EnvironmentMark, target: Target, paused: str) -> str:
    if mark.stopped:
        return "stopped"
    if paused or mark.paused > target.number:
        return "paused"
    return "canceled" if target.generation <= mark.canceled else "due"
