"""The check `yaml`: every changed *.yml and *.yaml file can be read and says each thing once; and what
yamllint finds by the rules that the target branch carries in `.yamllint`, in files without such faults.

Not looked at: symbolic links, files that ansible-vault encrypted, and templates of YAML (below a folder named
`templates` or `files`, with `{{` or `{%` in them), which are YAML only once they are filled in.
"""

import datetime
import re
from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import (
    Change,
    ChangedFile,
    Check,
    EdgeError,
    Finding,
    Marked,
    Tool,
    Tree,
    Workbench,
    YamlFault,
    hookimpl,
    parse_yaml,
)

LOADED_AHEAD = ("gitops_hooks.plugins.yaml_lint",)

_PATHS = ("**/*.yml", "**/*.yaml")
_FILES = (0o100644, 0o100755)
_VAULT = b"$ANSIBLE_VAULT;"
_BY_TAB = ("found character that cannot start any token", "found a tab character")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d))?")
_DIGITS = 4300  # more than these, and Python's int() raises


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check, asked when a YAML file changed."""
    tools = (Tool("yamllint"),)
    return [Check("yaml", "YAML files parse and hold no key twice", check_yaml, _PATHS, tools=tools, each=True)]


def check_yaml(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    from gitops_hooks.plugins.yaml_lint import lint

    sound = []
    for file in change.files:
        if file.path.endswith((".yml", ".yaml")) and file.mode in _FILES:
            found = _check_file(file, tree)
            if found is not None:
                yield from found
            if found == []:
                sound.append(file.path)
    yield from lint(sound, bench)


def _check_file(file: ChangedFile, tree: Tree) -> list[Finding] | None:
    """The faults of one file; None where it is no YAML yet."""
    try:
        text = tree.read(file.path)
    except EdgeError as error:
        return [Finding(file.path, 0, error.what)]
    if text.startswith(_VAULT) or _is_template(file.path, text):
        return None
    documents, faults = parse_yaml(text)
    lines = text.split(b"\n")
    found = [*(_worded(fault, lines) for fault in faults), *_bad_values(documents)]
    return [Finding(file.path, fault.line, fault.message) for fault in sorted(found, key=lambda each: each.line)]


def _is_template(path: str, text: bytes) -> bool:
    return bool({"templates", "files"} & set(path.split("/")[:-1])) and (b"{{" in text or b"{%" in text)


def _worded(fault: YamlFault, lines: list[bytes]) -> YamlFault:
    """The parser's words, but for a tab, which nobody sees in an editor."""
    line = lines[fault.line - 1] if 0 < fault.line <= len(lines) else b""
    indentation = line[: len(line) - len(line.lstrip())]
    if fault.message.startswith(_BY_TAB) and b"\t" in indentation:
        return YamlFault(fault.line, "indented with a tab; YAML is indented with spaces")
    return fault


def _bad_values(documents: Iterable[Marked]) -> Iterator[YamlFault]:
    """Plain values that look like a date or a number and are none: they break whoever loads the file."""
    for node in _nodes(documents):
        if node.tag == "timestamp" and node.plain and not _is_date(node.text):
            yield YamlFault(node.line, f"'{node.text[:40]}' looks like a date and is none; quote it")
        if node.tag == "int" and node.plain and len(node.text) > _DIGITS:
            yield YamlFault(node.line, f"a number of {len(node.text)} digits; quote it")


def _nodes(documents: Iterable[Marked]) -> Iterator[Marked]:
    """Every node once, however many aliases stand for it."""
    waiting, seen = list(documents), set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting.extend(node.items)
        for pair in node.pairs:
            waiting.extend(pair)


def _is_date(text: str) -> bool:
    match = _DATE.match(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part) for part in match.groups(default="0"))
    try:
        datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return False
    return True
