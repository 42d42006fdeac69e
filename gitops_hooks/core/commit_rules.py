"""What rules ask of the commits that would land: one line of history, messages, sign-off, whose address."""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.patterns import found_in
from gitops_hooks.core.receive import shown
from gitops_hooks.model.bounds import CommitBounds
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.content import Content
from gitops_hooks.model.policy import BranchRule
from gitops_hooks.model.verdict import Requirement, Status

_MOST = 5
_SIGNED_OFF = "signed-off-by:"


def judge_linear(rule: BranchRule, commits: Iterable[Commit]) -> Requirement:
    """No commit of more than one parent; what the server itself would make is judged where it lands."""
    merges = [f"{commit.oid[:7]} is a merge" for commit in commits if len(commit.parents) > 1]
    if not merges:
        return Requirement("linear", Status.SATISFIED, "no merge commits", rule.place)
    reason = told(merges, "This branch is one line of commits. Rebase instead: git rebase <branch>")
    return Requirement("linear", Status.UNSATISFIED, reason, rule.place)


def judge_commits(bounds: CommitBounds, content: Content) -> Requirement:
    """Every commit's message, sign-off and addresses; all faults at once."""
    faults = [fault for commit in content.commits for fault in _faults(bounds, commit, content.vouched)]
    if not faults:
        return Requirement("commits", Status.SATISFIED, f"{len(content.commits)} as asked", bounds.place)
    reason = told(faults, "Mend them with git rebase -i (the newest: git commit --amend), and push again.")
    return Requirement("commits", Status.UNSATISFIED, reason, bounds.place)


def told(faults: Sequence[str], cure: str) -> str:
    """The first five faults, a line each, how many more there are, and what to do."""
    lines = list(faults[:_MOST])
    if len(faults) > _MOST:
        lines.append(f"and {len(faults) - _MOST} more")
    return "\n".join([*lines, cure])


def _faults(bounds: CommitBounds, commit: Commit, vouched: frozenset[str]) -> list[str]:
    message = commit.message.strip("\n")
    name = commit.oid[:7]
    found = [f"{name}: its message must match {shown(p)}" for p in bounds.must if not found_in(p, message)]
    found += [f"{name}: its message must not match {shown(p)}" for p in bounds.must_not if found_in(p, message)]
    if bounds.signoff and not _is_signed_off(commit):
        found.append(f"{name}: lacks Signed-off-by with its author's address <{shown(commit.author)}> (git commit -s)")
    if bounds.author_pushes and f"author:{commit.oid}" not in vouched:
        found.append(f"{name}: its author <{shown(commit.author)}> is no address of who pushed it")
    if bounds.committer_pushes and f"committer:{commit.oid}" not in vouched:
        found.append(f"{name}: its committer <{shown(commit.committer)}> is no address of who pushed it")
    return found


def _is_signed_off(commit: Commit) -> bool:
    """Whether a line says so with exactly the author's address."""
    lines = (line.strip().lower() for line in commit.message.split("\n"))
    return any(line.startswith(_SIGNED_OFF) and line.endswith(f"<{commit.author}>") for line in lines)
