"""The check `ansible` on one file: what kind of file it is decides what is asked of it.

By place: tasks and handlers of a role, variables (group_vars, host_vars, vars and defaults of a role), a role's
meta, inventories. By content, wherever it stands: a list with a play in it is a playbook. By name: site.yml and
playbook.yml are playbooks too. Everything else (manifests, compose files, CI) is no business of Ansible's.
"""

from collections.abc import Iterator
from posixpath import basename, splitext

from gitops_hooks.plugin import Finding, Marked, Severity, parse_yaml
from gitops_hooks.plugins.ansible.files import (
    VAULT,
    extension,
    folders,
    is_inventory,
    is_template_text,
    is_variables,
    is_yaml,
    starts_like_yaml,
)
from gitops_hooks.plugins.ansible.inventory import ini_faults, yaml_faults
from gitops_hooks.plugins.ansible.playbook import Fault, has_work, is_playbook, playbook_faults, tasks_faults
from gitops_hooks.plugins.ansible.references import Look, dependency_faults, reference_faults

_PLAYBOOKS = ("site", "playbook")


def static_findings(path: str, text: bytes, look: Look) -> Iterator[Finding]:
    """All faults of one changed file; `look` answers what stands at a path."""
    if text.startswith(VAULT) or is_template_text(path, text):
        return
    faults: Iterator[Fault] = iter(())
    if is_yaml(path) or is_variables(path) or (_is_inventory(path) and starts_like_yaml(text)):
        faults = _yaml_faults(path, text, look)
    elif _is_inventory(path) and extension(path) in ("", ".ini") and not text.startswith(b"#!"):
        faults = ini_faults(text)
    for node, message, severity in sorted(faults, key=lambda fault: fault[0].line):
        yield Finding(path, node.line, message, severity)


def is_ansible(path: str, text: bytes) -> bool:
    """Whether a YAML file is Ansible's business at all."""
    if text.startswith(VAULT) or is_template_text(path, text):
        return False
    return _kind(path, parse_yaml(text)[0]) not in ("", "inventory")


def is_yaml_inventory(path: str, text: bytes) -> bool:
    """Not every YAML file below a folder named like one is an inventory; playbooks lie there too."""
    return _kind(path, parse_yaml(text)[0]) == "inventory"


def _yaml_faults(path: str, text: bytes, look: Look) -> Iterator[Fault]:
    documents, broken = parse_yaml(text)
    kind = _kind(path, documents)
    if kind:
        yield from ((Marked(fault.line, "str"), fault.message, Severity.ERROR) for fault in broken)
    if kind == "playbook" and not documents and not broken:
        yield Marked(0, "null"), "this playbook is empty", Severity.ERROR
    for document in documents:
        if document.tag != "null" or kind == "playbook":
            yield from _document_faults(kind, path, document, look)


def _document_faults(kind: str, path: str, document: Marked, look: Look) -> Iterator[Fault]:
    match kind:
        case "playbook":
            yield from playbook_faults(document)
            yield from reference_faults(path, (document,), look)
        case "tasks":
            yield from tasks_faults(document, folders(path)[-1])
            yield from reference_faults(path, (document,), look)
        case "variables" if document.tag != "map":
            yield document, "variables are a mapping of names to values", Severity.ERROR
        case "meta":
            yield from dependency_faults(path, document, look)
        case "inventory":
            yield from yaml_faults(document)


def _kind(path: str, documents: tuple[Marked, ...]) -> str:
    """What Ansible would take this file for; empty where nothing says that it takes it at all."""
    above = folders(path)
    name = splitext(basename(path))[0]
    role = _part_of_role(above)
    if is_variables(path):
        return "variables"
    if role in ("tasks", "handlers"):
        return "tasks"
    if role in ("vars", "defaults"):
        return "variables"
    if role == "meta":
        return "meta" if name == "main" else ""
    if not role and any(map(is_playbook, documents)):
        return "playbook"
    if _is_inventory(path):
        return "inventory"
    if not role and name in _PLAYBOOKS and not _is_foreign(documents):
        return "playbook"
    loose = bool({"tasks", "handlers"} & set(above)) and any(
        _is_task(item) for each in documents for item in each.items
    )
    return "tasks" if loose and not role else ""


def _is_inventory(path: str) -> bool:
    """What a role keeps below such a folder is documentation or a test."""
    return is_inventory(path) and "roles" not in folders(path)


def _part_of_role(above: list[str]) -> str:
    """`tasks` for roles/web/tasks and below: the folder of a role that this path lies in."""
    for index in range(len(above) - 2):
        if above[index] == "roles":
            return above[index + 2]
    return ""


def _is_foreign(documents: tuple[Marked, ...]) -> bool:
    """A file of another tool that happens to bear the name of a playbook."""
    return any(document.tag == "map" and not has_work(document) for document in documents)


def _is_task(item: Marked) -> bool:
    return item.tag == "map" and item.get("name") is not None and len(item.pairs) > 1
