"""What rules say about tags: who may create, move and delete them, and what they must be."""

from collections.abc import Iterable, Sequence
from typing import Literal

from gitops_hooks.core.globs import matches, matches_any
from gitops_hooks.core.govern import denial
from gitops_hooks.core.receive import shown
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Names, Policy, TagRule
from gitops_hooks.model.verdict import Requirement, Status

TagRight = Literal["create", "delete", "force"]

_TAGS = "refs/tags/"
_WORDS = {"create": "create the tag", "delete": "delete the tag", "force": "move the tag"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it would be: the commit that it leads to, and for an annotated one its own name and its signer.

    `commit` is empty where it leads to no commit or by way of another tag; `branches` are the short names of
    the branches with a rule whose recorded tip holds the commit; `unsigned` says why there is no signer.
    """

    ref: str
    commit: str
    annotated: bool
    name: str
    signer: str
    unsigned: str
    branches: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        return self.ref.removeprefix(_TAGS)


def govern_tag(policy: Policy, ref: str) -> tuple[TagRule, ...]:
    """The rules for a full ref name; none where it is no tag, or no rule matches."""
    short = ref.removeprefix(_TAGS)
    return tuple(rule for rule in policy.tags if matches(rule.match, short)) if ref.startswith(_TAGS) else ()


def may_tag(policy: Policy, rules: Iterable[TagRule], right: TagRight, actor: str, ref: str) -> tuple[Requirement, ...]:
    """Whether each rule allows it."""
    does = f"{_WORDS[right]} {ref.removeprefix(_TAGS)}"
    return tuple(
        Requirement(right, Status.SATISFIED, f"{actor} may {does}.", rule.place)
        if policy.allows(_names(rule, right), actor)
        else Requirement(right, Status.UNSATISFIED, denial(_names(rule, right), does, actor), rule.place)
        for rule in rules
    )


def _names(rule: TagRule, right: TagRight) -> Names:
    rights: dict[TagRight, Names] = {"create": rule.create, "delete": rule.delete, "force": rule.force}
    return rights[right]


def judge_tag(policy: Policy, rules: Sequence[TagRule], right: TagRight, tag: Tag) -> tuple[Requirement, ...]:
    """Whether a tag is what each rule asks for; whoever signed it needs the same right as who pushes it."""
    if not tag.commit:
        reason = f"{shown(tag.short)} must lead to a commit, by itself or by one tag object."
        return tuple(_fails(rule, reason) for rule in rules)
    found = [_judge(rule, tag) for rule in rules]
    for rule in rules:
        if rule.signed and tag.signer and not policy.allows(_names(rule, right), tag.signer):
            does = f"{_WORDS[right]} {shown(tag.short)}"
            found.append(_fails(rule, f"It is signed by {tag.signer}. {denial(_names(rule, right), does, tag.signer)}"))
    return tuple(found)


def _fails(rule: TagRule, reason: str) -> Requirement:
    return Requirement("tags", Status.UNSATISFIED, reason, rule.place)


def _judge(rule: TagRule, tag: Tag) -> Requirement:
    found = [*_annotation_faults(rule, tag), *_branch_faults(rule, tag)]
    if found:
        return _fails(rule, "\n".join(found))
    return Requirement("tags", Status.SATISFIED, f"{tag.short} is as asked", rule.place)


def _annotation_faults(rule: TagRule, tag: Tag) -> list[str]:
    name = shown(tag.short)
    if rule.annotated and not tag.annotated:
        sign = "-s" if rule.signed else "-a"
        return [f"{name} must be {'a signed' if rule.signed else 'an annotated'} tag: git tag {sign} {name} <commit>"]
    # A signature covers the name inside: under another ref it would vouch for what nobody signed.
    if tag.annotated and tag.name != tag.short:
        return [f"{name} holds a tag object that is called {shown(tag.name)}; make one of its own name"]
    if rule.signed and not tag.signer:
        return [f"{name}: {tag.unsigned}"]
    return []


def _branch_faults(rule: TagRule, tag: Tag) -> list[str]:
    globs = rule.branches or ("**",)
    if any(matches_any(globs, branch) for branch in tag.branches):
        return []
    where = f"of {' or '.join(rule.branches)}" if rule.branches else "that has a rule"
    return [f"{tag.commit[:7]} is not part of any branch {where}. Land it first, then push the tag by itself."]
