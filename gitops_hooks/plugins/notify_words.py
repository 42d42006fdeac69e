"""What every notifier says of a deployment's end, and how its settings are read."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_hooks.plugin import Deployment, EdgeError, HostState, Notice, Outcome

_BAD = (HostState.FAILED, HostState.UNREACHABLE)
_MOST_HOSTS = 100
_LARGEST = 64 * 1024


def headline(deployment: Deployment, outcome: Outcome, notice: Notice) -> str:
    """One line: `site: production degraded: deployment 7 of 9be0d1324f10 failed on web2 (ok 1, failed 1)`."""
    news = f" {notice.news.value}" if notice.news else ""
    if deployment.look:
        hosts = " ".join(host.name for host in outcome.hosts[:5]) + (" …" if len(outcome.hosts) > 5 else "")
        what = f"{outcome.detail}: {hosts}" if hosts else outcome.detail
        return plain(f"{notice.repository}: {deployment.environment.name}{news}: {what} ({deployment.commit[:12]})")
    bad = [host.name for host in outcome.hosts if host.state in _BAD]
    on = f" on {' '.join(bad[:5])}{' …' if len(bad) > 5 else ''}" if bad else ""
    counts = ", ".join(f"{state.value} {count}" for state, count in counted(outcome).items() if count)
    what = f"deployment {deployment.generation} of {deployment.commit[:12]} {outcome.state.value}"
    line = f"{notice.repository}: {deployment.environment.name}{news}: {what}{on}"
    return plain(f"{line} ({counts})" if counts else line)


def counted(outcome: Outcome) -> dict[HostState, int]:
    """How many hosts ended in each state."""
    return {state: sum(host.state is state for host in outcome.hosts) for state in HostState}


def facts_of(deployment: Deployment, outcome: Outcome, notice: Notice) -> dict[str, Any]:
    """The same for programs; details of at most 100 hosts, those that need somebody first."""
    hosts = sorted(outcome.hosts, key=lambda host: (host.state not in _BAD, host.name))[:_MOST_HOSTS]
    return {
        "id": notice.id,
        "news": notice.news.value if notice.news else None,
        "at": notice.at.isoformat(),
        "repository": notice.repository,
        "environment": deployment.environment.name,
        "branch": deployment.environment.branch,
        "commit": deployment.commit,
        "generation": deployment.generation,
        "state": outcome.state.value,
        "seconds": round(outcome.seconds),
        "detail": outcome.detail,
        "counts": {state.value: count for state, count in counted(outcome).items()},
        "hosts": [{"name": one.name, "state": one.state.value, "detail": one.detail} for one in hosts],
    }


def plain(text: str) -> str:
    """Printable, on one line: what hosts said may hold anything."""
    return "".join(char if char.isprintable() else "?" for char in text)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one `[[notify]]`, read strictly; faults name the key."""

    values: Mapping[str, object]

    def unknown(self, known: tuple[str, ...]) -> Iterator[str]:
        for key in sorted(set(self.values) - set(known)):
            yield f"unknown setting '{key}'; known: {', '.join(known)}"

    def required(self, *keys: str) -> Iterator[str]:
        for key in keys:
            if not self.text(key):
                yield f"'{key}' is missing, or no text"

    def one_of(self, *keys: str) -> Iterator[str]:
        if sum(bool(self.text(key)) for key in keys) != 1:
            yield f"exactly one of {' and '.join(keys)} is needed"

    def unreadable(self, *keys: str) -> Iterator[str]:
        """Files that are named and cannot be read; one that others may read is no place for a secret."""
        for key in keys:
            path = self.text(key)
            if path and not Path(path).is_absolute():
                yield f"'{key}' must be a whole path"
            elif path and not (os.access(path, os.R_OK) and Path(path).is_file()):
                yield f"'{key}' is no file that the server's user can read"
            elif path and key != "ca_file" and Path(path).stat().st_mode & 0o007:
                yield f"'{key}' can be read by everybody on this machine; run: chmod o= {path}"

    def text(self, key: str, default: str = "") -> str:
        found = self.values.get(key, default)
        return found if isinstance(found, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.values.get(key)
        good = isinstance(found, list) and all(isinstance(item, str) and item for item in found)
        return tuple(found) if isinstance(found, list) and good else ()

    def number(self, key: str, default: int) -> int:
        found = self.values.get(key, default)
        return found if isinstance(found, int) and not isinstance(found, bool) else 0

    def secret(self, key: str) -> str:
        """The text in the file that a setting names. Errors: EdgeError, which does not tell it."""
        try:
            with Path(self.text(key)).open("rb") as file:
                return file.read(_LARGEST).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise EdgeError(key, "names no text file that the server's user can read") from None
