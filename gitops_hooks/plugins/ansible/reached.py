"""Which playbooks and roles a change reaches: those that changed, and playbooks that name what changed.

Looked for beside what changed (the top of the tree, the folder that holds `roles`, and a folder `playbooks` in both),
so that the change and not the repository decides the cost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import basename

from gitops_hooks.plugin import Change, EdgeError, Tree, parse_yaml
from gitops_hooks.plugins.ansible.files import FOLDER, PLAIN, VAULT, folders, is_yaml
from gitops_hooks.plugins.ansible.playbook import is_playbook

_NAMES = 200
_SIZE = 256 * 1024
_IN_ROLE = ("tasks", "handlers", "vars", "defaults", "meta")
_PARTS = (*_IN_ROLE, "files", "templates", "library")
_PLAYS = re.compile(rb"^-?\s*-?\s*(?:hosts|(?:ansible\.builtin\.)?import_playbook)\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Role:
    """A role by its folder: `roles/web` is `web` in `roles`."""

    place: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.place}/{self.name}"

    def holds(self, path: str) -> bool:
        return path.startswith(f"{self.path}/")


def reached_roles(change: Change, tree: Tree) -> tuple[Role, ...]:
    """Roles of which something changed that Ansible reads before it runs."""
    found = dict.fromkeys(role for file in change.files if (role := _role_of(file.path)) and is_yaml(file.path))
    entries = ((role, tree.entry(role.path)) for role in found)
    return tuple(role for role, entry in entries if entry is not None and entry.mode == FOLDER)


def _role_of(path: str) -> Role | None:
    """`roles/web/tasks/main.yml`, also with folders between: `roles/apps/web/tasks/main.yml`."""
    above = folders(path)
    if "roles" not in above:
        return None
    first = above.index("roles") + 1
    part = next((index for index in range(first, len(above)) if above[index] in _PARTS), first)
    if part == first or above[part] not in _IN_ROLE:
        return None
    return Role("/".join(above[:first]), "/".join(above[first:part]))


def reached_playbooks(change: Change, tree: Tree) -> tuple[str, ...]:
    """Changed playbooks first, then those that name a role or file that changed."""
    changed = tuple(
        file.path for file in change.files if file.mode in PLAIN and is_yaml(file.path) and _plays(tree, file.path)
    )
    names = _names(change)
    near = _beside(change, tree) if names else ()
    users = (path for path in near if path not in changed and _plays(tree, path, names))
    return (*changed, *users)


def _names(change: Change) -> frozenset[bytes]:
    """The words by which a playbook would name what changed: a file of tasks, variables or plays, or a role.

    A role is read by itself; those who use it can only be wrong now where something of it is gone.
    """
    gone = (file for file in change.files if file.deleted and is_yaml(file.path))
    roles = {role.name for file in gone if (role := _role_of(file.path))}
    loose = {basename(file.path) for file in change.files if is_yaml(file.path) and not _role_of(file.path)}
    return frozenset(name.encode("utf-8", "surrogateescape") for name in roles | loose)


def _beside(change: Change, tree: Tree) -> Iterator[str]:
    places = {""}
    for file in change.files:
        above = folders(file.path)
        places.add("/".join(above[: above.index("roles")] if "roles" in above else above[:-1]))
    wanted = sorted({*places, *(f"{place}/playbooks".lstrip("/") for place in places)})
    count = 0
    for place in wanted:
        for entry in tree.list(place):
            if entry.mode in PLAIN and is_yaml(entry.name) and count < _NAMES:
                count += 1
                yield f"{place}/{entry.name}".lstrip("/")


def _plays(tree: Tree, path: str, names: Iterable[bytes] = ()) -> bool:
    """Whether it is a playbook, and names one of these where there are any."""
    try:
        text = tree.read(path) if tree.size(path) <= _SIZE else b""
    except EdgeError:
        return False
    if "roles" in folders(path) or text.startswith(VAULT) or not _PLAYS.search(text):
        return False
    if names and not any(re.search(rb"(?<![\w.-])" + re.escape(name) + rb"(?![\w-])", text) for name in names):
        return False
    return any(map(is_playbook, parse_yaml(text)[0]))
