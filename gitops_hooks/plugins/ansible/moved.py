"""Modules that left Ansible for collections, from the table by which Ansible finds them under their short names."""

import contextlib
import functools
import importlib.util
import re
from pathlib import Path

_TABLE = "config/ansible_builtin_runtime.yml"
_ENTRY = re.compile(r"^    (\w+):\n      redirect: ([\w.]+)$", re.MULTILINE)


@functools.cache
def _moved() -> dict[str, str]:
    """Short name → full name. Nothing of Ansible is imported, and another version of it moved hardly anything else."""
    found = importlib.util.find_spec("ansible")
    for folder in (found.submodule_search_locations if found else None) or ():
        with contextlib.suppress(OSError):
            return dict(_ENTRY.findall((Path(folder) / _TABLE).read_text()))
    return {}


def moved_to(module: str) -> str:
    """The full name; "" for a module that did not move."""
    return _moved().get(module, "")


def modules_of(collection: str) -> list[str]:
    """The full names of all that moved to a collection."""
    return [name for name in _moved().values() if name.rpartition(".")[0] == collection]
