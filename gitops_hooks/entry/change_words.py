"""What can be read of changes."""

import subprocess

from gitops_hooks.core.approve import needed
from gitops_hooks.core.govern import govern
from gitops_hooks.core.reach import Reached
from gitops_hooks.core.rendered_notes import SHOWN_LINES, RenderedEnvironment, rendered_facts, rendered_notes
from gitops_hooks.core.report import escape, field, life, needs, note_lines
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.entry.checkers import SHOW_SECONDS
from gitops_hooks.entry.log_words import state_lines
from gitops_hooks.entry.matter import Matter
from gitops_hooks.entry.noting import reach_of_matter
from gitops_hooks.entry.override_words import debt_facts, glass_lines, owed_lines
from gitops_hooks.entry.plan_words import plan_lines, plan_sums
from gitops_hooks.entry.reach_words import matter_of, reach_facts, reach_lines
from gitops_hooks.entry.rendering import render_matter
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState, Revision
from gitops_hooks.model.debt import Debt
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
        f"{record.number:>6}  {state_of(record):<7} {record.owner:<12} "
        f"{escape(record.target.removeprefix('refs/heads/')):<12} {escape(record.title)[:60]}"
        + (f"  (asked: {' '.join(record.reviewers)})" if record.reviewers else "")
        for record in records
    ]


def state_of(record: ChangeRecord) -> str:
    """`draft` for an open one that is not to land yet, `purged` for one whose content was taken away."""
    if record.purged:
        return "purged"
    return "draft" if record.draft and record.state is ChangeState.OPEN else record.state.value


def facts(
    record: ChangeRecord,
    debts: tuple[Debt, ...] = (),
    reached: tuple[Reached, ...] | None = None,
    rendered: tuple[RenderedEnvironment, ...] = (),
) -> dict[str, object]:
    """One change for programs, with what its landings by break-glass owe or owed, and where asked what it touches."""
    return {
        "number": record.number,
        "state": "purged" if record.purged else record.state.value,
        "owner": record.owner,
        "target": record.target,
        "topic": record.topic,
        "title": record.title,
        "head": record.head.head,
        "revisions": [_revision(revision) for revision in record.revisions],
        "draft": record.draft,
        "description": record.description,
        "reviewers": list(record.reviewers),
        "cc": list(record.cc),
        "comments": [{"actor": c.actor, "head": c.head, "text": c.text} for c in record.comments],
        "landed_as": record.landed_as,
        "approvals": [{"actor": a.actor, "head": a.head} for a in record.approvals],
        "rejections": [{"actor": r.actor, "head": r.head} for r in record.rejections],
        "results": [
            {"check": r.check, "name": r.name, "state": r.state.value, "head": r.head, "tree": r.tree, "event": r.event}
            for r in record.results
        ],
        "plan": plan_sums(record),
        "debts": [debt_facts(debt) for debt in debts],
        **({} if reached is None else {"reach": reach_facts(reached), "rendered": rendered_facts(rendered)}),
    }


def _revision(revision: Revision) -> dict[str, object]:
    one = revision
    said: dict[str, object] = {"number": one.number, "head": one.head, "base": one.base, "uploader": one.uploader}
    said |= {"rebased_for": one.rebased_for, "auto_land_by": one.auto_land_by, "depends": one.depends}
    return said | {"ground": one.ground if one.depends else ""}


def show_lines(sitting: Sitting, record: ChangeRecord) -> list[str]:
    """One change for people, with what it still needs while it is open."""
    branch = escape(record.target.removeprefix("refs/heads/"))
    lines = [f"change {record.number}, {state_of(record)}, for {branch} by {record.owner}"]
    lines += field("title", record.title) + (field("topic", record.topic) if record.topic else []) + life(record)
    lines += [line for text in record.description.split("\n") if text for line in field("", text)]
    for revision in record.revisions:
        said = [f"approved by {a.actor}" for a in record.approvals if a.head == revision.head]
        said += [f"rejected by {r.actor}" for r in record.rejections if r.head == revision.head]
        said += [f"rebased for {revision.rebased_for}"] if revision.rebased_for else []
        said += [f"to land for {revision.auto_land_by}"] if revision.auto_land_by else []
        words = ", ".join([f"{revision.head} by {revision.uploader}", *said])
        lines += field(f"revision {revision.number}", words)
    for comment in record.comments:
        lines += field(comment.actor, f"at {comment.head[:7]}: {comment.text}")
    now = sitting.ledger.clock()
    for debt in sitting.record.index.debts_of(record.number):
        lines += [*glass_lines(sitting.record.event(debt.landing)), *owed_lines(debt, now)]
    return lines + (_needs(sitting, record) if record.state is ChangeState.OPEN else [])


def _needs(sitting: Sitting, record: ChangeRecord) -> list[str]:
    if govern(sitting.policy, record.target) is None:
        return field("needs", "no rule governs its branch any more")
    matter = matter_of(sitting, record)
    if isinstance(matter, Refusal):
        return field("needs", f"{matter.reason} {matter.cure}")
    reached = [*_touched(sitting, matter), *plan_lines(sitting, record, matter)]
    commands = [line for words in state_lines(sitting, record) for line in field("command", words)]
    unmet = needs(matter.case.missing)
    rules = "; ".join(needed(rule) for rule in matter.case.demands.rules)
    return reached + commands + (unmet or field("approved", rules))


def _touched(sitting: Sitting, matter: Matter) -> list[str]:
    """The hosts that it reaches, and what it makes different as far as that needs none of them."""
    reached = reach_of_matter(sitting, matter)
    shown = rendered_notes(render_matter(sitting, matter, reached, SHOW_SECONDS), SHOWN_LINES)
    return reach_lines(reached) + [line for note in shown for line in note_lines(note)]


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
