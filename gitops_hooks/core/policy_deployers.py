"""Which keys of an environment say what its deployer deploys."""

import re
from collections.abc import Mapping

from gitops_hooks.core import policy_kubernetes
from gitops_hooks.core.globs import path_fault
from gitops_hooks.core.policy_nodes import read_items, read_text
from gitops_hooks.core.policy_reading import Reading, read_path
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked

KEYS = ("playbook", "inventory", "module", "run", "drift_run", "plan_run", *policy_kubernetes.KEYS)
ANSIBLE = "ansible"
COMMAND = "command"
TERRAFORM = "terraform"
KUBERNETES = "kubernetes"
_KEYS_OF = {COMMAND: ("run", "drift_run", "plan_run"), TERRAFORM: ("module",), KUBERNETES: policy_kubernetes.KEYS}
_MAY_BE_LEFT_OUT = frozenset(("drift_run", "plan_run", "namespace", "force_conflicts", "prune", "wait"))
_PLAYS = ("playbook", "inventory")
_OF_HOSTS = ("limit", "strategy")
_STRATEGY = re.compile("linear|mitogen")
_WORD = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MOST_WORDS = 64


def check_keys(node: Marked, deployer: str, fields: Mapping[str, Marked], reading: Reading) -> None:
    """Each deployer has keys of its own; one that another deployer reads would be a promise that nobody keeps."""
    known = reading.deployers is None or deployer in reading.deployers
    if node.tag != "map" or not deployer or not known:
        return
    own = _KEYS_OF.get(deployer, _PLAYS)
    for key in own:
        if key not in fields and key not in _MAY_BE_LEFT_OUT:
            reading.complain(node, f"{key} is missing in this environment")
    foreign = _OF_HOSTS if own != _PLAYS else ("strategy",) if deployer != ANSIBLE else ()
    for key in (*KEYS, *foreign):
        if key in fields and key not in own:
            reading.complain(fields[key], f"{key}: the deployer {deployer} does not read it; it has {', '.join(own)}")


def read_module(node: Marked | None, reading: Reading) -> str:
    """A folder of the repository; `.` is its top."""
    if node is not None and node.tag == "str" and node.text == ".":
        return "."
    return read_path(node, "module", reading)


def read_strategy(node: Marked | None, reading: Reading) -> str:
    if node is None:
        return "linear"
    return read_text(node, "strategy", reading.faults, _STRATEGY, "linear or mitogen")


def read_run(node: Marked | None, what: str, reading: Reading) -> tuple[str, ...]:
    """A script of the repository, and words for it."""
    items = read_items(node, what, reading.faults)
    if node is not None and node.tag == "seq" and not 0 < len(items) <= _MOST_WORDS:
        reading.complain(node, f"{what}: a script of the repository and words for it, at most {_MOST_WORDS}")
    words = [read_text(item, what, reading.faults, _WORD, "a word on one line") for item in items]
    if words and words[0]:
        words[0] = words[0].removeprefix("./")
        if fault := path_fault(words[0]):
            reading.complain(items[0], f"{what}: '{shown(words[0])}' {fault}")
    return tuple(words)
