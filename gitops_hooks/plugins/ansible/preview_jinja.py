"""Templates and templated values rendered from what is known alone, in Jinja2's own sandbox within the confined child.

Whatever Ansible adds to Jinja2, and whatever is not the same each time, is not known here and says so.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from gitops_hooks.plugins.unsaid import Plain, masked_lines

if TYPE_CHECKING:
    import jinja2

_FILTERS = frozenset(
    {
        *("abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "escape", "e", "first"),
        *("float", "format", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min"),
        *("reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort", "string"),
        *("striptags", "sum", "title", "trim", "truncate", "upper", "wordcount", "wordwrap"),
    }
)
_LONGEST = 256 * 1024
_DEEPEST = 12
_OPEN, _CLOSE = "{{", "}}"


class Unknown(Exception):
    """It cannot be rendered; the words say what is not known."""


@functools.cache
def environment() -> "jinja2.Environment":
    """As Ansible sets it up, without what Ansible adds."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    found = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: "" if value is None else value,
        autoescape=False,  # files of any kind, and none is shown by a browser
    )
    found.filters = {name: each for name, each in found.filters.items() if name in _FILTERS}
    for name in ("lipsum", "joiner", "cycler"):
        del found.globals[name]
    return found


@functools.lru_cache(4096)
def names_in(text: str) -> frozenset[str]:
    """The variables that a template asks for. Errors: Unknown."""
    import jinja2
    from jinja2 import meta, nodes

    if "#jinja2:" in text:
        raise Unknown("it has a header of its own")
    try:
        parsed = environment().parse(text)
        if next(parsed.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)), None):
            raise Unknown("it includes others")
        return frozenset(meta.find_undeclared_variables(parsed))
    except (jinja2.TemplateError, RecursionError) as error:
        raise Unknown(f"it is not read: {_said(error)}") from None


def render_text(text: str, values: Mapping[str, Plain]) -> str:
    """Errors: Unknown."""
    return _rendered(lambda: _compiled(text).render(values))


@functools.lru_cache(1024)
def _compiled(text: str) -> "jinja2.Template":
    """Most hosts have the same texts."""
    return environment().from_string(text)


def _rendered(make: Callable[[], str]) -> str:
    try:
        text = make()
    except Exception as error:  # noqa: BLE001  # a pusher's template may raise whatever it likes
        raise Unknown(_said(error)) from None
    if len(text) > _LONGEST:
        raise Unknown("it becomes too long")
    return text


def _said(error: Exception) -> str:
    """Its first line, which may quote what was rendered."""
    lines = masked_lines(str(getattr(error, "message", None) or error))
    return lines[0][:120] if lines else type(error).__name__


class Resolving:
    """The values of one host with all that they name put in; `look` answers one as it is written, or raises Unknown."""

    def __init__(self, look: Callable[[str], Plain]) -> None:
        self._look = look
        self._found: dict[str, Plain] = {}
        self._above: list[str] = []

    def all_of(self, names: Iterable[str]) -> dict[str, Plain]:
        """Errors: Unknown."""
        return {name: self.value(name) for name in sorted(names)}

    def value(self, name: str) -> Plain:
        """Errors: Unknown."""
        if name in self._above or len(self._above) > _DEEPEST:
            raise Unknown(f"{name} names itself")
        if name not in self._found:
            self._above.append(name)
            try:
                self._found[name] = self._resolve(self._look(name))
            finally:
                self._above.pop()
        return self._found[name]

    def _resolve(self, value: Plain) -> Plain:
        if isinstance(value, dict):
            return {key: self._resolve(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._resolve(each) for each in value]
        if not isinstance(value, str) or not any(mark in value for mark in ("{{", "{%", "{#")):
            return value
        names = self.all_of(names_in(value))
        alone = value.strip().removeprefix(_OPEN).removesuffix(_CLOSE).strip()
        if value.strip() == f"{_OPEN} {alone} {_CLOSE}" and alone in names:
            # A value that is nothing but another one stays what that is: a number, a list.
            return names[alone]
        return render_text(value, names)
