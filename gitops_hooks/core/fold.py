"""Events → what they amount to."""

from collections.abc import Sequence
from dataclasses import replace

from gitops_hooks.core.events import InvalidEvent
from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.change import ChangeRecord, ChangeState, Revision
from gitops_hooks.model.event import Approved, ChangeLanded, Closed, Event, Proposed, Purged, Rejected


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
            approval = Approval(
                event.oid,
                event.stamp.repository,
                event.stamp.actor,
                body.target,
                body.base,
                body.head,
                body.commits,
                body.policy,
                body.signer,
            )
            # An approval takes back the same reviewer's rejection of the same head.
            kept = tuple(r for r in now.rejections if (r.actor, r.head) != (approval.actor, approval.head))
            return replace(now, approvals=(*now.approvals, approval), rejections=kept)
        case Rejected() as body:
            # And a rejection takes back the same reviewer's approvals of that head.
            left = tuple(a for a in now.approvals if (a.actor, a.head) != (event.stamp.actor, body.head))
            rejection = Rejection(event.oid, event.stamp.actor, body.head)
            return replace(now, approvals=left, rejections=(*now.rejections, rejection))
        case Closed():
            return replace(now, state=ChangeState.CLOSED)
        case Purged():
            return replace(now, state=ChangeState.CLOSED, purged=True)
        case ChangeLanded():
            return replace(now, state=ChangeState.LANDED)
    raise InvalidEvent(f"event {event.oid[:12]}: does not belong to a change")
