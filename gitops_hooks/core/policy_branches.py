"""The policy's `branches:` → rules."""

import re
from collections.abc import Iterable
from dataclasses import replace

from gitops_hooks.core import policy_bounds
from gitops_hooks.core.globs import matches
from gitops_hooks.core.policy_gates import read_deployed, read_environment
from gitops_hooks.core.policy_nodes import read_count, read_fields, read_glob, read_items, read_text, read_truth
from gitops_hooks.core.policy_override import read_break_glass, read_evaluate
from gitops_hooks.core.policy_plan import read_require
from gitops_hooks.core.policy_reading import Reading, read_names, read_plugin
from gitops_hooks.core.policy_review import REVIEW, read_bots, read_reach, read_review
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.policy import CONTROLLER, ApprovalRule, BranchRule, LandMethod, Names

ANYBODY = Names(("*",))

_RIGHTS = ("push", "propose", "land", "create", "delete", "force")
_BRANCH = (
    *("match", *_RIGHTS, "approvals", "checks", "land_method", "authors", "signed", "mode", "break_glass", "deployed"),
    *("controller", "require"),
    *(*policy_bounds.KEYS, *REVIEW),
)
_APPROVAL = ("count", "from", "paths", "signed", "reach", "bots", "mode")
_CONTROLLER = ("paths", "count", "from", "signed")
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_AUTHORS = re.compile("known|any")


def read_branch(node: Marked, reading: Reading) -> BranchRule:
    """One rule; an absent right is nobody."""
    fields = read_fields(node, "a rule of branches", _BRANCH, reading.faults)
    rights = {right: read_names(fields.get(right), right, reading) for right in _RIGHTS}
    checks = read_items(fields.get("checks"), "checks", reading.faults)
    method = _read_land_method(fields.get("land_method"), reading)
    _check_linear(fields.get("linear"), method, reading)
    return BranchRule(
        match=_read_match(node, fields, reading),
        place=reading.place(node),
        **rights,
        approvals=(
            *_read_approvals(node, fields.get("approvals"), reading),
            *_read_controller(fields.get("controller"), reading),
        ),
        checks=tuple(read_plugin(item, "check", reading.checks, reading) for item in checks),
        land_method=method,
        any_author=_read_any_author(fields.get("authors"), reading),
        bounds=policy_bounds.read_bounds(fields, reading),
        signed=read_truth(fields.get("signed"), "signed", reading.faults),
        review=read_review(fields, reading),
        evaluate=read_evaluate(fields.get("mode"), reading),
        break_glass=read_break_glass(fields, reading),
        deployed=tuple(read_environment(item, "deployed", reading) for item in read_deployed(fields, reading)),
        plan=read_require(fields, reading),
    )


def _read_match(rule: Marked, fields: dict[str, Marked], reading: Reading) -> str:
    if "match" not in fields:
        if rule.tag == "map":
            reading.complain(rule, "match is missing: which branches is this rule for?")
        return ""
    glob = read_glob(fields["match"], "match", reading.faults)
    if glob.startswith("refs/"):
        reading.complain(fields["match"], "match: short branch names are meant: main, not refs/heads/main")
    return glob


def _read_land_method(node: Marked | None, reading: Reading) -> LandMethod:
    if node is None:
        return LandMethod.MERGE
    word = read_text(node, "land_method", reading.faults, _WORD, "a word")
    found = next((method for method in LandMethod if method.value == word), None)
    if word and found is None:
        words = ", ".join(method.value for method in LandMethod)
        reading.complain(node, f"land_method: '{shown(word)}' is not one of {words}")
    return found or LandMethod.MERGE


def _check_linear(node: Marked | None, method: LandMethod, reading: Reading) -> None:
    if node is not None and method is LandMethod.ALWAYS_MERGE and read_truth(node, "linear", reading.faults):
        reading.complain(node, "linear: true and land_method: always-merge exclude each other; nothing could land")


def _read_any_author(node: Marked | None, reading: Reading) -> bool:
    if node is None:
        return False
    return read_text(node, "authors", reading.faults, _AUTHORS, "known or any") == "any"


