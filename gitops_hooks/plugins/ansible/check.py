"""The checks `ansible` and `controller`: what changed in an Ansible repository, read but never run.

The branches that an environment deploys from with Ansible always need `controller`; `ansible` is for the policy to ask.
"""

import functools
from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, ChangedFile, Check, EdgeError, Finding, Tree, Workbench, hookimpl
from gitops_hooks.plugins.ansible.controller import controller_findings
from gitops_hooks.plugins.ansible.files import PLAIN, may_be_loaded
from gitops_hooks.plugins.ansible.static import static_findings


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """Two checks over changed files; both are asked for every path, since Ansible loads files of any name."""
    return [
        Check(
            "ansible", "playbooks, roles and inventories are well-formed and name what exists", check_ansible, each=True
        ),
        Check("controller", "nothing from the repository runs on the controller", check_controller, each=True),
    ]


def check_ansible(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    look = functools.cache(tree.entry)  # many files name the same roles
    for file in change.files:
        if file.mode in PLAIN:
            text = _read(file, tree)
            yield from [text] if isinstance(text, Finding) else static_findings(file.path, text, look)


def check_controller(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    for file in change.files:
        if file.deleted:
            continue
        text = _read(file, tree) if file.mode in PLAIN else b""
        if isinstance(text, Finding):
            yield text
        else:
            yield from controller_findings(file.path, file.mode, text)


def _read(file: ChangedFile, tree: Tree) -> bytes | Finding:
    """The bytes of a changed file; an unreadable one is told if Ansible could load it, else judged by its name."""
    try:
        return tree.read(file.path)
    except EdgeError as error:
        told = may_be_loaded(file.path)
        return Finding(file.path, 0, f"{error.what}; what is not read cannot be judged") if told else b""
