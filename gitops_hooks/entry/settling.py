"""The first act under a branch's lock: what a killed writer left open there is brought to its end."""

from gitops_hooks.entry.landing import close_intent, finish_change
from gitops_hooks.entry.sitting import Sitting, brought_up
from gitops_hooks.model.event import Landing


def settled(sitting: Sitting, name: str) -> Sitting:
    """The repository as it is under the lock of this name: an earlier update may have moved the policy."""
    sitting.record.sync()
    if name.startswith("refs/heads/"):
        settle(sitting, name)
    return brought_up(sitting)


def settle(sitting: Sitting, ref: str) -> None:
    """Close an open intent, and tell the change that landed last that it did.

    A squashed or rebased head is not in the branch: nothing but its own history keeps it from landing twice.
    """
    close_intent(sitting, ref)
    record = sitting.record.standing(ref).record
    event = sitting.record.event(record) if record else None
    number = event.body.change if event and isinstance(event.body, Landing) else 0
    if event and number and sitting.record.index.is_open(number):
        finish_change(sitting, number, event)
