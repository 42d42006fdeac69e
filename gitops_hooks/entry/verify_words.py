"""What `verify` found, for people and for programs."""

from gitops_hooks.core.report import escape, field
from gitops_hooks.core.utc_time import write_time
from gitops_hooks.model.event import Administered, Event, Landing
from gitops_hooks.model.verification import Pins, Unauthorised, Verification


def lines(found: Verification, pins: Pins) -> list[str]:
    """The first fault before all else, or that there is none and what that rests on."""
    adoption = found.adoption
    said = [f"repository {found.identity}, {found.events} events, {found.judged} landings judged"]
    if adoption:
        said.append(f"adopted {adoption.stamp.at:%Y-%m-%d} by event {adoption.oid}")
    for history in found.refs:
        moved = f"{history.landings} landings, {history.administered} by the administrator"
        said += field(history.ref.removeprefix("refs/heads/"), f"{history.tip[:12]}  {moved}")
    said += [line for event in found.administered for line in _administered(event)]
    if found.faults:
        return [*said, "", *(line for fault in found.faults for line in _fault(fault))]
    return [*said, "", "ok: every move was authorised", *_trust(found, pins), *_next_time(found, pins)]


def _administered(event: Event) -> list[str]:
    body = event.body
    if not isinstance(body, Administered):
        return []
    ends = f"{body.old[:12]}..{body.new[:12]}"
    return field("admin", f"{body.act} of {body.ref} {ends} on {event.stamp.at:%Y-%m-%d}: {body.reason}")


def _fault(fault: Unauthorised) -> list[str]:
    ends = f" {fault.old[:12]}..{fault.new[:12]}" if fault.old and fault.new else ""
    said = [f"NOT AUTHORISED: {escape(fault.ref) or 'the record itself'}{ends}"]
    if fault.event:
        stamp = fault.event.stamp
        what = f"change {_change(fault.event)}, " if _change(fault.event) else ""
        said += field("event", f"{what}number {stamp.number}, {fault.event.oid}, {stamp.at:%Y-%m-%d %H:%M} UTC")
        said += field("actor", stamp.actor)
    return said + [line for text in fault.reason.split("\n") for line in field(fault.rule, text)]


def _change(event: Event) -> int:
    return event.body.change if isinstance(event.body, Landing) else 0


def _trust(found: Verification, pins: Pins) -> list[str]:
    """On what the answer rests, since a server that lies could have written the record (trust rule 3)."""
    said = [f"    {name} was taken from the record; pin it: {option}" for name, option in _unpinned(found, pins)]
    if not found.unsigned:
        return (
            said
            if pins.approvers
            else ["    the approvers' keys were taken from the record; pin them: --approvers FILE", *said]
        )
    rest = f"{found.unsigned} of {found.judged} landings rest on what the server wrote down: nobody signed for them."
    return [f"    {rest}", "    Without signed: true this trusts the server's record.", *said]


def _unpinned(found: Verification, pins: Pins) -> list[tuple[str, str]]:
    adoption = found.adoption.oid if found.adoption else ""
    asked = [] if pins.identity else [("the repository id", f"--id {found.identity}")]
    return asked if pins.adoption else [*asked, ("the adoption", f"--adoption {adoption}")]


def _next_time(found: Verification, pins: Pins) -> list[str]:
    """An event that holds for the next run, unless only one branch was looked at."""
    return [] if pins.branch else [f"    The next run judges only what is new:  --from {found.tip}"]


def facts(found: Verification, pins: Pins) -> dict[str, object]:
    """The same for programs; `first` is null where every move was authorised."""
    faults = [_fault_facts(fault) for fault in found.faults]
    return {
        "authorised": not faults,
        "first": faults[0] if faults else None,
        "faults": faults,
        "repository": found.identity,
        "adoption": found.adoption.oid if found.adoption else "",
        "log": found.tip,
        "events": found.events,
        "judged": found.judged,
        "unsigned": found.unsigned,
        "refs": [
            {"ref": one.ref, "tip": one.tip, "landings": one.landings, "administered": one.administered}
            for one in found.refs
        ],
        "administered": [_event_facts(event) for event in found.administered],
        "pinned": {
            "id": bool(pins.identity),
            "adoption": bool(pins.adoption),
            "from": pins.since,
            "approvers": pins.approvers is not None,
        },
    }


def _fault_facts(fault: Unauthorised) -> dict[str, object]:
    said: dict[str, object] = {
        "ref": fault.ref,
        "rule": fault.rule,
        "reason": fault.reason,
        "old": fault.old,
        "new": fault.new,
    }
    return said | (_event_facts(fault.event) if fault.event else {"event": ""})


def _event_facts(event: Event) -> dict[str, object]:
    stamp = event.stamp
    said: dict[str, object] = {"event": event.oid, "number": stamp.number, "at": write_time(stamp.at)}
    said |= {"actor": stamp.actor, "change": _change(event)}
    if isinstance(event.body, Administered):
        said |= {"act": event.body.act, "ref": event.body.ref, "old": event.body.old, "new": event.body.new}
        said |= {"reason": event.body.reason}
    return said
