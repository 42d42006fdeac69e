"""The checks `ansible` and `controller`: what changed in an Ansible repository.

It is read here, confined; what only Ansible's own programs can tell they tell in their box. The branches that an
environment deploys from with Ansible always need `controller`; `ansible` is for the policy to ask.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence

from gitops_hooks.plugin import (
    Change,
    ChangedFile,
    Check,
    EdgeError,
    Finding,
    Option,
    OptionKind,
    Severity,
    Tool,
    Tree,
    Workbench,
    hookimpl,
)
from gitops_hooks.plugins.ansible.controller import controller_findings
from gitops_hooks.plugins.ansible.files import PLAIN, is_yaml, may_be_loaded
from gitops_hooks.plugins.ansible.lint import PROGRAM as LINT
from gitops_hooks.plugins.ansible.lint import SHELL, lint_findings
from gitops_hooks.plugins.ansible.listed import PROGRAM as INVENTORY
from gitops_hooks.plugins.ansible.listed import listed_findings
from gitops_hooks.plugins.ansible.reached import reached_playbooks, reached_roles
from gitops_hooks.plugins.ansible.static import is_ansible, static_findings
from gitops_hooks.plugins.ansible.syntax import PROGRAM as PLAYBOOK
from gitops_hooks.plugins.ansible.syntax import syntax_findings
from gitops_hooks.plugins.ansible.templates import is_template, template_findings
from gitops_hooks.plugins.shown import shown_paths

LOADED_AHEAD = ("jinja2", "jinja2.ext")

_PROFILES = ("min", "basic", "moderate", "safety", "shared", "production")
OPTIONS = (
    Option("tools", OptionKind.TRUTH, True, "whether Ansible's own programs are asked, in their box"),
    Option("folders", OptionKind.TEXTS, (), "what of the tree they see; none: all of it while it is small"),
    Option("roles_path", OptionKind.TEXTS, (), "folders with roles beside `roles`"),
    Option("lint", OptionKind.TEXT, "configured", "when ansible-lint is asked", ("configured", "always", "never")),
    Option("profile", OptionKind.TEXT, "min", "its profile where the repository has no .ansible-lint", _PROFILES),
)
TOOLS = (Tool(PLAYBOOK), Tool(INVENTORY), Tool(LINT), Tool(SHELL, ("-c", "echo sh")))


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """Two checks over changed files; both are asked for every path, since Ansible loads files of any name."""
    said = "playbooks, roles, inventories and templates are well-formed and name what exists"
    return [
        Check("ansible", said, check_ansible, options=OPTIONS, tools=TOOLS),
        Check("controller", "nothing from the repository runs on the controller", check_controller, each=True),
    ]


def check_ansible(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    found = list(_read_findings(change, tree))
    yield from found
    if bench.options["tools"]:
        # What was told from reading it is not told a second time in other words.
        faulty = {finding.path for finding in found if finding.severity is Severity.ERROR}
        yield from (finding for finding in _tool_findings(change, tree, bench, faulty) if finding.path not in faulty)


def _read_findings(change: Change, tree: Tree) -> Iterator[Finding]:
    look = functools.cache(tree.entry)  # many files name the same roles
    for file in change.files:
        if file.mode not in PLAIN:
            continue
        text = _read(file, tree)
        if isinstance(text, Finding):
            yield text
            continue
        yield from static_findings(file.path, text, look)
        if is_template(file.path):
            yield from template_findings(file.path, text)


def _tool_findings(change: Change, tree: Tree, bench: Workbench, faulty: set[str]) -> Iterator[Finding]:
    sound = tuple(file for file in change.files if file.path not in faulty)
    if bench.tool(INVENTORY) is not None:
        yield from listed_findings(bench, tree, sound)
    playbooks = tuple(path for path in reached_playbooks(change, tree) if path not in faulty)
    roles = tuple(role for role in reached_roles(change, tree) if not any(map(role.holds, faulty)))
    linted = tuple(
        file.path
        for file in sound
        if file.mode in PLAIN and is_yaml(file.path) and is_ansible(file.path, tree.read(file.path))
    )
    if not (playbooks or roles or linted):
        return
    first = (*playbooks, *(role.path for role in roles), *linted)[0]
    if bench.tool(PLAYBOOK) is None:
        words = "ansible-playbook is not installed on the server, so it was read but not given to Ansible"
        yield Finding(first, 0, words, Severity.WARNING)
        return
    shown = shown_paths(tree, bench.options["folders"])
    if not shown:
        words = "the tree is too large to be shown to Ansible at each push; name what playbooks need in the option"
        yield Finding(first, 0, f"{words} 'folders' of the check", Severity.WARNING)
        return
    if asked := " and ".join(filter(None, (_counted(playbooks, "playbook"), _counted(roles, "role")))):
        bench.say(f"asking Ansible about {asked}")
    told = list(syntax_findings(bench, tree, playbooks, roles, shown))
    yield from told
    broken = {finding.path for finding in told if finding.severity is Severity.ERROR}
    yield from lint_findings(bench, tuple(path for path in linted if path not in broken), shown)


def _counted(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'s' if len(things) > 1 else ''}" if things else ""


def check_controller(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    for file in change.files:
        if file.deleted:
            continue
        text = _read(file, tree) if file.mode in PLAIN else b""
        if isinstance(text, Finding):
            yield text
        else:
            may = file.mode in PLAIN and file.path in bench.options.get("allowed", ())
            yield from controller_findings(file.path, file.mode, text, allowed=may)


def _read(file: ChangedFile, tree: Tree) -> bytes | Finding:
    """The bytes of a changed file; an unreadable one is told if Ansible could load it, else judged by its name."""
    try:
        return tree.read(file.path)
    except EdgeError as error:
        told = may_be_loaded(file.path)
        return Finding(file.path, 0, f"{error.what}; what is not read cannot be judged") if told else b""
