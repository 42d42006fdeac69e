"""What rules ask of the commits that would land: one line of history, messages, sign-off, whose address."""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.patterns import all_found_in
from gitops_hooks.core.receive import shown
from gitops_hooks.model.bounds import CommitBounds
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.content import Content
from gitops_hooks.model.lazy_dataclass import dataclass
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


def judge_commits(bounds: Sequence[CommitBounds], content: Content) -> list[Requirement]:
    """Every commit's message, sign-off and addresses, by each rule; all faults at once."""
    patterns = tuple(dict.fromkeys(pattern for one in bounds for pattern in (*one.must, *one.must_not)))
    read = [_read(commit, patterns, content.vouched) for commit in content.commits]
    return [_judge(one, read) for one in bounds]


def _judge(bounds: CommitBounds, read: Sequence["_Read"]) -> Requirement:
    faults = [fault for one in read for fault in _faults(bounds, one)]
    if not faults:
        return Requirement("commits", Status.SATISFIED, f"{len(read)} as asked", bounds.place)
    reason = told(faults, "Mend them with git rebase -i (the newest: git commit --amend), and push again.")
    return Requirement("commits", Status.UNSATISFIED, reason, bounds.place)


@dataclass(frozen=True, slots=True)
class _Read:
    """One commit as all rules see it; `found` are the patterns, of all of them, that its message holds."""

    commit: Commit
    found: frozenset[str]
    signed_off: bool
    author_pushed: bool
    committer_pushed: bool


def _read(commit: Commit, patterns: tuple[str, ...], vouched: frozenset[str]) -> _Read:
    return _Read(
        commit,
        all_found_in(patterns, commit.message.strip("\n")),
        _is_signed_off(commit),
        f"author:{commit.oid}" in vouched,
        f"committer:{commit.oid}" in vouched,
    )


def told(faults: Sequence[str], cure: str) -> str:
    """The first five faults, a line each, how many more there are, and what to do."""
    lines = list(faults[:_MOST])
    if len(faults) > _MOST:
        lines.append(f"and {len(faults) - _MOST} more")
    return "\n".join([*lines, cure])


def _faults(bounds: CommitBounds, read: _Read) -> list[str]:
    commit, name = read.commit, read.commit.oid[:7]
    found = [f"{name}: its message must match {shown(p)}" for p in bounds.must if p not in read.found]
    found += [f"{name}: its message must not match {shown(p)}" for p in bounds.must_not if p in read.found]
    if bounds.signoff and not read.signed_off:
        found.append(f"{name}: lacks Signed-off-by with its author's address <{shown(commit.author)}> (git commit -s)")
    if bounds.author_pushes and not read.author_pushed:
        found.append(f"{name}: its author <{shown(commit.author)}> is no address of who pushed it")
    if bounds.committer_pushes and not read.committer_pushed:
        found.append(f"{name}: its committer <{shown(commit.committer)}> is no address of who pushed it")
    return found


def _is_signed_off(commit: Commit) -> bool:
    """Whether a line says so with exactly the author's address."""
    lines = (line.strip().lower() for line in commit.message.split("\n"))
    return any(line.startswith(_SIGNED_OFF) and line.endswith(f"<{commit.author}>") for line in lines)
