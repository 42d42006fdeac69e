"""Nodes of YAML as plain values, for configurations that a program is given in another form."""

from typing import Any

from gitops_hooks.plugin import Marked


def plain_value(node: Marked) -> Any:  # noqa: ANN401  # whatever YAML can say
    if node.pairs or node.tag == "map":
        return {key.text: plain_value(value) for key, value in node.pairs}
    if node.items or node.tag == "seq":
        return [plain_value(item) for item in node.items]
    if node.tag == "null":
        return None
    if node.tag == "bool":
        return node.text.lower() in ("true", "yes", "on")
    return int(node.text) if node.tag == "int" and node.text.isdigit() and len(node.text) < 9 else node.text
