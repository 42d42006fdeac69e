"""What Ansible's programs are shown of the tree, and the settings that they start with."""

from collections.abc import Iterator

from gitops_hooks.plugin import Tree
from gitops_hooks.plugins.ansible.files import FOLDER

_ENTRIES = 2000
_BYTES = 64 * 1024 * 1024
# No ansible.cfg of the tree has a say: the whole file that counts is this one.
_SETTINGS = """\
[defaults]
roles_path = {roles}
collections_path = /tree/collections:/usr/share/ansible/collections
retry_files_enabled = False
localhost_warning = False
system_warnings = False
[inventory]
unparsed_warning = False
any_unparsed_is_failed = True
"""
GIVEN_SETTINGS = "ansible.cfg"


def settings(roles: tuple[str, ...]) -> bytes:
    return _SETTINGS.format(roles=":".join(f"/tree/{place.strip('/')}" for place in roles)).encode()


def environment() -> list[str]:
    """What stands before the command; the paths are those inside of the box."""
    return [f"ANSIBLE_CONFIG=/given/{GIVEN_SETTINGS}", "ANSIBLE_NOCOLOR=1", "NO_COLOR=1", "COLUMNS=4000"]


def shown_paths(tree: Tree, folders: tuple[str, ...]) -> tuple[str, ...]:
    """The folders that the policy names; without any the whole tree, or () where it is too large for each push."""
    if folders:
        return tuple(folder for folder in folders if tree.entry(folder) is not None)
    count = size = 0
    for path in _walk(tree):
        count, size = count + 1, size + max(0, tree.size(path))
        if count > _ENTRIES or size > _BYTES:
            return ()
    return (".",)


def _walk(tree: Tree) -> Iterator[str]:
    waiting = [""]
    while waiting:
        place = waiting.pop()
        for entry in tree.list(place):
            path = f"{place}/{entry.name}".lstrip("/")
            if entry.mode == FOLDER:
                waiting.append(path)
            yield path
