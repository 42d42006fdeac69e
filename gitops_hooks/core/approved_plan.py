"""Whether what a deployment is about to do is what was approved: two plans compared by keyed digests.

The box of a deployment gets a key of its own for this one environment, so that it learns nothing of other plans.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator

from gitops_hooks.core.planned_content import digest_of
from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect

_MOST_TOLD = 5
_CURE = "; land a change whose plan is approved as things are now, or bring them back to what was planned"


def environment_key(key: bytes, environment: str) -> str:
    """The key of one environment's plans."""
    return hmac.new(key, f"environment {environment}".encode(), hashlib.sha256).hexdigest()


def seal_of(plan: Plan, tree: str, key: str) -> str:
    """What stands for a plan of one environment."""
    return digest_of({"": plan}, tree, bytes.fromhex(key))


def items_of(plan: Plan, key: str) -> tuple[str, ...]:
    """What stands for each of its differences."""
    return tuple(item for _, item in _items(plan, key))


def _items(plan: Plan, key: str) -> Iterator[tuple[str, str]]:
    for host in plan.hosts:
        for one in host.differences:
            text = json.dumps([host.name, one.place, one.task, one.text]).encode()
            yield one.task or one.place, hmac.new(bytes.fromhex(key), text, hashlib.sha256).hexdigest()


def plan_fault(approved: ApprovedPlan | None, plan: Plan) -> str:
    """Why a deployment must not do what it has planned; empty where it may, or no plan had to be approved.

    What changes nothing may always be done, and what an ended run has left of the approved plan.
    """
    if approved is None or (plan.hosts and all(host.prospect is Prospect.UNCHANGED for host in plan.hosts)):
        return ""
    if approved.why:
        return f"nothing was applied: {approved.name} was approved and cannot be compared: {approved.why}{_CURE}"
    if hmac.compare_digest(seal_of(plan, approved.tree, approved.key), approved.digest):
        return ""
    known = frozenset(approved.items)
    strange = [words for words, item in _items(plan, approved.key) if item not in known]
    if approved.begun and known and not strange and not any(map(_is_partly_known, plan.hosts)):
        return ""
    told = f"what would be done is not {approved.name}, which was approved{_told(known, strange)}"
    return f"nothing was applied: {told}{_CURE}"


def _is_partly_known(host: HostPlan) -> bool:
    return bool(host.more) or host.prospect is Prospect.UNKNOWN


def _told(known: frozenset[str], strange: list[str]) -> str:
    if not known or not strange:
        return ""
    more = f" and {len(strange) - _MOST_TOLD} more" if len(strange) > _MOST_TOLD else ""
    return f": {', '.join(strange[:_MOST_TOLD])}{more}"
