"""The policy's `batches`, `max_failed`, `health` and `max_changed` → how an environment's deployments go about."""

import re

from gitops_hooks.core.policy_health import read_health
from gitops_hooks.core.policy_nodes import read_items, read_text
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.rollout import AT_ONCE, Rollout, Share

KEYS = ("batches", "max_failed", "health", "max_changed")
# Named here because no other deployer that ships goes through hosts.
_DEPLOYER = "ansible"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")
_ON_FAILURE = re.compile("stop|rollback")
_PERCENT = re.compile(r"(0|[1-9][0-9]?|100)%")


def read_rollout(fields: dict[str, Marked], deployer: str, reading: Reading) -> Rollout:
    """The rollout of an environment with these fields; all hosts at once where none of them is there."""
    if deployer and deployer != _DEPLOYER:
        for key in KEYS:
            if key in fields:
                reading.complain(fields[key], f"{key}: only the deployer {_DEPLOYER} knows it; take it out")
        return AT_ONCE
    if "max_failed" in fields and "batches" not in fields:
        words = "max_failed says which batch is the last, and there are no batches; add them, or take it out"
        reading.complain(fields["max_failed"], words)
    return Rollout(
        _read_batches(fields.get("batches"), reading),
        _read_share(fields.get("max_failed"), "max_failed", 0, reading),
        read_health(fields.get("health"), reading),
        _read_max_changed(fields, reading),
    )


def read_on_failure(node: Marked | None, reading: Reading) -> bool:
    """Whether a deployment that failed is rolled back; else its rollout has stopped, and it is tried again."""
    words = "stop or rollback"
    return node is not None and read_text(node, "on_failure", reading.faults, _ON_FAILURE, words) == "rollback"


def _read_max_changed(fields: dict[str, Marked], reading: Reading) -> Share | None:
    node, limit = fields.get("max_changed"), fields.get("limit")
    if node is None:
        return None
    if limit is not None and limit.text == "all":
        reading.complain(node, "max_changed: with limit: all every deployment visits all hosts; take one of them out")
    return _read_share(node, "max_changed", 1, reading)


def _read_batches(node: Marked | None, reading: Reading) -> tuple[Share, ...]:
    items = read_items(node, "batches", reading.faults)
    if node is not None and node.tag == "seq" and not items:
        reading.complain(node, "batches: an empty list would deploy to nobody; write [100%] for all hosts at once")
    return tuple(_read_share(item, "batches", 1, reading) for item in items)


def _read_share(node: Marked | None, what: str, least: int, reading: Reading) -> Share:
    if node is None:
        return Share(least)
    if node.tag == "int" and _NUMBER.fullmatch(node.text) and int(node.text) >= least:
        return Share(int(node.text))
    if node.tag == "str" and (found := _PERCENT.fullmatch(node.text)) and int(found[1]) >= least:
        return Share(int(found[1]), percent=True)
    words = f"a number of hosts from {least} to 9999 or a part such as {max(least, 25)}%"
    reading.complain(node, f"{what}: '{shown(node.text)}' is not {words}")
    return Share(least)
