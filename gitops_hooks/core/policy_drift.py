"""The policy's `drift` and `self_heal` of an environment → how often its hosts are looked at, and what follows."""

from collections.abc import Mapping

from gitops_hooks.core.policy_deployers import COMMAND
from gitops_hooks.core.policy_nodes import read_truth
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.policy_times import read_seconds
from gitops_hooks.core.yaml_text import Marked

KEYS = ("drift", "self_heal")
_SHORTEST, _LONGEST_DAYS = 60, 30


def read_drift(fields: Mapping[str, Marked], deployer: str, reading: Reading) -> tuple[int, bool]:
    """Seconds from one look to the next (0: never), and whether what is out of sync is deployed again."""
    _refuse_blind(fields, deployer, reading)
    node = fields.get("drift")
    seconds = read_seconds(node, "drift", _LONGEST_DAYS, reading) if node else 0
    if node and 0 < seconds < _SHORTEST:
        reading.complain(node, f"drift: {node.text} is shorter than 1m")
    heal = read_truth(fields.get("self_heal"), "self_heal", reading.faults)
    if heal and node is None:
        reading.complain(fields["self_heal"], "self_heal: needs drift: it says how often the hosts are looked at")
    return seconds, heal


def _refuse_blind(fields: Mapping[str, Marked], deployer: str, reading: Reading) -> None:
    """Looks that nobody can make are a promise that nobody keeps."""
    why = ""
    if reading.deployers is not None and not reading.deployers.get(deployer, True):
        why = f"the deployer {deployer} cannot look at what it deployed; take it out"
    elif deployer == COMMAND and "drift_run" not in fields:
        why = "a script is looked at with drift_run, which this environment does not have"
    for key in KEYS if why else ():
        if key in fields:
            reading.complain(fields[key], f"{key}: {why}")
