"""The files and roles that playbooks, tasks and roles name: each literal name must be in the tree.

Names that a template makes, absolute paths, addresses and roles of collections (a.b.c) cannot be judged here. A name is
looked for in every folder from the file's own up to the root, which is more than Ansible does.
"""

from collections.abc import Callable, Iterable, Iterator
from posixpath import dirname, join, normpath

from gitops_hooks.plugin import Entry, Marked, Severity
from gitops_hooks.plugins.ansible.files import FOLDER, SYMLINK, plays_and_tasks, short_name, templated
from gitops_hooks.plugins.ansible.playbook import Fault, actions_of

# What stands at a path of the tree, as Tree.entry answers.
Look = Callable[[str], Entry | None]

_REQUIREMENTS = ("requirements.yml", "roles/requirements.yml", "requirements.yaml")
# Module → its argument that names a file, and the folder beside tasks/ where Ansible looks for it.
_SOURCES = {
    "template": (("src",), "templates"),
    "copy": (("src",), "files"),
    "unarchive": (("src",), "files"),
    "script": (("cmd", "_raw_params"), "files"),
    "include_vars": (("file", "_raw_params"), "vars"),
    "import_tasks": (("file", "_raw_params"), "tasks"),
    "include_tasks": (("file", "_raw_params"), "tasks"),
    "import_playbook": (("file", "_raw_params"), ""),
}
_ROLES = ("import_role", "include_role")


def reference_faults(path: str, documents: tuple[Marked, ...], look: Look) -> Iterator[Fault]:
    """Faults of a playbook or task file; `path` is where it stands."""
    for node in plays_and_tasks(documents):
        yield from _play_references(path, node, look)
        for action, value in actions_of(node):
            yield from _action_references(path, short_name(action.text), value, look)


def dependency_faults(path: str, document: Marked, look: Look) -> Iterator[Fault]:
    """Faults of a role's meta/main.yml."""
    if dependencies := document.get("dependencies"):
        for role in dependencies.items:
            yield from _role_faults(path, _role_name(role), look)


def _play_references(path: str, play: Marked, look: Look) -> Iterator[Fault]:
    if play.get("hosts") is None:
        return
    if roles := play.get("roles"):
        for role in roles.items:
            yield from _role_faults(path, _role_name(role), look)
    if files := play.get("vars_files"):
        for entry in files.items or (files,):
            # A list inside the list is a choice: the first that is there is taken.
            yield from _file_faults(path, entry.items or (entry,), "vars", look)


def _role_name(role: Marked) -> Marked:
    """The name in one entry of `roles:`; an entry with `src` and no more is fetched, not found."""
    return role.get("role") or role.get("name") or role


def _action_references(path: str, module: str, value: Marked, look: Look) -> Iterator[Fault]:
    if module in _ROLES:
        if name := value.get("name"):
            yield from _role_faults(path, name, look)
        return
    if module not in _SOURCES or _is_remote(value):
        return
    keys, folder = _SOURCES[module]
    named = next((found for key in keys if (found := value.get(key))), None)
    if named is None and value.text and module not in ("template", "copy", "unarchive"):
        named = Marked(value.line, "str", value.text.split()[0] if value.text.split() else "")
    of_collection = module == "import_playbook" and named is not None and not named.text.endswith((".yml", ".yaml"))
    if named is not None and not of_collection:
        yield from _file_faults(path, (named,), folder, look)


def _is_remote(value: Marked) -> bool:
    remote = value.get("remote_src")
    return remote is not None and remote.text.lower() not in ("false", "no", "off", "0")


def _cannot_be_judged(name: str) -> bool:
    return not name or templated(name) or name.startswith(("/", "~")) or "://" in name or "=" in name


def _role_faults(path: str, role: Marked, look: Look) -> Iterator[Fault]:
    name = role.text
    if _cannot_be_judged(name) or role.tag != "str" or name.count(".") >= 2:
        return
    places = [place for above in _above(path) for place in (join(above, "roles", name), join(above, name))]
    if any(_exists(look, normpath(place)) for place in places):
        return
    if any(look(normpath(join(above, wanted))) for above in _above(path) for wanted in _REQUIREMENTS):
        words = f"role '{name[:60]}' is not in the repository; it must be installed on the server"
        yield role, words, Severity.WARNING
    else:
        yield role, f"role '{name[:60]}' does not exist; expected {join('roles', name)[:80]}/", Severity.ERROR


def _file_faults(path: str, choices: Iterable[Marked], folder: str, look: Look) -> Iterator[Fault]:
    named = [choice for choice in choices if choice.text]
    if not named or any(_cannot_be_judged(choice.text) for choice in named):
        return
    places = [place for choice in named for place in _places(path, choice.text, folder)]
    if any(_exists(look, place) for place in places):
        return
    words = " or ".join(f"'{choice.text[:60]}'" for choice in named)
    yield named[0], f"file {words} does not exist{f' (looked in {folder}/ too)' if folder else ''}", Severity.ERROR


def _places(path: str, name: str, folder: str) -> Iterator[str]:
    for above in _above(path):
        yield normpath(join(above, name))
        if folder:
            yield normpath(join(above, folder, name))


def _above(path: str) -> Iterator[str]:
    while path:
        path = dirname(path)
        yield path


def _exists(look: Look, path: str) -> bool:
    """Whether something is there; what lies behind a symbolic link is taken to be."""
    if path.startswith("../") or path == "..":
        return False
    if look(path) is not None:
        return True
    parts = path.split("/")
    for count in range(1, len(parts)):
        entry = look("/".join(parts[:count]))
        if entry is None or entry.mode != FOLDER:
            return entry is not None and entry.mode == SYMLINK
    return False
