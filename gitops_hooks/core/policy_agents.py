"""The policy's `mode` and `agents` of an environment → who brings its hosts there, and when an agent is silent."""

import re
from collections.abc import Iterable, Mapping

from gitops_hooks.core.globs import matches
from gitops_hooks.core.policy_deployers import ANSIBLE, KUBERNETES
from gitops_hooks.core.policy_nodes import read_fields, read_text
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.policy_times import read_seconds
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import SILENT_SECONDS, BranchRule, Mode

KEYS = ("mode", "agents")
_PULLED = (ANSIBLE, KUBERNETES)
_MODE = re.compile("|".join(mode.value for mode in Mode))
_SHORTEST, _LONGEST_DAYS = 5, 30


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rest of the entry says: its deployer, and its branch without refs/heads/."""

    deployer: str
    branch: str
    rules: Iterable[BranchRule]


def read_mode(fields: Mapping[str, Marked], setting: Setting, reading: Reading) -> tuple[Mode, int]:
    """Who goes to whom, and after how many seconds without a word an agent is silent."""
    node = fields.get("mode")
    word = read_text(node, "mode", reading.faults, _MODE, "push, pull or both") if node else ""
    mode = Mode(word) if word else Mode.PUSH
    if node and mode is not Mode.PUSH and setting.deployer and setting.deployer not in _PULLED:
        words = f"agents do not know the deployer {setting.deployer}; they know {' and '.join(_PULLED)}"
        reading.complain(node, f"mode: {mode.value}: {words}")
    if node and mode is not Mode.PUSH:
        why = "the server sees no host of a pulled environment" if mode is Mode.PULL else "agents know no plan"
        _refuse_plans(node, setting, f"mode: {mode.value}", why, reading)
    return mode, _read_silent(fields.get("agents"), bool(word) and mode is not Mode.PUSH, reading)


def _refuse_plans(node: Marked, setting: Setting, what: str, why: str, reading: Reading) -> None:
    """Nobody can plan where the server sees no host, and an agent would apply what no approved plan says."""
    for rule in setting.rules:
        if rule.plan and setting.branch and rule.match and matches(rule.match, setting.branch):
            words = f"its branch has require: plan ({rule.place}), and {why}"
            reading.complain(node, f"{what}: {words}; take one of them out")


def _read_silent(node: Marked | None, pulled: bool, reading: Reading) -> int:
    if node is None:
        return SILENT_SECONDS
    if not pulled:
        reading.complain(node, "agents: needs mode: pull or mode: both; take it out")
    silent = read_fields(node, "agents", ("silent",), reading.faults).get("silent")
    if silent is None:
        return SILENT_SECONDS
    seconds = read_seconds(silent, "silent", _LONGEST_DAYS, reading)
    if 0 < seconds < _SHORTEST:
        reading.complain(silent, f"silent: {silent.text} is shorter than {_SHORTEST}s")
    return seconds or SILENT_SECONDS
