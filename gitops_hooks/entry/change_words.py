"""What can be read of changes."""

import subprocess

from gitops_hooks.core.approve import needed
from gitops_hooks.core.govern import govern
from gitops_hooks.core.report import escape, field, needs
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.request import Refusal

_MOST = 200
_DIFF_BYTES = 4 * 1024 * 1024


def list_changes(sitting: Sitting, everything: bool) -> list[ChangeRecord]:
    """The newest changes, at most 200."""
    found = [sitting.record.change(number) for number in sitting.record.index.newest(_MOST, only_open=not everything)]
    return [record for record in found if record and (everything or record.state is ChangeState.OPEN)]


def list_lines(records: list[ChangeRecord]) -> list[str]:
    if not records:
        return ["no changes"]
    return [
        f"{record.number:>6}  {record.state.value:<7} {record.owner:<12} "
        f"{escape(record.target.removeprefix('refs/heads/')):<12} {escape(record.title)[:60]}"
        for record in records
    ]


def facts(record: ChangeRecord) -> dict[str, object]:
    """One change for programs."""
    return {
        "number": record.number,
        "state": "purged" if record.purged else record.state.value,
        "owner": record.owner,
        "target": record.target,
        "topic": record.topic,
        "title": record.title,
        "head": record.head.head,
        "revisions": [
            {"number": r.number, "head": r.head, "base": r.base, "uploader": r.uploader} for r in record.revisions
        ],
        "approvals": [{"actor": a.actor, "head": a.head} for a in record.approvals],
        "rejections": [{"actor": r.actor, "head": r.head} for r in record.rejections],
    }


def show_lines(sitting: Sitting, record: ChangeRecord) -> list[str]:
    """One change for people, with what it still needs while it is open."""
    branch = escape(record.target.removeprefix("refs/heads/"))
    lines = [
        f"change {record.number}, {'purged' if record.purged else record.state.value}, for {branch} by {record.owner}"
    ]
    lines += field("title", record.title) + (field("topic", record.topic) if record.topic else [])
    for revision in record.revisions:
        said = [f"approved by {a.actor}" for a in record.approvals if a.head == revision.head]
        said += [f"rejected by {r.actor}" for r in record.rejections if r.head == revision.head]
        words = ", ".join([f"{revision.head} by {revision.uploader}", *said])
        lines += field(f"revision {revision.number}", words)
    return lines + (_needs(sitting, record) if record.state is ChangeState.OPEN else [])


def _needs(sitting: Sitting, record: ChangeRecord) -> list[str]:
    governing = govern(sitting.policy, record.target)
    if governing is None:
        return field("needs", "no rule governs its branch any more")
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record)
    if isinstance(matter, Refusal):
        return field("needs", f"{matter.reason} {matter.cure}")
    missing = [requirement for requirement in matter.case.approvals if not requirement.holds]
    return needs(missing) or field("approved", "; ".join(needed(rule) for rule in matter.case.demands.rules))


def diff(sitting: Sitting, record: ChangeRecord) -> str:
    """A patch from the merge base to the newest head, cut at 4 MiB, with what could steer a terminal escaped."""
    if record.purged:
        return f"change {record.number} was purged: its content is no longer here\n"
    words = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", record.head.base, record.head.head]
    ran = subprocess.run(
        [sitting.server.git, "--git-dir", str(sitting.entry.path), *words],
        capture_output=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    text = ran.stdout[:_DIFF_BYTES].decode("utf-8", "surrogateescape")
    return "".join(f"{escape(line)}\n" for line in text.replace("\t", "    ").split("\n")[:-1])
