"""What every task did on every host, one compact file a run; the newest runs are kept.

It is for people who look, and decides nothing: a full disk or a kill loses the end of one file.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops_hooks.edge.store import make_folder
from gitops_hooks.model.deployment import HostState, Step
from gitops_hooks.model.lazy_dataclass import dataclass

_RUNS = 30
_LARGEST = 8 * 1024 * 1024
_CUT = b'["cut"]\n'


@dataclass(frozen=True, slots=True)
class RunLog:
    """The runs of one environment, by the generation of each."""

    folder: Path

    def append(self, generation: int, steps: Iterable[Step]) -> None:
        """Add steps; past 8 MiB the rest of a run is not kept, and the file says so. Never raises for the disk."""
        path = self._path(generation)
        text = b"".join(_line(step) for step in steps)
        try:
            if not path.exists():
                make_folder(self.folder)
                self._drop_old()
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size + len(text) <= _LARGEST:
                    os.write(handle, text)
                elif size <= _LARGEST:
                    os.write(handle, _CUT + b" " * (_LARGEST - size))
            finally:
                os.close(handle)
        except OSError:
            return

    def read(self, generation: int, start: int = 0) -> tuple[tuple[Step, ...], int, bool]:
        """The steps from a byte on, the byte behind the last whole one, and whether the rest was cut off."""
        try:
            with self._path(generation).open("rb") as file:
                file.seek(start)
                found = file.read(_LARGEST + len(_CUT))
        except OSError:
            return (), start, False
        whole = found[: found.rfind(b"\n") + 1]
        lines = whole.splitlines()
        return tuple(_steps(lines)), start + len(whole), _CUT.strip() in lines

    def _path(self, generation: int) -> Path:
        return self.folder / f"{generation}.jsonl"

    def _drop_old(self) -> None:
        runs = sorted(self.folder.glob("*.jsonl"), key=lambda path: int(path.stem) if path.stem.isdigit() else 0)
        for path in runs[: 1 - _RUNS]:
            path.unlink(missing_ok=True)


def run_log(state: Path, environment: str) -> RunLog:
    """The runs of an environment whose repository's state lies here."""
    return RunLog(state / "run_logs" / environment)


def _line(step: Step) -> bytes:
    found = [step.at, step.host, step.state.value, step.task, step.place, step.detail]
    return json.dumps(found, separators=(",", ":")).encode() + b"\n"


def _steps(lines: Iterable[bytes]) -> Iterator[Step]:
    for line in lines:
        try:
            at, host, state, task, place, detail = json.loads(line)
            yield Step(float(at), str(host), HostState(state), str(task), str(place), str(detail))
        except (ValueError, TypeError):
            # A line that a full disk cut short.
            continue
