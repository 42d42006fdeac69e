"""Events → what they amount to."""

from collections.abc import Sequence
from dataclasses import replace

from gitops_hooks.core.events import InvalidEvent
from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.change import ChangeRecord, ChangeState, Comment, Revision
from gitops_hooks.model.change_event import (
    Approved,
    ChangeLanded,
    Closed,
    Commented,
    Edited,
    PlanAsked,
    Planned,
    Proposed,
    Purged,
    Ran,
    Rebased,
    Rejected,
    Reopened,
    RunAgain,
    Withdrawn,
)
from gitops_hooks.model.change_plan import PlanMade, PlannedEnvironment
from gitops_hooks.model.command import CommandResult, CommandState
from gitops_hooks.model.event import Event


def fold_change(events: Sequence[Event], repository: str) -> ChangeRecord:
    """The change that its events, oldest first, amount to.

    Errors: InvalidEvent where the first is no revision, numbers have a gap, or one belongs elsewhere.
    """
    record: ChangeRecord | None = None
    for number, event in enumerate(events, 1):
        if event.stamp.number != number or event.stamp.repository != repository:
            raise InvalidEvent(f"event {event.oid[:12]}: not number {number} of this repository's change")
        record = _opened(event) if record is None else _followed(record, event)
    if record is None:
        raise InvalidEvent("a change without events")
    return record


def _opened(event: Event) -> ChangeRecord:
    body = event.body
    if not isinstance(body, Proposed):
        raise InvalidEvent(f"event {event.oid[:12]}: a change begins with its first revision")
    return ChangeRecord(
        number=body.change,
        tip=event.oid,
        owner=event.stamp.actor,
        target=body.target,
        topic=body.topic,
        title=body.title,
        change_id=body.change_id,
        state=ChangeState.OPEN,
        revisions=(_revision(event, body),),
        description=body.description,
        draft=body.draft,
        reviewers=body.reviewers,
        cc=body.cc,
    )


def _revision(event: Event, body: Proposed) -> Revision:
    asked, key = (event.stamp.actor, event.stamp.key) if body.auto_land else ("", "")
    return Revision(body.revision, body.head, body.base, event.stamp.actor, asked, key, body.depends, body.ground)


def _rebased(record: ChangeRecord, event: Event, body: Rebased) -> ChangeRecord:
    """Whoever pushed the source stays its uploader: the server chose nothing, and who asked pushed nothing."""
    source = record.revision_at(body.source)
    if source is None:
        raise InvalidEvent(f"event {event.oid[:12]}: rebases a commit that is no revision of the change")
    made = Revision(
        body.revision,
        body.head,
        body.base,
        source.uploader,
        depends=body.depends,
        ground=body.ground,
        rebased_for=event.stamp.actor,
        source=body.source,
    )
    return replace(record, revisions=(*record.revisions, made))


def _edited(record: ChangeRecord, event: Event, body: Edited) -> ChangeRecord:
    now = replace(
        record,
        title=body.title,
        description=body.description,
        draft=body.draft,
        reviewers=body.reviewers,
        cc=body.cc,
    )
    if not body.auto_land:
        return now
    asked = (event.stamp.actor, event.stamp.key)
    revisions = tuple(
        replace(each, auto_land_by=asked[0], auto_land_key=asked[1]) if each.head == body.head else each
        for each in now.revisions
    )
    return replace(now, revisions=revisions)


def _reopened(record: ChangeRecord) -> ChangeRecord:
    """What was approved or asked for before the change was closed has ended with it."""
    revisions = tuple(replace(each, auto_land_by="", auto_land_key="") for each in record.revisions)
    return replace(record, state=ChangeState.OPEN, approvals=(), revisions=revisions)


def _revised(record: ChangeRecord, event: Event, body: Proposed) -> ChangeRecord:
    return replace(
        record,
        title=body.title or record.title,
        description=body.description or record.description,
        change_id=body.change_id or record.change_id,
        revisions=(*record.revisions, _revision(event, body)),
        draft=body.draft,
        reviewers=body.reviewers,
        cc=body.cc,
    )


