"""What a change stands on: its branch, or a commit of another open change that has to land before it."""

from gitops_hooks.core.life import judge_below
from gitops_hooks.edge.record import Record
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement

_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Ground:
    """The change below (0: none) and its commit; `tip` is what a head is held against, "" for the branch itself."""

    depends: int = 0
    commit: str = ""
    tip: str = ""
    requirements: tuple[Requirement, ...] = ()


def ground_of(book: Record, tip: str, record: ChangeRecord | None, head: str) -> Ground:
    """What a recorded revision stands on: once its ground is in the branch (at `tip`), that is the branch again."""
    revision = record.revision_at(head) if record else None
    if record is None or revision is None or not revision.depends:
        return Ground()
    if book.repository.descends(tip, revision.ground):
        return Ground(revision.depends, revision.ground)
    below = book.change(revision.depends)
    requirement = judge_below(below, revision.ground, rebase_line(record.number, head))
    return Ground(revision.depends, revision.ground, revision.ground, (requirement,))


def rebase_line(number: int, head: str) -> str:
    return f"git push origin {head}:refs/rebase/{number}"


def choose_ground(sitting: Sitting, base: int, record: ChangeRecord | None, head: str, target: str) -> Ground | Refusal:
    """What a pushed head stands on: the change that was named, or still the one that it stood on before."""
    if base:
        return _named(sitting, base, record, head, target)
    before = sitting.record.change(record.head.depends) if record and record.head.depends else None
    if before is None or before.state is not ChangeState.OPEN:
        return Ground()
    return _on(sitting, before, head) or Ground()


def _named(sitting: Sitting, base: int, record: ChangeRecord | None, head: str, target: str) -> Ground | Refusal:
    below = sitting.record.change(base)
    if below is None:
        return Refusal("base", f"There is no change {base}.", "See what there is:  ssh <host> change list")
    if below.target != target:
        return Refusal("base", f"Change {base} is for {below.target.removeprefix('refs/heads/')}.")
    if below.state is not ChangeState.OPEN:
        return Refusal("base", f"Change {base} is {below.state.value}.", "Propose without -o base.")
    if record and _reaches(sitting, below, record.number):
        return Refusal("base", f"Change {base} stands on change {record.number} itself.")
    found = _on(sitting, below, head)
    fetch = f"Put it there:  git fetch origin refs/changes/{base}/head && git rebase FETCH_HEAD"
    return found or Refusal(
        "base", f"{head[:12]} is not on top of change {base}, which is at {below.head.head}.", fetch
    )


def _on(sitting: Sitting, below: ChangeRecord, head: str) -> Ground | None:
    """The newest revision of the change below that this head contains."""
    for revision in reversed(below.revisions):
        commit = revision.head
        there = commit != head and sitting.repository.is_commit(commit)
        if there and sitting.repository.descends(head, commit):
            rebase = f"git fetch origin refs/changes/{below.number}/head && git rebase FETCH_HEAD"
            return Ground(below.number, commit, commit, (judge_below(below, commit, rebase),))
    return None


def _reaches(sitting: Sitting, record: ChangeRecord, number: int) -> bool:
    """Whether a change stands, over however many others, on the change of this number."""
    below: ChangeRecord | None = record
    for _ in range(_DEEPEST):
        if below is None or below.number == number:
            break
        below = sitting.record.change(below.head.depends) if below.head.depends else None
    return below is not None
