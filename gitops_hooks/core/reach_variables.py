"""The variables and hosts that an environment's inventory brings: whether one of them sees further than its host."""

import re
from collections.abc import Iterable
from dataclasses import field
from posixpath import basename, splitext

from gitops_hooks.core.play_text import Needs, Wide, check_text, read_documents, read_needs
from gitops_hooks.core.yaml_text import Marked, parse_yaml
from gitops_hooks.model.lazy_dataclass import dataclass

_READ = (".yml", ".yaml", ".json", "")
# A text without any of these says nothing that concerns others, and need not be parsed.
_NOTABLE = re.compile(
    rb"[\\!\x00]|\{[%#]|ansible_|hostvars|play_hosts|inventory_hostnames|varnames|fileglob|realpath|exists|is_|"
    rb"same_file|\b(?:groups|vars|lipsum|lookup|query|q|is|select|reject|selectattr|rejectattr|map)\b|\A\$ANSIBLE_VAULT"
)


@dataclass(slots=True)
class Variables:
    """`reached` is, of each file, what it says of how hosts are reached."""

    needs: Needs = field(default_factory=Needs)
    wide: str = ""
    reached: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_variables(sources: Iterable[tuple[str, bytes]], files: Iterable[tuple[str, bytes | None]]) -> Variables:
    """Everything that sources of an inventory and files of variables say; a text of None could not be read."""
    found = Variables()
    try:
        for path, text in sources:
            _read_source(path, text, found)
        for path, content in files:
            _read_file(path, content, found)
    except Wide as wide:
        found.wide = str(wide)
    return found


def is_read(path: str) -> bool:
    """Whether Ansible takes a file of host_vars or group_vars for one of variables."""
    name = basename(path)
    return not name.startswith(".") and not name.endswith("~") and splitext(name)[1] in _READ


def _read_file(path: str, text: bytes | None, found: Variables) -> None:
    if text is None:
        raise Wide(f"{path} cannot be read")
    if not _NOTABLE.search(text):
        return
    documents = read_documents(path, text)
    found.needs.add(read_needs(path, documents, evaluated=True, structural=False))
    if told := tuple(sorted(_reaching(documents))):
        found.reached[path] = told


def _reaching(nodes: Iterable[Marked]) -> Iterable[str]:
    """What is said of names that Ansible itself goes by; order does not matter."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        for key, value in node.pairs:
            if key.text.startswith("ansible_") or key.tag == "merge":
                yield f"{key.text}={_all_text(value)}"
        waiting += [*node.items, *(value for _, value in node.pairs)]


def _all_text(node: Marked) -> str:
    pairs = "".join(f"{_all_text(key)}:{_all_text(value)}," for key, value in node.pairs)
    return f"{node.tag}({node.text}|{pairs}|{','.join(map(_all_text, node.items))})"


def _read_source(path: str, text: bytes, found: Variables) -> None:
    documents, faults = parse_yaml(text)
    if not faults and len(documents) == 1 and documents[0].tag == "map":
        found.needs.add(read_needs(path, documents, evaluated=True, structural=False))
        return
    for number, line in enumerate(text.decode("utf-8", "surrogateescape").split("\n"), 1):
        if line.lstrip().startswith(("[", "#", ";")):
            continue
        if "\\" in line:
            # Values are literals of Python's, where a backslash can spell any word.
            raise Wide(f"{path}:{number} has a backslash")
        check_text(f"{path}:{number}", line, True, found.needs)
