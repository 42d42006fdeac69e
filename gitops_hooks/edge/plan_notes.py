"""What plans found on the hosts: in the state folder, for those who operate them, and never in the repository."""

import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect

MOST_CHANGES = 200
MOST_BYTES = 256 * 1024 * 1024
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class PlanNotes:
    """What one plan found, environment by environment; `digest` is that of its event."""

    at: datetime
    digest: str
    plans: Mapping[str, Plan]


def write_plan(state: Path, number: int, notes: PlanNotes) -> None:
    """Keep it as the newest of this change. Errors: OSError."""
    folder = _folder(state)
    plans = {name: _facts(plan) for name, plan in notes.plans.items()}
    text = json.dumps({"at": notes.at.isoformat(), "digest": notes.digest, "plans": plans})
    replace_file(folder / f"{number}.json", text.encode())
    _trim(folder)


def read_plan(state: Path, number: int, digest: str) -> PlanNotes | None:
    """The newest plan of a change, if it has this digest and is still there."""
    try:
        found = json.loads((state / "plans" / f"{number}.json").read_text())
        plans = {str(name): _plan(plan) for name, plan in found["plans"].items()}
        notes = PlanNotes(datetime.fromisoformat(found["at"]), str(found["digest"]), plans)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return notes if notes.digest == digest else None


def forget_plan(state: Path, number: int) -> None:
    """A purged change's plan may quote what had to go."""
    (state / "plans" / f"{number}.json").unlink(missing_ok=True)


def digest_key(state: Path) -> bytes:
    """The secret that goes into the digests of this repository's plans, made with the first. Errors: OSError.

    With another one every plan has another digest, and is approved again.
    """
    path = _folder(state) / "key"
    with contextlib.suppress(FileNotFoundError):
        if len(key := path.read_bytes()) == _KEY_BYTES:
            return key
    replace_file(path, key := secrets.token_bytes(_KEY_BYTES))
    return key


def _folder(state: Path) -> Path:
    folder = state / "plans"
    make_folder(folder)
    return folder


def _trim(folder: Path) -> None:
    """Keep those of the changes that were planned last."""
    found = sorted(folder.glob("[0-9]*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    left = MOST_BYTES
    for at, path in enumerate(found):
        left -= path.stat().st_size
        if at and (left < 0 or at >= MOST_CHANGES):
            path.unlink(missing_ok=True)


def _facts(plan: Plan) -> dict[str, object]:
    return {"detail": plan.detail, "hosts": [{**asdict(host), "prospect": host.prospect.value} for host in plan.hosts]}


def _plan(found: dict[str, object]) -> Plan:
    hosts = found["hosts"]
    if not isinstance(hosts, list):
        raise TypeError("no list")
    return Plan(tuple(_host(host) for host in hosts), str(found["detail"]))


def _host(found: dict[str, object]) -> HostPlan:
    listed = found["differences"]
    if not isinstance(listed, list):
        raise TypeError("no list")
    differences = tuple(Difference(str(one["place"]), str(one["task"]), str(one["text"])) for one in listed)
    more, withheld = (int(str(found[name])) for name in ("more", "withheld"))
    return HostPlan(str(found["name"]), Prospect(found["prospect"]), differences, more, withheld, str(found["detail"]))
