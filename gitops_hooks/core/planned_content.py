"""What a plan says, as bytes that are the same where the same would happen, and the digest that approvals name."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect


def digest_of(plans: Mapping[str, Plan], tree: str, key: bytes) -> str:
    """The digest of what was found in each environment; keyed, since it is public and what it stands for is not."""
    return hmac.new(key, canonical(plans, tree), hashlib.sha256).hexdigest()


def canonical(plans: Mapping[str, Plan], tree: str) -> bytes:
    """By name, without words that say the same thing in another way each time.

    What is not known, or not told, stands for whatever this one tree would do: on another it is another thing.
    """
    found = {name: _hosts(plan, tree) for name, plan in plans.items()}
    return json.dumps(found, sort_keys=True).encode()


def _hosts(plan: Plan, tree: str) -> list[object]:
    return [_host(host, tree) for host in sorted(plan.hosts, key=lambda host: host.name)] or [tree]


def _host(host: HostPlan, tree: str) -> list[object]:
    differences = [[one.place, one.task, one.text] for one in host.differences]
    hidden = host.prospect is Prospect.UNKNOWN or host.more or host.withheld
    return [host.name, host.prospect.value, differences, host.more, tree if hidden else ""]


def counts_of(plan: Plan) -> tuple[int, int, int]:
    """How many hosts change, stay as they are, and are unknown; where none was looked at, one is unknown."""
    found = [host.prospect for host in plan.hosts]
    unknown = found.count(Prospect.UNKNOWN) if found else 1
    return found.count(Prospect.CHANGES), found.count(Prospect.UNCHANGED), unknown