def _read_approvals(rule: Marked, node: Marked | None, reading: Reading) -> tuple[ApprovalRule, ...]:
    """The requirements; where none are written, one approval by anybody."""
    if node is None:
        _check_enough(rule, rule, 1, ANYBODY, reading)
        return (ApprovalRule(1, ANYBODY, (), reading.place(rule)),)
    items = read_items(node, "approvals", reading.faults)
    if node.tag == "seq" and not items:
        reading.complain(node, "approvals: [] would let all land unseen; without the key it is one approval by anybody")
    return tuple(_read_approval(item, reading) for item in items)


def _read_controller(node: Marked | None, reading: Reading) -> tuple[ApprovalRule, ...]:
    """What may run on the deployer, each with the approval that it needs; by name only, never whatever there is."""
    items = read_items(node, CONTROLLER, reading.faults) if node else ()
    if node is not None and node.tag == "seq" and not items:
        reading.complain(node, "controller: [] allows nothing; leave the key out")
    found = []
    for item in items:
        fields = read_fields(item, "an entry of controller", _CONTROLLER, reading.faults)
        for key in ("paths", "from"):
            if key not in fields and item.tag == "map":
                reading.complain(item, f"{key} is missing in this entry of controller")
        found.append(replace(_read_approval(item, reading), rule=CONTROLLER))
        for glob in (glob for glob in found[-1].paths if not glob.strip("*/")):
            reading.complain(item, f"paths: '{glob}' would let everything run on the deployer; name the folders")
    return tuple(found)


def _read_approval(node: Marked, reading: Reading) -> ApprovalRule:
    fields = read_fields(node, "an entry of approvals", _APPROVAL, reading.faults)
    count = read_count(fields["count"], "count", reading.faults) if "count" in fields else 1
    sources = read_names(fields["from"], "from", reading) if "from" in fields else ANYBODY
    _check_enough(node, fields.get("from", node), count, sources, reading)
    globs = read_items(fields.get("paths"), "paths", reading.faults)
    if "paths" in fields and fields["paths"].tag == "seq" and not globs:
        reading.complain(fields["paths"], "paths: [] would bind nothing; without the key it holds for every path")
    paths = tuple(read_glob(item, "paths", reading.faults) for item in globs)
    signed = read_truth(fields.get("signed"), "signed", reading.faults)
    reach, bots = read_reach(fields.get("reach"), reading), read_bots(fields.get("bots"), reading)
    evaluate = read_evaluate(fields.get("mode"), reading)
    return ApprovalRule(count, sources, paths, reading.place(node), signed, reach, bots, evaluate=evaluate)


def _check_enough(node: Marked, written: Marked, count: int, sources: Names, reading: Reading) -> None:
    """An approval that nobody can give would close the branch for good."""
    empty = [item for item in sources.items if item[:1] == "@" and reading.groups.get(item[1:]) == ()]
    for item in empty:
        reading.complain(written, f"from: the group {item} is empty, and nobody could approve")
    if not sources.items and written.tag == "seq":
        reading.complain(written, "from: [] is nobody, and nobody could approve")
    people = reading.people(sources)
    if people is not None and sources.items and not empty and len(people) < count:
        wanted = " or ".join("anybody" if item == "*" else item for item in sources.items)
        givers = {0: "nobody", 1: "only 1 person"}.get(len(people), f"only {len(people)} people")
        reading.complain(node, f"count: {count} by {wanted}, but {givers} could approve")


def gap(branches: Iterable[BranchRule], short: str) -> str:
    """Why the branch of this short name would not be protected, or an empty string."""
    rules = [rule for rule in branches if rule.match and matches(rule.match, short)]
    enforced = [rule for rule in rules if not rule.evaluate]
    if not rules:
        return "has no rule"
    if not enforced:
        return f"has only rules with mode: evaluate ({', '.join(rule.place for rule in rules)})"
    if all(entry.evaluate for rule in enforced for entry in rule.approvals):
        return f"has only approvals with mode: evaluate ({enforced[0].place})"
    return ""
