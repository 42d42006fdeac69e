"""How an object is, and the words of a status that all kinds have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Value = Mapping[str, Any]


class Well(Enum):
    """How an object is."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"


@dataclass(frozen=True, slots=True)
class Health:
    """How it is, and what it waits for."""

    well: Well
    why: str = ""


def condition_of(status: Value, kind: str) -> Value:
    """The condition of this type, empty where there is none."""
    listed = status.get("conditions")
    found = (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()
    return next((one for one in found if one.get("type") == kind), {})


def number_of(found: Value, key: str) -> int:
    """A number below a key; 0 where none is."""
    value = found.get(key)
    return value if isinstance(value, int) else 0
