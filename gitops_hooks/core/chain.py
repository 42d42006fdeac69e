"""The repository's log, oldest first → the recorded moves of each ref, and where the chain of them breaks."""

from collections.abc import Iterable, Iterator
from dataclasses import field, replace

from gitops_hooks.model.event import Administered, Adopted, Evaluated, Event, Landed, Landing, Settled, Voided
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded move of one ref; `policies` are the commits whose policy may have been in force at its event.

    `event` holds a Landing, Administered or Adopted; `done` is the number of the event that carried the move out.
    """

    ref: str
    old: str
    new: str
    event: Event
    done: int
    policies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Break:
    """An event that does not follow from those before it; `ref` is "" where it concerns the whole log."""

    ref: str
    event: Event
    reason: str


@dataclass(slots=True)
class Chain:
    """What the events so far amount to: where each ref is recorded, and the landings that nothing has closed.

    `known` is every commit that any ref was ever recorded at.
    """

    default: str = ""
    adoption: Event | None = None
    tips: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    open: dict[str, Step] = field(default_factory=dict)

    def policies(self) -> frozenset[str]:
        """A landing on the default branch that is carried out but not closed could be seen by the next judge too."""
        pending = self.open.get(self.default)
        found = {self.tips.get(self.default, NO_OID), pending.new if pending else NO_OID}
        return frozenset(found - {NO_OID})


def follow(events: Iterable[Event], chain: Chain) -> Iterator[Step | Break]:
    """Every move and every break, in the order of the log; `chain` holds what stands at the end."""
    for event in events:
        yield from _take(event, chain)


def _take(event: Event, chain: Chain) -> Iterator[Step | Break]:
    body = event.body
    if isinstance(body, Adopted):
        yield from _adopt(event, body, chain)
    elif chain.adoption is None:
        yield Break("", event, "the log does not begin with an adoption")
    elif isinstance(body, Landing):
        yield from _begin(event, body, chain)
    elif isinstance(body, Landed | Voided):
        yield from _close(event, body, chain)
    elif isinstance(body, Administered):
        yield from _administer(event, body, chain)
    elif not isinstance(body, Settled | Evaluated):  # those move no ref
        yield Break("", event, "this kind of event does not belong to the log")


def _adopt(event: Event, body: Adopted, chain: Chain) -> Iterator[Step | Break]:
    if chain.adoption is not None:
        yield Break("", event, "a second adoption; a repository is adopted once")
        return
    chain.adoption, chain.default = event, body.default
    words = iter(body.refs)
    chain.tips.update({ref: oid for oid, ref in zip(words, words, strict=False)})
    chain.known.update(chain.tips.values())
    if chain.tips.get(body.default) != body.policy:
        yield Break(body.default, event, "the adopted policy is not the one at the adopted default branch")
    for ref, oid in tuple(chain.tips.items()):
        yield Step(ref, NO_OID, oid, event, event.stamp.number, frozenset({body.policy}))


def _begin(event: Event, body: Landing, chain: Chain) -> Iterator[Break]:
    recorded = chain.tips.get(body.ref, NO_OID)
    if body.ref in chain.open:
        yield Break(body.ref, event, "another landing on this ref was still open")
    elif body.old != recorded:
        yield Break(body.ref, event, f"it moves on from {body.old[:12]}, but the ref was recorded at {recorded[:12]}")
    elif body.way == "create" and body.ref.startswith("refs/heads/") and body.new not in chain.known:
        yield Break(body.ref, event, f"it begins at {body.new[:12]}, where no ref was ever recorded")
    chain.open[body.ref] = Step(body.ref, body.old, body.new, event, 0, chain.policies())


def _close(event: Event, body: Landed | Voided, chain: Chain) -> Iterator[Step | Break]:
    step = chain.open.pop(body.ref, None)
    if step is None or step.event.oid != body.landing:
        yield Break(body.ref, event, f"it closes landing {body.landing[:12]}, which was not open on this ref")
    elif isinstance(body, Landed):
        if step.new != body.new:
            yield Break(body.ref, event, f"it says {body.new[:12]}, but the landing was of {step.new[:12]}")
        _move(chain, body.ref, body.new)
        yield replace(step, done=event.stamp.number)


def _administer(event: Event, body: Administered, chain: Chain) -> Iterator[Step | Break]:
    if body.ref.startswith("refs/gitops/"):
        return  # the log itself was put back: no ref of people's moved
    if body.ref.startswith("refs/changes/"):
        # The content of a change was purged: it is told like each act of the administrator, and no branch moved.
        yield Step(body.ref, body.old, body.new, event, event.stamp.number, chain.policies())
        return
    recorded = chain.tips.get(body.ref, NO_OID)
    # `restore` leaves from wherever the ref was moved by hand, and goes back to what was recorded.
    known = body.new if body.act == "restore" else body.old
    pending = chain.open.pop(body.ref, None)
    if known != recorded and (pending is None or known != pending.new):
        yield Break(body.ref, event, f"{body.act} names {known[:12]}, but the ref was recorded at {recorded[:12]}")
    _move(chain, body.ref, body.new)
    yield Step(body.ref, body.old, body.new, event, event.stamp.number, chain.policies())


def _move(chain: Chain, ref: str, new: str) -> None:
    chain.tips[ref] = new
    chain.known.add(new)
