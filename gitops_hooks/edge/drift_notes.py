"""The last look at each environment's hosts: in the state folder, for people to read; lost, it is looked again."""

import contextlib
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Looked:
    """One look that came to its end: when, at which commit, and what it found."""

    at: datetime
    commit: str
    found: Drift


@dataclass(frozen=True, slots=True)
class DriftNotes:
    """What is noted of one environment."""

    folder: Path
    environment: str

    def read(self) -> Looked | None:
        """None where there was no look, or nothing readable of it is left."""
        try:
            found = json.loads(self._path("json").read_text())
            hosts = tuple(_host(host) for host in found["hosts"])
            at = datetime.fromisoformat(found["at"])
            return Looked(at, str(found["commit"]), Drift(hosts, str(found["detail"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, looked: Looked) -> None:
        """Errors: OSError."""
        facts = {"at": looked.at.isoformat(), "commit": looked.commit, "detail": looked.found.detail}
        hosts = [{**asdict(host), "sync": host.sync.value} for host in looked.found.hosts]
        self._lay("json", json.dumps({**facts, "hosts": hosts}))

    def running(self) -> str:
        """The run id of a look that began and is not known to have ended, or an empty string."""
        return self._text("run")

    def note_run(self, run: str) -> None:
        """Before it begins: a reconciler that is killed leaves nothing that the next does not know of."""
        self._lay("run", run)

    def forget_run(self) -> None:
        self._path("run").unlink(missing_ok=True)

    def asked(self) -> str:
        """Which asking waits for a look, empty for none."""
        return self._text("asked")

    def ask(self, word: str) -> None:
        """Somebody wants a look now. Errors: OSError."""
        self._lay("asked", word)

    def answer(self, word: str) -> None:
        """The look that this asking waited for has ended; a newer asking stays."""
        if self.asked() == word:
            self._path("asked").unlink(missing_ok=True)

    def _lay(self, kind: str, text: str) -> None:
        make_folder(self.folder)
        replace_file(self._path(kind), text.encode())

    def _text(self, kind: str) -> str:
        with contextlib.suppress(OSError, ValueError):
            return self._path(kind).read_text()
        return ""

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.environment}.{kind}"


def drift_notes(state: Path, environment: str) -> DriftNotes:
    """The notes of an environment whose repository's state lies here."""
    return DriftNotes(state / "drift", environment)


def _host(found: dict[str, object]) -> HostDrift:
    listed = found["differences"]
    if not isinstance(listed, list):
        raise TypeError("no list")
    differences = tuple(Difference(str(one["place"]), str(one["task"]), str(one["text"])) for one in listed)
    more = int(str(found["more"]))
    return HostDrift(str(found["name"]), Sync(found["sync"]), differences, more, str(found["detail"]))
