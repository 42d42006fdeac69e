"""What doctor says of each repository's rules: whether they can be enforced, and what break-glass still owes."""

from collections.abc import Iterable, Iterator

from gitops_hooks.core.debts import moment
from gitops_hooks.edge.diagnosis import Line, State, verdict
from gitops_hooks.edge.home import Home
from gitops_hooks.entry.hook import open_ways
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def rule_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterator[Line]:
    """The policy in force, then a note for each debt."""
    try:
        sitting = open_sitting(home, entry.name, server=server)
    except PolicyError as error:
        yield from _policy(entry, str(error).split("\n"))
        return
    yield from _policy(entry, open_ways(sitting))
    yield from _debts(entry, sitting)


def _policy(entry: RepositoryEntry, faults: Iterable[str]) -> Iterable[Line]:
    cure = f"gitops-hooks recovery policy {entry.name} FILE --reason '…'; until then every push is refused"
    return verdict(f"policy {entry.name}", tuple(faults), "can be enforced", cure)


def _debts(entry: RepositoryEntry, sitting: Sitting) -> Iterator[Line]:
    now = sitting.ledger.clock()
    for debt in sitting.record.index.debts():
        branch = debt.ref.removeprefix("refs/heads/")
        late = f"since {moment(debt.due)}: the branch is closed" if debt.due <= now else f"by {moment(debt.due)}"
        words = f"change {debt.change} landed on {branch} by break-glass and is owed an approval {late}"
        cure = f"somebody who counts pushes {debt.head[:12]} to refs/approve/{debt.change}; if nobody is left: "
        cure += f"gitops-hooks recovery settle {entry.name} {debt.change} --reason '…'"
        yield Line(State.NOTE, f"repository {entry.name}", words, cure)
