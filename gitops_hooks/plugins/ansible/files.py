"""What a file of an Ansible repository is, by its path, and the walks over YAML nodes that several parts need."""

import re
from collections.abc import Iterator
from posixpath import basename, splitext

from gitops_hooks.plugin import Marked

FILE, EXECUTABLE, SYMLINK, FOLDER = 0o100644, 0o100755, 0o120000, 0o40000
PLAIN = (FILE, EXECUTABLE)
VAULT = b"$ANSIBLE_VAULT;"

_YAML = (".yml", ".yaml")
_VARIABLES = ("group_vars", "host_vars")
# What Ansible passes over in an inventory folder (INVENTORY_IGNORE_EXTS, REJECT_EXTS), and scripts of other tools.
_NO_INVENTORY = (".md", ".txt", ".rst", ".adoc", ".bak", ".orig", ".retry", ".swp", ".cfg", ".j2", ".pyc", ".pyo")
_INVENTORY_NAMES = ("hosts", "inventory")
_TOOLS = ("Makefile", "Dockerfile", "Containerfile", "Jenkinsfile", "Vagrantfile", "Procfile", "Rakefile", "LICENSE")
_FIRST_YAML = re.compile(rb"\A(?:\s*#[^\n]*\n|\s*\n)*(?:---|[\w\"'-]+:\s*(?:\n|#|\{|\Z))")
LISTS_OF_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


def folders(path: str) -> list[str]:
    return path.split("/")[:-1]


def extension(path: str) -> str:
    return splitext(basename(path))[1].lower()


def is_yaml(path: str) -> bool:
    return extension(path) in _YAML


def is_variables(path: str) -> bool:
    """Whether Ansible loads it beside an inventory or a playbook, whatever its extension."""
    return any(folder in _VARIABLES for folder in folders(path)) and extension(path) not in _NO_INVENTORY


def is_inventory(path: str) -> bool:
    """Whether its place says inventory: a folder named like one, or the name `hosts` or `inventory`, any extension."""
    if is_variables(path) or extension(path) in _NO_INVENTORY or basename(path).startswith((".", *_TOOLS)):
        return False
    named = splitext(basename(path))[0].lower() in _INVENTORY_NAMES
    return (named and "roles" not in folders(path)) or any("inventor" in folder.lower() for folder in folders(path))


def may_be_inventory(path: str) -> bool:
    """Whether a policy could name it as one: also any file without extension that no known tool owns."""
    if is_variables(path):
        return False
    name = basename(path)
    bare = extension(path) in ("", ".ini", ".toml") and not name.startswith((".", *_TOOLS))
    return is_inventory(path) or bare


def may_be_loaded(path: str) -> bool:
    """Whether Ansible could take variables, hosts or tasks from it."""
    return is_yaml(path) or is_variables(path) or is_inventory(path)


def starts_like_yaml(text: bytes) -> bool:
    return _FIRST_YAML.match(text) is not None


def is_template_text(path: str, text: bytes) -> bool:
    """A template of YAML, which is YAML only once it is filled in."""
    return bool({"templates", "files"} & set(folders(path))) and (b"{{" in text or b"{%" in text)


def templated(text: str) -> bool:
    return "{{" in text or "{%" in text


def short_name(action: str) -> str:
    """`copy` for ansible.builtin.copy and ansible.legacy.copy; other collections keep their full name."""
    for prefix in ("ansible.builtin.", "ansible.legacy."):
        if action.startswith(prefix):
            return action.removeprefix(prefix)
    return action


def all_nodes(documents: tuple[Marked, ...]) -> Iterator[Marked]:
    """Every node once, however many aliases stand for it."""
    waiting, seen = list(reversed(documents)), set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting.extend(reversed(node.items))
        for key, value in reversed(node.pairs):
            waiting.extend((value, key))


def plays_and_tasks(documents: tuple[Marked, ...]) -> Iterator[Marked]:
    """Every mapping of a top-level list, and of the lists of tasks and roles inside: what keywords stand in."""
    waiting = [item for document in reversed(documents) for item in reversed(document.items)]
    seen = set[int]()
    while waiting:
        node = waiting.pop()
        if not node.pairs or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        for key in (*LISTS_OF_TASKS, "roles"):
            if inner := node.get(key):
                waiting.extend(reversed(inner.items))
