"""The checks `ansible` and `controller`: what changed in an Ansible repository, read but never run.

The branches that an environment deploys from with Ansible always need `controller`; `ansible` is for the policy to ask.
"""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, ChangedFile, Check, EdgeError, Finding, Tree, YamlLimits, hookimpl
from gitops_hooks.plugins.ansible.controller import controller_findings
from gitops_hooks.plugins.ansible.files import PLAIN, may_be_loaded
from gitops_hooks.plugins.ansible.static import static_findings


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """Two checks over changed files; both are asked for every path, since Ansible loads files of any name."""
    return [
        Check("ansible", "playbooks, roles and inventories are well-formed and name what exists", check_ansible),
        Check("controller", "nothing from the repository runs on the controller", check_controller),
    ]


def check_ansible(change: Change, tree: Tree) -> Iterator[Finding]:
    for file in change.files:
        if file.mode in PLAIN:
            text = _read(file, tree)
            yield from [text] if isinstance(text, Finding) else static_findings(file.path, text, tree)


def check_controller(change: Change, tree: Tree) -> Iterator[Finding]:
    for file in change.files:
        if file.deleted:
            continue
        text = _read(file, tree) if file.mode in PLAIN else b""
        if isinstance(text, Finding):
            yield text
        else:
            yield from controller_findings(file.path, file.mode, text)


def _read(file: ChangedFile, tree: Tree) -> bytes | Finding:
    """The bytes of a changed file, or the finding that they cannot be read.

    Ansible reads no YAML over the limit from us either way: such a file is told, any other is judged by its name.
    """
    size = tree.size(file.path)
    if size > YamlLimits().size:
        told = may_be_loaded(file.path)
        return Finding(file.path, 0, f"is {size} bytes, too much to be judged; split the file") if told else b""
    try:
        return tree.read(file.path)
    except EdgeError as error:
        return Finding(file.path, 0, error.what)
