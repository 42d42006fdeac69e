"""The policy's `tags:` → rules."""

from gitops_hooks.core.policy_nodes import read_fields, read_glob, read_items, read_truth
from gitops_hooks.core.policy_reading import Reading, read_names
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.policy import TagRule

_RIGHTS = ("create", "delete", "force")
_TAG = ("match", *_RIGHTS, "annotated", "signed", "branches")


def read_tags(node: Marked | None, reading: Reading) -> tuple[TagRule, ...]:
    """The rules for tags; an absent right is nobody."""
    return tuple(_read_tag(item, reading) for item in read_items(node, "tags", reading.faults))


def _read_tag(node: Marked, reading: Reading) -> TagRule:
    fields = read_fields(node, "a rule of tags", _TAG, reading.faults)
    create, delete, force = (read_names(fields.get(right), right, reading) for right in _RIGHTS)
    signed = read_truth(fields.get("signed"), "signed", reading.faults)
    return TagRule(
        match=_read_match(node, fields, reading),
        place=reading.place(node),
        create=create,
        delete=delete,
        force=force,
        annotated=signed or read_truth(fields.get("annotated"), "annotated", reading.faults),
        signed=signed,
        branches=_read_branches(fields.get("branches"), reading),
    )


def _read_match(rule: Marked, fields: dict[str, Marked], reading: Reading) -> str:
    if "match" not in fields:
        if rule.tag == "map":
            reading.complain(rule, "match is missing: which tags is this rule for?")
        return ""
    return _short(fields["match"], "match", reading)


def _short(node: Marked, what: str, reading: Reading) -> str:
    glob = read_glob(node, what, reading.faults)
    if glob.startswith("refs/"):
        names = "tag names are meant: v1.0, not refs/tags/v1.0"
        branches = "branch names are meant: main, not refs/heads/main"
        reading.complain(node, f"{what}: short {names if what == 'match' else branches}")
    return glob


def _read_branches(node: Marked | None, reading: Reading) -> tuple[str, ...]:
    items = read_items(node, "branches", reading.faults)
    if node is not None and node.tag == "seq" and not items:
        reading.complain(node, "branches: [] would close these tags; without the key it is every branch with a rule")
    return tuple(_short(item, "branches", reading) for item in items)
