"""The policy's `environments:` → values."""

import re

from gitops_hooks.core import policy_agents, policy_drift, policy_gates, policy_rollout
from gitops_hooks.core.policy_branches import gap
from gitops_hooks.core.policy_deployers import KEYS, check_keys, read_module, read_run, read_strategy
from gitops_hooks.core.policy_kubernetes import read_kubernetes
from gitops_hooks.core.policy_limit import read_interval, read_limit
from gitops_hooks.core.policy_nodes import read_fields, read_items, read_text
from gitops_hooks.core.policy_reading import ENVIRONMENT, Reading, check_plugin, read_names, read_path, read_plugin
from gitops_hooks.core.receive import name_fault, shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.policy import BranchRule, Environment

_HEADS = "refs/heads/"
_ENVIRONMENT = (
    *("name", "branch", "deployer", *KEYS, "operate", "limit", "interval", "strategy"),
    *policy_gates.KEYS,
    *policy_drift.KEYS,
    *policy_agents.KEYS,
)
_SHORT = re.compile(r"(?!refs/).+", re.DOTALL)


def read_environments(
    node: Marked | None, branches: tuple[BranchRule, ...], reading: Reading
) -> tuple[Environment, ...]:
    """The environments, each with a name of its own and a branch that a rule governs."""
    items = read_items(node, "environments", reading.faults)
    environments = tuple(_read_environment(item, branches, reading) for item in items)
    names: set[str] = set()
    for item, environment in zip(items, environments, strict=True):
        if environment.name and environment.name in names:
            reading.complain(item, f"the environment {environment.name} is here twice")
        names.add(environment.name)
    _check_order(items, environments, reading)
    return environments


def _check_order(items: tuple[Marked, ...], environments: tuple[Environment, ...], reading: Reading) -> None:
    waiting = []
    for item, environment in zip(items, environments, strict=True):
        node = next((value for key, value in item.pairs if key.text == "after"), None)
        nodes = (node,) if node and node.tag == "str" else (node.items if node and node.tag == "seq" else ())
        waiting.append(policy_gates.Waiting(environment.name, environment.gates.after, nodes))
    policy_gates.check_order(waiting, reading)


def _read_environment(node: Marked, branches: tuple[BranchRule, ...], reading: Reading) -> Environment:
    fields = read_fields(
        node, "an entry of environments", (*_ENVIRONMENT, *policy_rollout.KEYS, "on_failure"), reading.faults
    )
    for key in ("name", "branch"):
        if key not in fields and node.tag == "map":
            reading.complain(node, f"{key} is missing in this environment")
    deployer = _read_deployer(node, fields.get("deployer"), reading)
    drift, self_heal = policy_drift.read_drift(fields, deployer, reading)
    check_keys(node, deployer, fields, reading)
    branch = _read_branch(fields.get("branch"), branches, reading)
    setting = policy_agents.Setting(deployer, branch.removeprefix(_HEADS), branches)
    mode, silent = policy_agents.read_mode(fields, setting, reading)
    return Environment(
        name=_read_name(fields.get("name"), reading),
        branch=branch,
        deployer=deployer,
        playbook=read_path(fields.get("playbook"), "playbook", reading),
        inventory=read_path(fields.get("inventory"), "inventory", reading),
        operate=read_names(fields["operate"], "operate", reading) if "operate" in fields else None,
        place=reading.place(node),
        whole=read_limit(fields.get("limit"), reading),
        interval=read_interval(fields.get("interval"), reading),
        gates=policy_gates.read_gates(fields, reading),
        rollout=policy_rollout.read_rollout(fields, deployer, reading),
        drift=drift,
        self_heal=self_heal,
        module=read_module(fields.get("module"), reading),
        run=read_run(fields.get("run"), "run", reading),
        drift_run=read_run(fields.get("drift_run"), "drift_run", reading),
        plan_run=read_run(fields.get("plan_run"), "plan_run", reading),
        kubernetes=read_kubernetes(fields, reading),
        strategy=read_strategy(fields.get("strategy"), reading),
        rolls_back=policy_rollout.read_on_failure(fields.get("on_failure"), reading),
        mode=mode,
        silent=silent,
    )


def _read_name(node: Marked | None, reading: Reading) -> str:
    if node is None:
        return ""
    return read_text(node, "name", reading.faults, ENVIRONMENT, "a name of a-z, 0-9 and -, at most 32 long")


def _read_branch(node: Marked | None, branches: tuple[BranchRule, ...], reading: Reading) -> str:
    """The full ref of a short branch name that some rule governs."""
    if node is None:
        return ""
    short = read_text(node, "branch", reading.faults, _SHORT, "a short branch name: main, not refs/heads/main")
    if short and (fault := name_fault((_HEADS + short).encode("utf-8", "replace"))):
        reading.complain(node, f"branch: '{shown(short)}': {fault}")
    elif short and (hole := gap(branches, short)):
        none = hole == "has no rule"
        words = f"no rule of branches matches {shown(short)}" if none else f"{shown(short)} {hole}"
        reading.complain(node, f"branch: {words}")
    return _HEADS + short


def _read_deployer(rule: Marked, node: Marked | None, reading: Reading) -> str:
    if node is None:
        return check_plugin(rule, "ansible", "deployer", reading.deployers, reading)
    return read_plugin(node, "deployer", reading.deployers, reading)
