"""What became of one update, for git and for whoever follows."""

from dataclasses import field

from gitops_hooks.core.pktline import Moved, Report
from gitops_hooks.core.report import escape
from gitops_hooks.edge.handoff import Said
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.terminal import tell
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.judgement import Land
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import RefUpdate


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one update: git's report, the governed refs that moved, and a word that began a run."""

    report: Report
    landed: tuple[str, ...] = field(default=())
    operated: Said | None = None


def head_ref(record: ChangeRecord) -> str:
    return f"refs/changes/{record.number}/head"


def lost_race(update: RefUpdate, lost: LostRace) -> Done:
    tell(
        ["gitops: somebody else was faster; nothing was moved. Fetch, look, and push again.", f"  {escape(lost.words)}"]
    )
    return Done(Report(update.ref, False, "somebody else was faster; push again"))


def landed_report(update: RefUpdate, effect: Land, new: str) -> Report:
    """A fast-forward is reported as the branch; what the server made as the change, since the client lacks it."""
    if update.ref == effect.ref:
        return Report(update.ref, True)
    if new == effect.span.head:
        return Report(update.ref, True, moved=(Moved(effect.ref, effect.span.tip, new),))
    # post-receive is told of the branch by our own note, not by git.
    number = effect.record.number if effect.record else 0
    return Report(update.ref, True, moved=(Moved(f"refs/changes/{number}/head", effect.span.head, effect.span.head),))
