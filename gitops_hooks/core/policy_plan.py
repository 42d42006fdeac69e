"""The policy's key `require`: what a rule of branches asks for beside approvals and checks."""

from collections.abc import Mapping

from gitops_hooks.core.policy_nodes import is_a, read_items
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked

PLAN = "plan"


def read_require(fields: Mapping[str, Marked], reading: Reading) -> bool:
    """Whether the rule asks for a plan: one word, or a list of them."""
    node = fields.get("require")
    if node is None:
        return False
    if node.tag == "seq" and not node.items:
        reading.complain(node, "require: [] asks for nothing; take it out")
    items = (node,) if node.tag == "str" else read_items(node, "require", reading.faults)
    for item in items:
        if is_a("str", item, "require", reading.faults) and item.text != PLAN:
            reading.complain(item, f"require: '{shown(item.text)}' is nothing that can be required; it may be: {PLAN}")
    return any(item.text == PLAN for item in items)
