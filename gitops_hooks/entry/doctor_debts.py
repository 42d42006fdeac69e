"""What doctor says of break-glass: the landings that are still owed an approval."""

from collections.abc import Iterator

from gitops_hooks.core.debts import moment
from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.home import Home
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def debt_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterator[Line]:
    """A note for each debt; a policy that cannot be read is told of by its own line."""
    name = f"debts of {entry.name}"
    try:
        sitting = open_sitting(home, entry.name, server=server)
    except PolicyError:
        return
    now, debts = sitting.ledger.clock(), sitting.record.index.debts()
    if not debts:
        yield Line(State.OK, name, "nothing that landed by break-glass is owed an approval", "")
    for debt in debts:
        branch = debt.ref.removeprefix("refs/heads/")
        late = f"since {moment(debt.due)}: the branch is closed" if debt.due <= now else f"by {moment(debt.due)}"
        words = f"change {debt.change} landed on {branch} by break-glass and is owed an approval {late}"
        cure = f"somebody who counts pushes {debt.head[:12]} to refs/approve/{debt.change}; if nobody is left: "
        cure += f"gitops-hooks recovery settle {entry.name} {debt.change} --reason '…'"
        yield Line(State.NOTE, name, words, cure)
