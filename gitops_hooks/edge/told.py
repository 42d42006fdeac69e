"""How far each notifier was told of each environment: derived, and lost with no more harm than one notice twice."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.lazy_dataclass import dataclass

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 1800.0


@dataclass(frozen=True, slots=True)
class Told:
    """`number` of the newest end that was told; after `tries` in vain since, the next is due at `due` (Unix time)."""

    number: int
    tries: int = 0
    due: float = 0.0
    error: str = ""

    def failed(self, now: float, error: str) -> "Told":
        """Again after 5, 10, 20 … seconds, at most half an hour."""
        pause = min(_FIRST_PAUSE * 2 ** min(self.tries, 20), _LONGEST_PAUSE)
        return Told(self.number, self.tries + 1, now + pause, error)


def load_told(state: Path, target: str) -> dict[str, Told]:
    """By environment; empty where nothing is known, or nothing that can be read."""
    try:
        found = json.loads(_path(state, target).read_text())
        return {str(name): _told(values) for name, values in found.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def save_told(state: Path, target: str, told: Mapping[str, Told]) -> None:
    """Errors: OSError."""
    path = _path(state, target)
    make_folder(path.parent)
    replace_file(path, json.dumps({name: asdict(values) for name, values in told.items()}).encode())


def _told(values: Mapping[str, object]) -> Told:
    number, tries, due, error = (values[key] for key in ("number", "tries", "due", "error"))
    if not isinstance(number, int) or not isinstance(tries, int) or not isinstance(due, (int, float)):
        raise TypeError
    return Told(number, tries, float(due), str(error))


def _path(state: Path, target: str) -> Path:
    return state / "told" / f"{target}.json"
