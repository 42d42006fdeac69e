"""Records of moves that are no landing (created, deleted, forced, tags), judged again from what they say."""

from gitops_hooks.core.decide import fails, holds, judge_moved
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.tag_rules import TagRight, judge_tag, may_tag
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.edge.repository import Repository
from gitops_hooks.entry.judge_tags import look_at_tag, recorded_signer
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.event import Administered, Adopted, Event, Landed, Landing
from gitops_hooks.model.policy import Policy, TagRule
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement


def judge_created(record: Record, event: Event, landing: Landing, governing: Governing) -> tuple[Requirement, ...]:
    """A new branch begins where another governed one was recorded at that time."""
    tips = tips_before(record, event)
    known = any(tip == landing.new and govern(governing.policy, ref) for ref, tip in tips.items())
    tip = holds("tip") if known else fails("tip", f"{landing.new[:12]} was no recorded tip then")
    return (*judge_moved(governing, "create", event.stamp.actor, landing.judged), tip)


def judge_deleted(record: Record, event: Event, landing: Landing, governing: Governing) -> tuple[Requirement, ...]:
    """The default branch is never deleted, whoever has the right."""
    asked = judge_moved(governing, "delete", event.stamp.actor, landing.judged)
    if landing.ref != record.default_branch:
        return asked
    return (*asked, fails("delete", f"{landing.ref} is the default branch, which is never deleted"))


def forced_objects(repository: Repository, landing: Landing) -> tuple[Range, Merged] | Refusal:
    """The commits that a forced move brought, and its tree, equal to what was recorded."""
    commits = repository.between_at_most(landing.old, landing.new)
    if isinstance(commits, Refusal):
        return commits
    span = Range(landing.old, landing.new, NO_OID, commits)
    merged = repository.replaced(span)
    if isinstance(merged, Refusal):
        return merged
    if (landing.head, landing.tree, landing.base) != (landing.new, merged.tree, NO_OID):
        return Refusal("record", f"{landing.new[:12]} is not what was recorded")
    return span, merged


def judge_tag_record(
    record: Record, event: Event, landing: Landing, policy: Policy, rules: tuple[TagRule, ...]
) -> tuple[Requirement, ...]:
    """A tag was created, moved or deleted: by the rights, signature and tips of that time."""
    ways: dict[str, TagRight] = {"create": "create", "delete": "delete", "force": "force"}
    right = ways.get(landing.way)
    if right is None:
        return (fails("record", f"a tag is not moved by {landing.way}"),)
    asked = may_tag(policy, rules, right, event.stamp.actor, landing.ref)
    if right == "delete":
        return asked
    signed = recorded_signer(record.repository, landing)
    tag = look_at_tag(record.repository, (landing.ref, landing.new), policy, tips_before(record, event).items(), signed)
    return (*asked, *judge_tag(policy, rules, right, tag))


def tips_before(record: Record, event: Event) -> dict[str, str]:
    """Where the log says that each ref stood when this event was written; what was gone then is not in it."""
    found: dict[str, str] = {}
    reached = False
    for earlier in record.events(LOG):
        if not reached:
            reached = earlier.oid == event.oid
            continue
        match earlier.body:
            case Landed(ref=ref, new=new) | Administered(ref=ref, new=new):
                found.setdefault(ref, new)
            case Adopted(refs=words):
                for oid, ref in zip(words[::2], words[1::2], strict=True):
                    found.setdefault(ref, oid)
    return {ref: tip for ref, tip in found.items() if tip != NO_OID}
