"""How far a change reaches, and why, in words and as facts for programs."""

from collections.abc import Iterable

from gitops_hooks.core.govern import govern
from gitops_hooks.core.notes import reach_notes
from gitops_hooks.core.reach import Reached
from gitops_hooks.core.rendered_notes import RenderedEnvironment
from gitops_hooks.core.report import field
from gitops_hooks.entry.checkers import SHOW_SECONDS
from gitops_hooks.entry.matter import Matter, gather
from gitops_hooks.entry.noting import reach_of_matter
from gitops_hooks.entry.rendering import render_matter
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.explanation import Answer
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement, Status

_MOST = 20


def matter_of(sitting: Sitting, record: ChangeRecord) -> Matter | Refusal:
    """What landing a change's newest head would be now."""
    governing = govern(sitting.policy, record.target)
    if governing is None:
        return Refusal("target", f"No rule governs {record.target} any more.")
    standing = sitting.record.standing(record.target)
    return gather(sitting, governing, standing, record.head.head, frozenset(), record)


def reach_of_change(
    sitting: Sitting, record: ChangeRecord
) -> tuple[tuple[Reached, ...], tuple[RenderedEnvironment, ...]]:
    """What an open change touches, and what it makes different as far as that needs no host.

    Nothing for one that is not open, or that cannot be merged now.
    """
    matter = matter_of(sitting, record) if record.state is ChangeState.OPEN else None
    if matter is None or isinstance(matter, Refusal):
        return (), ()
    reached = reach_of_matter(sitting, matter)
    return reached, render_matter(sitting, matter, reached, SHOW_SECONDS)


def reach_lines(reached: Iterable[Reached]) -> list[str]:
    return [line for note in reach_notes(tuple(reached), _MOST) for line in field(note.name, note.words)]


def reach_facts(reached: Iterable[Reached]) -> list[dict[str, object]]:
    """`hosts` are those that are touched, `of` how many there are; not `bounded`: nobody can say how many."""
    return [
        {
            "environment": one.environment,
            "bounded": one.bounded,
            "hosts": sorted(one.hosts),
            "of": len({host for inventory in one.inventories for host in inventory.hosts} | one.hosts),
            "why": [{"hosts": list(why.hosts), "words": why.words} for why in one.why],
        }
        for one in reached
    ]


def reach_answer(reached: Iterable[Reached]) -> tuple[Answer, ...]:
    """The same as an answer of `policy explain`, where there is an environment."""
    notes = reach_notes(tuple(reached), _MOST)
    told = tuple(Requirement("reach", Status.NOT_APPLICABLE, note.words) for note in notes)
    return (Answer("reaches", told),) if told else ()