def _followed(record: ChangeRecord, event: Event) -> ChangeRecord:
    now = replace(record, tip=event.oid)
    match event.body:
        case Proposed() as body:
            return _revised(now, event, body)
        case Rebased() as body:
            return _rebased(now, event, body)
        case Edited() as body:
            return _edited(now, event, body)
        case Commented() as body:
            said = Comment(event.stamp.actor, body.head, body.message)
            return replace(now, comments=(*now.comments, said))
        case Approved() | Rejected() | Withdrawn() as body:
            return _reviewed(now, event, body)
        case Closed() | Purged() as body:
            return replace(now, state=ChangeState.CLOSED, purged=isinstance(body, Purged))
        case Reopened():
            return _reopened(now)
        case Ran() | RunAgain() | PlanAsked() | Planned() as body:
            return _made(now, event, body)
        case ChangeLanded() as body:
            return replace(now, state=ChangeState.LANDED, landed_as=body.result)
    raise InvalidEvent(f"event {event.oid[:12]}: does not belong to a change")


def _made(record: ChangeRecord, event: Event, body: Ran | RunAgain | PlanAsked | Planned) -> ChangeRecord:
    """What the server has done with it, and what it was asked to do."""
    if isinstance(body, Ran | RunAgain):
        return _ran(record, event, body)
    return _planned(record, event, body)


def _ran(record: ChangeRecord, event: Event, body: Ran | RunAgain) -> ChangeRecord:
    """Whoever asks for a run once more takes back what did not pass, and nothing else."""
    if isinstance(body, RunAgain):
        passed = tuple(each for each in record.results if each.state is CommandState.PASSED)
        return replace(record, results=passed, again=(*record.again, body.head))
    what = (body.check, body.name, body.definition, body.tree, body.head)
    result = CommandResult(event.oid, *what, body.state, body.seconds, body.detail)
    return replace(record, results=(*record.results, result))


def _planned(record: ChangeRecord, event: Event, body: PlanAsked | Planned) -> ChangeRecord:
    if isinstance(body, PlanAsked):
        return replace(record, plan_asked=body.head)
    try:
        found = tuple(PlannedEnvironment.of(word) for word in body.environments)
    except ValueError:
        raise InvalidEvent(f"event {event.oid[:12]}: tells of no environment in a way that can be read") from None
    made = PlanMade(event.oid, body.head, body.tip, body.tree, body.digest, found)
    asked = "" if record.plan_asked == body.head else record.plan_asked
    return replace(record, plans=(*record.plans, made), plan_asked=asked)


def _reviewed(record: ChangeRecord, event: Event, body: Approved | Rejected | Withdrawn) -> ChangeRecord:
    match body:
        case Approved():
            return take_approval(record, _approval(event, body))
        case Rejected():
            return take_rejection(record, Rejection(event.oid, event.stamp.actor, body.head))
        case Withdrawn():
            return take_withdrawal(record, event.stamp.actor, body.head)


def _approval(event: Event, body: Approved) -> Approval:
    stamp = event.stamp
    bound = (body.target, body.base, body.head, body.commits, body.policy, body.signer)
    return Approval(event.oid, stamp.repository, stamp.actor, *bound, plan=body.plan)


def take_approval(record: ChangeRecord, approval: Approval) -> ChangeRecord:
    """An approval takes back the same reviewer's rejection of the same head, and no other of theirs sticks."""
    left = [r for r in record.rejections if (r.actor, r.head) != (approval.actor, approval.head)]
    loosened = tuple(replace(r, sticks=False) if r.actor == approval.actor else r for r in left)
    return replace(record, approvals=(*record.approvals, approval), rejections=loosened)


def take_rejection(record: ChangeRecord, rejection: Rejection) -> ChangeRecord:
    """And a rejection takes back the same reviewer's approvals of that head, and carries no other of theirs on."""
    left = [a for a in record.approvals if (a.actor, a.head) != (rejection.actor, rejection.head)]
    bound = tuple(replace(a, carries=False) if a.actor == rejection.actor else a for a in left)
    return replace(record, approvals=bound, rejections=(*record.rejections, rejection))


def take_withdrawal(record: ChangeRecord, actor: str, head: str) -> ChangeRecord:
    """What a reviewer said of one head is as if never said; at the newest head also what reaches it from others.

    No approval of theirs is left there for an earlier revision either: it would stay landable by its commit.
    """
    newest = head == record.head.head
    approvals = tuple(a for a in record.approvals if a.actor != actor or not (newest or a.head == head))
    left = [r for r in record.rejections if (r.actor, r.head) != (actor, head)]
    rejections = tuple(replace(r, sticks=False) if newest and r.actor == actor else r for r in left)
    return replace(record, approvals=approvals, rejections=rejections)
