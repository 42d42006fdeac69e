"""What is rendered of a change, in words: bounded, and whatever is not known says so."""

from collections.abc import Collection, Sequence

from gitops_hooks.model.judgement import Note
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.rendered import Rendered, Unrendered

PROPOSAL_LINES = 12
SHOWN_LINES = 300
UNKNOWN = "not known without the hosts"
_NAME = "renders"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class RenderedEnvironment:
    """What was told of one environment."""

    environment: str
    found: tuple[Rendered | Unrendered, ...]


def rendered_notes(told: Sequence[RenderedEnvironment], most: int) -> tuple[Note, ...]:
    """`renders    production: web1 web2: http_port: 80 → 8080`, at most so many lines."""
    lines = [note for one in told for each in one.found for note in _notes(one.environment, each)]
    left = len(lines) - most
    # One line more is no longer than what would say that it is missing.
    if left <= 1:
        return tuple(lines)
    return (*lines[:most], Note("", f"and {left} more lines: change show"))


def _notes(environment: str, one: Rendered | Unrendered) -> list[Note]:
    hosts = f"{_names(one.hosts)}: " if one.hosts else ""
    if isinstance(one, Unrendered):
        return [Note(_NAME, f"{environment}: {hosts}{UNKNOWN}: {one.why}")]
    text = one.text.splitlines()
    if len(text) <= 1:
        return [Note(_NAME, ": ".join(filter(None, (f"{environment}: {hosts}{one.what}", *text))))]
    return [Note(_NAME, f"{environment}: {hosts}{one.what}"), *(Note("", line, True) for line in text)]


def _names(hosts: Collection[str]) -> str:
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    return " ".join(sorted(hosts)[:_NAMED]) + more


def rendered_facts(told: Sequence[RenderedEnvironment]) -> list[dict[str, object]]:
    """The same for programs; `known` is false where nobody can say without the hosts, and `text` then why."""
    return [{"environment": one.environment, **_facts(each)} for one in told for each in one.found]


def _facts(one: Rendered | Unrendered) -> dict[str, object]:
    if isinstance(one, Unrendered):
        return {"hosts": list(one.hosts), "known": False, "what": "", "text": one.why}
    return {"hosts": list(one.hosts), "known": True, "what": one.what, "text": one.text}
