"""Who holds a change back: rejections of its head, and vetoes over every revision."""

from collections.abc import Collection, Iterable

from gitops_hooks.model.approval import Rejection
from gitops_hooks.model.policy import Names, Policy
from gitops_hooks.model.verdict import Requirement, Status


def judge_rejections(
    rejections: Collection[Rejection],
    head: str,
    kept: Collection[str],
    policy: Policy,
    vetoes: Iterable[tuple[Names, str]] = (),
) -> tuple[Requirement, ...]:
    """One requirement for each rule whose veto holds it back, and one for the rejections of `head` by anybody else.

    What was said of the older heads `kept` holds here too, unless its giver said otherwise of another since. `vetoes`
    are who may veto, with the place of the rule; the policy in force now says who they are.
    """
    found, told = [], set[str]()
    for names, place in vetoes:
        vetoed = {r.actor: r for r in rejections if (r.sticks or r.head == head) and policy.allows(names, r.actor)}
        if fresh := {actor: rejection for actor, rejection in vetoed.items() if actor not in told}:
            found.append(Requirement("veto", Status.UNSATISFIED, _veto_words(fresh), place))
        told |= set(vetoed)
    here = {r.actor for r in rejections if r.head == head or (r.sticks and r.head in kept)}
    if rejected := sorted(here - told):
        reason = f"Rejected by {', '.join(rejected)}. A new revision, or their approval, lifts it."
        found.append(Requirement("rejected", Status.UNSATISFIED, reason))
    return tuple(found)


def _veto_words(vetoed: dict[str, Rejection]) -> str:
    names = ", ".join(f"{actor} at {vetoed[actor].head[:7]}" for actor in sorted(vetoed))
    return f"Vetoed by {names}. It holds every revision back until they approve one, or take it back: refs/withdraw/<n>"


def may_veto(vetoes: Iterable[tuple[Names, str]], policy: Policy, actor: str) -> Requirement | None:
    """Whether a rule lets this actor veto; None where none does."""
    place = next((place for names, place in vetoes if policy.allows(names, actor)), None)
    return None if place is None else Requirement("reject", Status.SATISFIED, f"{actor} may veto", place)
