"""All bounds of all rules that govern a ref, each rule answering for itself: what any of them refuses is refused."""

from collections.abc import Sequence
from datetime import datetime

from gitops_hooks.core.brought import Brought
from gitops_hooks.core.commit_rules import judge_commits, judge_linear
from gitops_hooks.core.file_rules import judge_files, judge_kinds
from gitops_hooks.core.freeze import frozen_by, opening
from gitops_hooks.core.govern import Governing
from gitops_hooks.core.links import NO_LINKS, Links
from gitops_hooks.model.content import Content
from gitops_hooks.model.policy import LandMethod
from gitops_hooks.model.verdict import Requirement, Status

_HEADS = "refs/heads/"


def is_deployed(governing: Governing) -> bool:
    """Whether an environment deploys this branch."""
    return any(environment.branch == governing.ref for environment in governing.policy.environments)


def asks_for_files(governing: Governing) -> bool:
    """Whether any rule needs to look at the files that each commit brings."""
    return is_deployed(governing) or any(rule.bounds.files for rule in governing.rules)


def asks_who_pushed(governing: Governing) -> bool:
    """Whether any rule holds authors or committers against those who pushed."""
    bounds = [rule.bounds.commits for rule in governing.rules]
    return any(one and (one.author_pushes or one.committer_pushes) for one in bounds)


def judge_read_only(governing: Governing) -> tuple[Requirement, ...]:
    """A read-only branch takes nothing: no proposal, no approval, no landing, no push."""
    name = governing.ref.removeprefix(_HEADS)
    return tuple(
        Requirement("read_only", Status.UNSATISFIED, f"{name} is read-only: {rule.bounds.read_only}.", rule.place)
        for rule in governing.rules
        if rule.bounds.read_only
    )


def judge_freeze(governing: Governing, at: datetime) -> tuple[Requirement, ...]:
    """No move of the branch while any window holds; says when the last of them ends."""
    windows = [window for rule in governing.rules for window in rule.bounds.freeze]
    holding = [window for window in windows if frozen_by(window, at)]
    if not holding:
        return ()
    opens = opening(windows, at)
    again = f"it opens again {opens}" if opens else "no end of it is in sight"
    name = governing.ref.removeprefix(_HEADS)
    return tuple(
        Requirement("freeze", Status.UNSATISFIED, f"{name} is frozen ({window.text}); {again}.", window.place)
        for window in holding
    )


def judge_content(
    governing: Governing, content: Content, paths: Sequence[str], links: Links = NO_LINKS
) -> tuple[Requirement, ...]:
    """What the commits and their files are like; never changes for one head, so it is asked when that is proposed."""
    rules = governing.rules
    found = [judge_linear(rule, content.commits) for rule in rules if rule.bounds.linear]
    found += judge_commits([rule.bounds.commits for rule in rules if rule.bounds.commits], content)
    brought = Brought(content.files, paths, links)
    found += [judge_files(rule.bounds.files, brought) for rule in rules if rule.bounds.files]
    return (*found, *judge_kinds(rules, content.files, is_deployed(governing)))


def judge_line(governing: Governing, fast_forward: bool) -> tuple[Requirement, ...]:
    """A branch of one line takes no merge by the server either."""
    linear = next((rule for rule in governing.rules if rule.bounds.linear), None)
    method = governing.land_method
    if linear is None or isinstance(method, Requirement):
        return ()
    if method is LandMethod.ALWAYS_MERGE:
        place = next(rule.place for rule in governing.rules if rule.land_method is method)
        reason = f"{linear.place} asks for linear and {place} for always-merge: nothing can land until one gives way."
        return (Requirement("linear", Status.ERROR, reason, linear.place),)
    if method is LandMethod.MERGE and not fast_forward:
        reason = "The branch has moved on, and is one line of commits without merges. Rebase and propose again."
        return (Requirement("linear", Status.UNSATISFIED, reason, linear.place),)
    return ()
