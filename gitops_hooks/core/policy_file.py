"""`.gitops/policy.yaml` → Policy, or all its faults with their lines.

What this release does not enforce is refused by name: a key that is parsed and ignored fails open.
"""

from collections.abc import Iterable, Mapping

from gitops_hooks.core.check_options import judge_required, read_check_options
from gitops_hooks.core.policy_branches import gap, read_branch
from gitops_hooks.core.policy_environments import read_environments
from gitops_hooks.core.policy_gates import check_deployed
from gitops_hooks.core.policy_nodes import is_a, key_fault, read_fields, read_items, read_text
from gitops_hooks.core.policy_reading import PERSON, Reading, check_person
from gitops_hooks.core.policy_tags import read_tags
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked, YamlLimits, parse_yaml
from gitops_hooks.model.errors import Fault, PolicyError
from gitops_hooks.model.options import Declared
from gitops_hooks.model.policy import Policy

POLICY_LIMITS = YamlLimits(size=256 * 1024, depth=16, nodes=20_000, expanded=50_000)

_TOP = ("version", "groups", "branches", "tags", "environments", "checks")
_MOST_FAULTS = 100


def parse_policy(
    text: bytes,
    *,
    commit: str,
    known: frozenset[str] | None,
    deployers: Mapping[str, bool] | None = None,
    checks: Declared | None = None,
    default_branch: str | None = None,
    source: str = ".gitops/policy.yaml",
) -> Policy:
    """The policy that this text is. Errors: PolicyError with every fault.

    `known` are the server's people, `deployers` the loaded plugins' names with whether each can look at
    what it deployed, `checks` the checks with their options, `default_branch` a short name; None leaves that question
    unasked.
    """
    documents, found = parse_yaml(text, POLICY_LIMITS)
    faults = [Fault(fault.line, fault.message) for fault in found]
    reading = Reading(source.rsplit("/", 1)[-1], faults, known, deployers, checks, {})
    policy = _read_policy(documents[0], commit, reading) if len(documents) == 1 else None
    if policy is None and not faults:
        faults.append(_wrong_number(documents))
    if policy is not None and default_branch is not None and (hole := gap(policy.branches, default_branch)):
        faults.append(Fault(0, f"the default branch {shown(default_branch)} {hole}"))
    if policy is None or faults:
        raise PolicyError(source, _in_order(faults))
    return policy


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """By line, each once: an alias brings the same node, and so the same fault, again."""
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: fault.line)
    more = len(ordered) - _MOST_FAULTS
    return (*ordered[:_MOST_FAULTS], Fault(0, f"and {more} more")) if more > 0 else tuple(ordered)


def _wrong_number(documents: tuple[Marked, ...]) -> Fault:
    if not documents:
        return Fault(0, "the file is empty; it must hold at least version and branches")
    return Fault(documents[1].line, "a second document; the policy is one")


def _read_policy(document: Marked, commit: str, reading: Reading) -> Policy | None:
    if not is_a("map", document, "the policy", reading.faults):
        return None
    fields = read_fields(document, "the policy", _TOP, reading.faults)
    _check_version(document, fields.get("version"), reading)
    if "groups" in fields:
        reading.groups.update(read_groups(fields["groups"], reading))
    rules = read_items(fields.get("branches"), "branches", reading.faults)
    if "branches" not in fields or (fields["branches"].tag == "seq" and not rules):
        reading.complain(fields.get("branches", document), "branches must hold at least one rule")
    branches = tuple(read_branch(node, reading) for node in rules)
    environments = read_environments(fields.get("environments"), branches, reading)
    check_deployed(rules, [environment.name for environment in environments], reading)
    tags = read_tags(fields.get("tags"), reading)
    options = read_check_options(fields.get("checks"), reading)
    judge_required(rules, options, reading)
    return Policy(commit, tuple(reading.groups.items()), branches, environments, tags, options=options)


def _check_version(document: Marked, node: Marked | None, reading: Reading) -> None:
    if node is None:
        reading.complain(document, "version is missing; write version: 1")
    elif (node.tag, node.text) != ("int", "1"):
        reading.complain(node, "version must be 1")


def read_groups(node: Marked, reading: Reading) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Each group's name and members."""
    if not is_a("map", node, "groups", reading.faults):
        return
    for key, value in node.pairs:
        if fault := key_fault(key):
            reading.complain(key, fault)
        elif not PERSON.fullmatch(key.text):
            reading.complain(key, f"groups: '{shown(key.text)}' is not a name of a-z, 0-9, ., _ and -")
        else:
            items = read_items(value, f"group {key.text}", reading.faults)
            yield key.text, tuple(_read_member(item, key.text, reading) for item in items)


def _read_member(node: Marked, group: str, reading: Reading) -> str:
    if node.tag == "str" and node.text[:1] in ("@", "*"):
        reading.complain(node, f"group {group}: '{shown(node.text)}': a group holds names only, no groups and no *")
        return ""
    return check_person(node, read_text(node, f"group {group}", reading.faults, PERSON, "a name"), reading)
