"""A secret was pushed: its change's content leaves the server, and the record says who took it away and why."""

from gitops_hooks.edge.command_log import forget_logs
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.disposal import Disposal
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.plan_notes import forget_plan
from gitops_hooks.edge.pushes import alone
from gitops_hooks.edge.record import LOG, meta_ref
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.sweep import sweep
from gitops_hooks.edge.verdict_store import forget_verdicts
from gitops_hooks.entry.dropping import drop_content
from gitops_hooks.entry.landing import KEPT
from gitops_hooks.entry.recovery import Bench, open_bench
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.change_event import Purged
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Administered
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal

_SECONDS = 60.0


def purge(home: Home, name: str, number: int, reason: str) -> tuple[str, ...] | Refusal:
    """What was done, a line each. Safe to run again after any end of it. Errors: EdgeError."""
    bench = open_bench(home, name)
    record = bench.ledger.record.change(number)
    if record is None:
        return Refusal("change", f"There is no change {number}.")
    if record.state is ChangeState.LANDED:
        return _landed(record)
    disposal = Disposal(bench.entry.path, load_server(home).git)
    heads = [revision.head for revision in record.revisions]
    with alone(bench.state, _SECONDS), hold(bench.state, record.target, _SECONDS):
        sweep(bench.entry.path)
        forget_verdicts(bench.state)
        forget_logs(bench.state, number)
        forget_plan(bench.state, number)
        content = disposal.content(heads, [revision.base for revision in record.revisions])
        _record(bench, record, reason)
        drop_content(bench.ledger, record)
        disposal.collect()
        left = disposal.left(content)
        _note(bench, number)
    return _words(record, len(content), left, disposal.holders(left) if left else ())


def _landed(record: ChangeRecord) -> Refusal:
    branch = record.target.removeprefix("refs/heads/")
    return Refusal(
        "change",
        f"Change {record.number} has landed: it is a part of {branch}, whose recorded history stays as it is.",
        "Make the secret worthless where it is used, then land a change that takes it out.",
    )


def _record(bench: Bench, record: ChangeRecord, reason: str) -> None:
    """Nothing goes before the record says so; whoever finds the change so later takes its refs away."""
    if record.purged:
        return
    bench.ledger.record.ensure_changes()
    bench.ledger.record.index.begin(record.number)
    ref = f"refs/changes/{record.number}"
    body = Administered(Word("purge"), Word(ref), Oid(record.head.head), Oid(NO_OID), Text(reason))
    bench.ledger.log(LOG, body, SERVER)
    told = bench.ledger.append(meta_ref(record.number), Purged(record.number, Text(reason)), SERVER, expect=record.tip)
    if isinstance(told, LostRace):
        raise EdgeError(meta_ref(record.number), f"{told.words}; run the command again")


def _note(bench: Bench, number: int) -> None:
    bench.ledger.record.sync()
    if record := bench.ledger.record.change(number):
        bench.ledger.record.index.note(record)


def _cures(holders: tuple[str, ...]) -> list[str]:
    """What can be done about each holder; nothing takes away what a recorded branch or tag once stood at."""
    history = [ref for ref in holders if ref.startswith(KEPT)]
    lines = [] if history and len(history) == len(holders) else ["purge or delete that too, then run this again"]
    if history:
        lines.append(f"{KEPT}* stays: a branch or tag stood there, and its recorded history is judged by it")
    return lines


def _words(record: ChangeRecord, count: int, left: tuple[str, ...], holders: tuple[str, ...]) -> tuple[str, ...]:
    number = record.number
    lines = [f"change {number} is purged; {LOG} and {meta_ref(number)} say so"]
    if left:
        lines.append(f"removed {count - len(left)} of its {count} objects; {len(left)} are held by something else:")
        lines += [f"  {ref}" for ref in holders] or ["  a pack that is marked to be kept (objects/pack/*.keep)"]
        lines += _cures(holders)
    else:
        lines.append(f"removed {count} objects; none of them is left on this server")
    lines.append("not reached: clones, mirrors, backups and file system snapshots that have it already")
    lines.append(f"not removed: title, description and messages in {meta_ref(number)}")
    return (*lines, "what was secret is known by now: replace it where it is used")
