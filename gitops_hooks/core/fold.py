"""Events → what they amount to."""

from collections.abc import Sequence
from dataclasses import replace

from gitops_hooks.core.events import InvalidEvent
from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.change import ChangeRecord, ChangeState, Revision
from gitops_hooks.model.event import Approved, ChangeLanded, Closed, Event, Proposed, Purged, Rejected, Withdrawn


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
    )


def _revision(event: Event, body: Proposed) -> Revision:
    asked = event.stamp.actor if body.auto_land else ""
    return Revision(body.revision, body.head, body.base, event.stamp.actor, asked)


def _followed(record: ChangeRecord, event: Event) -> ChangeRecord:
    now = replace(record, tip=event.oid)
    match event.body:
        case Proposed() as body:
            title, change_id = body.title or now.title, body.change_id or now.change_id
            revisions = (*now.revisions, _revision(event, body))
            return replace(now, title=title, change_id=change_id, revisions=revisions)
        case Approved() as body:
            return take_approval(now, _approval(event, body))
        case Rejected() as body:
            return take_rejection(now, Rejection(event.oid, event.stamp.actor, body.head))
        case Withdrawn() as body:
            return take_withdrawal(now, event.stamp.actor, body.head)
        case Closed():
            return replace(now, state=ChangeState.CLOSED)
        case Purged():
            return replace(now, state=ChangeState.CLOSED, purged=True)
        case ChangeLanded():
            return replace(now, state=ChangeState.LANDED)
    raise InvalidEvent(f"event {event.oid[:12]}: does not belong to a change")


def _approval(event: Event, body: Approved) -> Approval:
    stamp = event.stamp
    bound = (body.target, body.base, body.head, body.commits, body.policy, body.signer)
    return Approval(event.oid, stamp.repository, stamp.actor, *bound)


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
