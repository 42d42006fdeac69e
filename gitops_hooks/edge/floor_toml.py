"""`[floor]` in the server's file → the floor, with the lines on which its rules stand."""

from collections.abc import Mapping

from gitops_hooks.core.floor import Lines, read_floor
from gitops_hooks.edge.config import server_document
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.toml_text import Document, Table
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.options import Declared
from gitops_hooks.model.policy import Floor

_LATER = ("tag", "tags", "file", "files", "commit", "commits", "environment", "environments")


def load_floor(home: Home, known: frozenset[str] | None = None, checks: Declared | None = None) -> Floor:
    """The floor, held against people and checks where they are given. Errors: PolicyError with every fault."""
    return floor_of(server_document(home), known, checks)


def floor_of(document: Document, known: frozenset[str] | None = None, checks: Declared | None = None) -> Floor:
    """The same of a server's file that was read already."""
    table = document.tables.get("floor")
    if table is None:
        return Floor()
    table.allow(("groups", "branch", "checks"), _LATER)
    floor = Floor()
    try:
        floor = read_floor(table.values, _lines(document, table), known, checks)
    except PolicyError as error:
        table.faults.found += error.faults
    table.faults.check()
    return floor


def _first_line(table: Table, name: str) -> int:
    """Where a table begins whose own tables may be all that stands there, as in `[floor.checks.secrets]`."""
    return min((at for key, at in table.lines.items() if key.split(".")[0] == name), default=table.line)


def _lines(document: Document, table: Table) -> Lines:
    rules = table.values.get("branch")
    count = len(rules) if isinstance(rules, list) else 0
    own: tuple[int, Mapping[str, int]] = (table.line_of("branch"), {})
    places = tuple(document.places.get(("floor.branch", at), own) for at in range(count))
    return Lines(places, table.line_of("groups"), _first_line(table, "checks"))
