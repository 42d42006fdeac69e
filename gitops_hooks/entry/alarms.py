"""Governed refs that do not stand where the record put them: moved, taken away or made past the hooks."""

from collections.abc import Iterator

from gitops_hooks.core.govern import govern
from gitops_hooks.core.tag_rules import govern_tag
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.refs import list_branches
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import Standing

_LOCK_SECONDS = 5.0
_MOST_STRANGERS = 20


def alarms(sitting: Sitting) -> list[str]:
    """A line each, with the cure. Refs and their record are compared; no history is walked."""
    found = [_words(standing) for standing in _moved(sitting)]
    strange = [_stranger(standing) for standing in _made(sitting)]
    more = len(strange) - _MOST_STRANGERS
    return found + strange[:_MOST_STRANGERS] + ([f"{more} more branches that no event tells of"] if more > 0 else [])


def _moved(sitting: Sitting) -> Iterator[Standing]:
    for tip in sitting.record.index.tips():
        if govern(sitting.policy, tip.ref) is not None or govern_tag(sitting.policy, tip.ref):
            yield from _untrusted(sitting, tip.ref)


def _made(sitting: Sitting) -> Iterator[Standing]:
    """Branches that a rule governs, of which no event tells."""
    recorded = {tip.ref for tip in sitting.record.index.tips()}
    for ref in list_branches(sitting.entry.path, sitting.server.git):
        if ref not in recorded and govern(sitting.policy, ref) is not None:
            yield from _untrusted(sitting, ref)


def _untrusted(sitting: Sitting, ref: str) -> Iterator[Standing]:
    """Looked at again under the ref's lock: a writer between its event and its ref is no alarm."""
    if sitting.record.standing(ref).trusted:
        return
    with hold(sitting.state, ref, _LOCK_SECONDS):
        sitting.record.sync()
        standing = sitting.record.standing(ref)
    if not standing.trusted:
        yield standing


def _words(standing: Standing) -> str:
    where = f"stands at {standing.real[:12]}, the record says {standing.recorded[:12]}"
    return f"{standing.ref} {where}; gitops-hooks recovery restore|adopt"


def _stranger(standing: Standing) -> str:
    if standing.recorded != NO_OID:
        return _words(standing)
    return (
        f"{standing.ref} stands at {standing.real[:12]}, and no event tells of it; gitops-hooks recovery restore|adopt"
    )
