"""What goes between the reconciler and a deployment's child: one JSON object a line, read strictly.

To the child: one job line, a tar stream, then single bytes. From it: progress lines and one outcome, the last.
"""

import json
import types
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from typing import get_args, get_origin, get_type_hints

from gitops_hooks.model.deployment import Deployment, Outcome, Progress
from gitops_hooks.model.drift import Drift
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.plan_found import Plan

TERMINATE = b"T"
LINE_LIMIT = 8 * 1024 * 1024

Said = Progress | Drift | Plan | Outcome


@dataclass(frozen=True, slots=True)
class Job:
    """What the child must know: the attempt, the hosts that the credentials are for, plugins, limits.

    `laid` names the credentials that were laid into the box; times are in seconds, `tree_bytes` bounds the tree.
    `user`, `become` and `some` are as in Credentials, `own` as in Workplace.
    """

    deployment: Deployment
    hosts: tuple[str, ...]
    laid: tuple[str, ...]
    network: bool
    door: bool
    plugins: tuple[str, ...]
    connect_seconds: float
    run_seconds: float
    tree_bytes: int
    user: str = ""
    become: bool = False
    own: bool = False
    some: bool = False


def encode(word: Job | Said) -> bytes:
    """One line, its end included; ASCII only, so that no byte of a host or a pusher stands in it raw."""
    return json.dumps({type(word).__name__: asdict(word)}, default=_plain, separators=(",", ":")).encode() + b"\n"


def parse_job(line: bytes) -> Job:
    """Errors: EdgeError where the line is anything but one whole job."""
    job = _parse(line, (Job,))
    assert isinstance(job, Job)  # noqa: S101  # for the type checker: _parse answers one of the kinds
    return job


def parse_word(line: bytes) -> Said:
    """Errors: EdgeError where the line is anything but one whole progress, drift, plan or outcome."""
    word = _parse(line, (Progress, Drift, Plan, Outcome))
    assert isinstance(word, Said)  # noqa: S101  # as above
    return word


class _Strange(Exception):
    """A value that is not of the kind that stands in the model."""


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} does not travel")


def _parse(line: bytes, kinds: tuple[type, ...]) -> object:
    try:
        found = json.loads(line)
        ((name, content),) = found.items()
        kind = next(kind for kind in kinds if kind.__name__ == name)
        return _read(kind, content)
    except (ValueError, AttributeError, StopIteration, RecursionError, _Strange) as error:
        raise EdgeError("deployment", f"said something that is no {kinds[-1].__name__.lower()}: {error}") from None


def _read(kind: object, found: object) -> object:
    """A value of this kind, or _Strange; the kinds are those that the model uses."""
    if isinstance(kind, types.UnionType):
        return None if found is None else _read(get_args(kind)[0], found)
    if get_origin(kind) is tuple and isinstance(found, list):
        return tuple(_read(get_args(kind)[0], item) for item in found)
    if kind is float and isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    if kind in (str, int, bool) and type(found) is kind:
        return found
    if isinstance(kind, type):
        if is_dataclass(kind):
            return _read_record(kind, found)
        if issubclass(kind, Enum):
            return kind(found)
    raise _Strange(f"{type(found).__name__} where {getattr(kind, '__name__', kind)} is meant")


def _read_record(kind: type, found: object) -> object:
    hints = get_type_hints(kind)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(kind)}:
        raise _Strange(f"not the fields of {kind.__name__}")
    return kind(**{name: _read(hints[name], value) for name, value in found.items()})
