"""The judge over a whole history, from a mirror and offline: was every move of a protected ref authorised?"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from gitops_hooks.core.chain import Break, Chain, Step, follow
from gitops_hooks.core.floor import parse_floor, with_floor
from gitops_hooks.core.govern import govern
from gitops_hooks.edge.mirror import load_approvers, missing_objects, open_mirror, people_refs
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.entry.authorised import judge_record
from gitops_hooks.entry.signing import is_signed
from gitops_hooks.entry.sitting import policy_at
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event import Administered, Event, Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.verification import Pins, RefHistory, Unauthorised, Verification

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class _Walk:
    """One run over the log: what the events amount to so far, and what was wrong."""

    record: Record
    pins: Pins
    approvers: Mapping[str, frozenset[str]] | None
    chain: Chain = field(default_factory=Chain)
    steps: list[Step] = field(default_factory=list)
    faults: list[Unauthorised] = field(default_factory=list)
    judged: int = 0
    unsigned: int = 0

    def concerns(self, ref: str) -> bool:
        """One branch rests on the policy, and so on the default branch too; "" is the whole log."""
        return not self.pins.branch or ref in ("", self.pins.branch, self.chain.default)

    def blame(self, fault: Unauthorised) -> None:
        """Only the first of each ref: what was built on it is no better."""
        if all(known.ref != fault.ref for known in self.faults):
            self.faults.append(fault)


def verify(pins: Pins, progress: Progress) -> Verification:
    """Everything that the pins let one say. Errors: EdgeError where there is no whole mirror to look at."""
    record = open_mirror(pins)
    walk = _Walk(record, pins, load_approvers(pins.approvers) if pins.approvers else None)
    events = _read_log(walk, progress)
    if events and not walk.faults:
        # What break-glass owed at each landing is asked of the index, which is made of the log.
        record.sync()
        _judge_all(walk, events, progress)
        _compare_refs(walk)
    return Verification(
        record.identity,
        walk.chain.adoption,
        record.repository.tip(LOG),
        len(events),
        walk.judged,
        walk.unsigned,
        _histories(walk),
        tuple(step.event for step in walk.steps if isinstance(step.event.body, Administered)),
        tuple(walk.faults),
    )


def _read_log(walk: _Walk, progress: Progress) -> list[Event]:
    """The events, oldest first: each signed by the pinned key, numbered without a gap, and holding the pinned ones."""
    events: list[Event] = []
    try:
        with missing_objects():
            for event in walk.record.events(LOG):
                events.append(event)
                progress("events read", len(events))
    except EdgeError as error:
        walk.blame(Unauthorised("", "record", f"{error}; the log cannot be believed"))
        return []
    events.reverse()
    pins = walk.pins
    if pins.adoption and events[0].oid != pins.adoption:
        reason = f"the log begins with event {events[0].oid[:12]}, not with the pinned adoption {pins.adoption[:12]}"
        walk.blame(Unauthorised("", "adoption", reason, event=events[0]))
    if pins.since and all(event.oid != pins.since for event in events):
        reason = f"the log no longer holds event {pins.since[:12]}, which was verified before: it was cut or rewritten"
        walk.blame(Unauthorised("", "record", reason))
    return events


def _judge_all(walk: _Walk, events: list[Event], progress: Progress) -> None:
    """Each recorded move is held against those before it, and each landing that is new to us is judged."""
    since = next((event.stamp.number for event in events if event.oid == walk.pins.since), 0)
    for found in (*follow(events, walk.chain), *_carried_out(walk)):
        if not walk.concerns(found.ref):
            continue
        if isinstance(found, Break):
            walk.blame(Unauthorised(found.ref, "record", found.reason, *_ends(found.event), found.event))
            continue
        walk.steps.append(found)
        if isinstance(found.event.body, Landing) and (found.done > since or not found.done):
            _judge_step(walk, found)
            progress("landings judged", walk.judged)


def _carried_out(walk: _Walk) -> Iterator[Step]:
    """Landings whose ref has moved, while the server had no time yet to write that it did."""
    for step in tuple(walk.chain.open.values()):
        if walk.record.repository.tip(step.ref) == step.new:
            walk.chain.tips[step.ref] = step.new
            yield step


def _judge_step(walk: _Walk, step: Step) -> None:
    walk.judged += 1
    try:
        with missing_objects():
            refusal = judge_record(walk.record, step.event, step.policies, walk.approvers)
            body = step.event.body
            walk.unsigned += not (isinstance(body, Landing) and is_signed(walk.record, body))
    except EdgeError as error:
        walk.blame(Unauthorised(step.ref, "record", str(error), step.old, step.new, step.event))
        return
    if refusal:
        walk.blame(Unauthorised(step.ref, refusal.rule, refusal.reason, step.old, step.new, step.event))


def _ends(event: Event) -> tuple[str, str]:
    body = event.body
    return (body.old, body.new) if isinstance(body, Landing | Administered) else ("", "")


def _compare_refs(walk: _Walk) -> None:
    """Refs that do not stand where the record put them: moved, made, removed or replaced past the hooks."""
    repository, chain = walk.record.repository, walk.chain
    names = people_refs(repository)
    if walk.pins.branch and walk.pins.branch not in {*names, *chain.tips}:
        raise EdgeError(walk.pins.branch, "is not in this mirror, and no event tells of it")
    for name in names:
        if name.startswith("refs/replace/"):
            walk.blame(Unauthorised(name, "record", "replaces an object, so that readers see another one"))
    policy = _policy_now(walk)
    if policy is None:
        return
    for ref in sorted({*names, *chain.tips}):
        real, recorded = repository.tip(ref), chain.tips.get(ref, NO_OID)
        if real == recorded or not walk.concerns(ref) or govern(policy, ref) is None:
            continue
        reason = f"{ref} stands at {real[:12]}, the record says {recorded[:12]}: no landing moved it there"
        walk.blame(Unauthorised(ref, "record", reason, recorded, real))


def _policy_now(walk: _Walk) -> Policy | None:
    default = walk.chain.default
    try:
        with missing_objects():
            policy = policy_at(walk.record.repository, walk.chain.tips.get(default, NO_OID))
            return with_floor(policy, parse_floor(_newest_floor(walk)))
    except (EdgeError, PolicyError) as error:
        walk.blame(Unauthorised(default, "policy", str(error)))
        return None


def _newest_floor(walk: _Walk) -> str:
    """The floor that the newest landing was judged under; one that came since binds what comes."""
    bodies = (step.event.body for step in reversed(walk.steps))
    return next((body.floor for body in bodies if isinstance(body, Landing)), "")


def _histories(walk: _Walk) -> tuple[RefHistory, ...]:
    """The refs that moved since the adoption, and those that were asked for."""
    landings = Counter(step.ref for step in walk.steps if isinstance(step.event.body, Landing))
    administered = Counter(step.ref for step in walk.steps if isinstance(step.event.body, Administered))
    shown = {*landings, *administered, walk.pins.branch or walk.chain.default} & set(walk.chain.tips)
    return tuple(RefHistory(ref, walk.chain.tips[ref], landings[ref], administered[ref]) for ref in sorted(shown))
