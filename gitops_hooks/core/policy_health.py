"""The policy's `health:` of an environment → what each host is asked after it was deployed to."""

import re

from gitops_hooks.core.policy_nodes import read_fields, read_items, read_text
from gitops_hooks.core.policy_reading import Reading, read_path
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.rollout import HealthCheck, HealthKind

_KINDS = tuple(kind.value for kind in HealthKind)
_KEYS = (*_KINDS, "status", "timeout", "retries", "delay")
_TIMEOUT, _PLAYBOOK_TIMEOUT, _RETRIES, _DELAY, _STATUS = 10, 300, 3, 5, 200
_PORTS = 65535
# A run that says nothing for idle_seconds (half an hour) is ended.
_LONGEST, _LONGEST_PLAYBOOK = 600, 3600
# The host's own address stands where {host} does, and nothing else can be asked.
_URL = re.compile(r"https?://\{host\}(:[1-9][0-9]{0,4})?(/[!-z|~]*)?")
_COMMAND = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,1000}")
_TIME = re.compile(r"(0|[1-9][0-9]{0,3})([sm])")
_ANY = re.compile(r"[^\x00-\x1f]{0,40}")


def read_health(node: Marked | None, reading: Reading) -> tuple[HealthCheck, ...]:
    """The questions in their order."""
    items = read_items(node, "health", reading.faults)
    if node is not None and node.tag == "seq" and not items:
        reading.complain(node, "health: an empty list asks nothing; take it out")
    return tuple(check for item in items if (check := _read_check(item, reading)))


def _read_check(node: Marked, reading: Reading) -> HealthCheck | None:
    fields = read_fields(node, "an entry of health", _KEYS, reading.faults)
    kinds = [key for key in _KINDS if key in fields]
    if len(kinds) != 1:
        if node.tag == "map":
            reading.complain(node, f"an entry of health asks one thing: {', '.join(_KINDS)}")
        return None
    kind = HealthKind(kinds[0])
    if "status" in fields and kind is not HealthKind.HTTP:
        reading.complain(fields["status"], f"status: only http answers with one, {kind.value} does not")
    return HealthCheck(
        kind,
        _read_what(kind, fields[kind.value], reading),
        _read_number(fields.get("status"), "status", (_STATUS, 100, 599), reading),
        _read_time(fields.get("timeout"), "timeout", (*_timeouts(kind), 1), reading),
        _read_number(fields.get("retries"), "retries", (_RETRIES, 0, 100), reading),
        _read_time(fields.get("delay"), "delay", (_DELAY, _LONGEST, 0), reading),
    )


def _timeouts(kind: HealthKind) -> tuple[int, int]:
    """What counts where none is written, and the longest: a playbook says what it does meanwhile."""
    return (_PLAYBOOK_TIMEOUT, _LONGEST_PLAYBOOK) if kind is HealthKind.PLAYBOOK else (_TIMEOUT, _LONGEST)


def _read_what(kind: HealthKind, node: Marked, reading: Reading) -> str:
    match kind:
        case HealthKind.TCP:
            return str(_read_number(node, "tcp", (0, 1, _PORTS), reading))
        case HealthKind.HTTP:
            words = "http://{host}, with a port and a path where they are needed; {host} stands for the host's address"
            found = read_text(node, "http", reading.faults, _URL, words)
            if (port := _URL.fullmatch(found)) and int((port[1] or ":80")[1:]) > _PORTS:
                reading.complain(node, f"http: {port[1][1:]} is no port")
            return found
        case HealthKind.COMMAND:
            return read_text(node, "command", reading.faults, _COMMAND, "a command on one line")
        case HealthKind.PLAYBOOK:
            return read_path(node, "playbook", reading)


def _read_number(node: Marked | None, what: str, bounds: tuple[int, int, int], reading: Reading) -> int:
    """A number; `bounds` are what counts without one, the least and the most."""
    otherwise, least, most = bounds
    if node is None:
        return otherwise
    if node.tag == "int" and re.fullmatch(r"[0-9]{1,5}", node.text) and least <= int(node.text) <= most:
        return int(node.text)
    reading.complain(node, f"{what}: '{shown(node.text)}' is not a number from {least} to {most}")
    return otherwise


def _read_time(node: Marked | None, what: str, bounds: tuple[int, int, int], reading: Reading) -> int:
    """Seconds; `bounds` are what counts without a time, the most and the least."""
    otherwise, most, least = bounds
    if node is None:
        return otherwise
    text = read_text(node, what, reading.faults, _ANY, "a time such as 10s or 2m")
    if not text:
        return otherwise
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * (60 if found[2] == "m" else 1) if found else -1
    if least <= seconds <= most:
        return seconds
    reading.complain(node, f"{what}: '{shown(text)}' is not a time from {least}s to {most // 60}m, such as 10s or 2m")
    return otherwise
