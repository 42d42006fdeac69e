"""Names that a play may give another value while it runs: what a text says of them before counts for nothing."""

from collections.abc import Iterator

from gitops_hooks.plugin import Marked, Side, parse_yaml
from gitops_hooks.plugins.ansible.variable_values import read_file

_SETS = ("vars", "set_fact", "ansible.builtin.set_fact", "ansible.legacy.set_fact")
_NAMES = ("register", "loop_var", "index_var")
_UNTOLD = ("include_vars", "ansible.builtin.include_vars", "vars_files", "vars_prompt")
_YAML = (".yml", ".yaml", ".json")


class NamesSet:
    """What the YAML texts of one side set; each is read once."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._read: dict[str, tuple[frozenset[str], str]] = {}

    def by(self, path: str) -> tuple[frozenset[str], str]:
        """The names that a text sets, and why some more cannot be told."""
        if path not in self._read:
            text = read_file(self._side, path) if path.endswith(_YAML) else b""
            documents, faults = parse_yaml(text) if text else ((), ())
            if text is None or faults:
                self._read[path] = frozenset(), f"{path} cannot be read"
            else:
                self._read[path] = _names(path, documents)
        return self._read[path]


def _names(path: str, documents: tuple[Marked, ...]) -> tuple[frozenset[str], str]:
    # What a role's folder of variables says is stronger than any inventory.
    whole = "vars" in path.split("/")[:-1]
    found, why = {key.text for document in documents for key, _ in document.pairs if whole}, ""
    for key, value in _pairs(documents):
        if key.text in _UNTOLD:
            why = why or f"{path}:{key.line} says {key.text}"
        elif key.text in _NAMES:
            found.add(value.text)
        elif key.text in _SETS:
            found |= {name.text for name, _ in value.pairs}
        elif key.text in ("roles", "dependencies"):
            # What a role is given stands beside its name.
            found |= {name.text for item in value.items for name, _ in item.pairs}
    if odd := next((name for name in found if "{{" in name), ""):
        why = why or f"{path} sets {odd[:60]}"
    return frozenset(found), why


def _pairs(documents: tuple[Marked, ...]) -> Iterator[tuple[Marked, Marked]]:
    waiting, seen = list(documents), set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += [*node.items, *(value for _, value in node.pairs)]
        yield from node.pairs
