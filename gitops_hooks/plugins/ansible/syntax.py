"""`ansible-playbook --syntax-check` in the box over what a change reaches: playbooks, and roles by a play of their own.

It runs filters, lookups and modules' helpers that the repository carries; that is why it is a tool and no library here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_hooks.plugin import Finding, Severity, Tree, Workbench
from gitops_hooks.plugins.ansible.moved import modules_of
from gitops_hooks.plugins.ansible.reached import Role
from gitops_hooks.plugins.ansible.settings import GIVEN_SETTINGS, environment, settings
from gitops_hooks.plugins.ansible.told import Told, parse_told

PROGRAM = "ansible-playbook"
MOST = 20
_RUNS = 6
_STUBS = 50
_GALAXY = re.compile(rb"(?<![\w./-])([a-z0-9_-]+\.[a-z0-9_-]+)(?![\w./-])")


@dataclass(frozen=True, slots=True)
class Asked:
    """A playbook of the tree, or one that is given for a role; `role` is then that role."""

    path: str
    role: Role | None = None

    @property
    def word(self) -> str:
        return f"/given/{self.path}" if self.role else self.path

    @property
    def told_at(self) -> str:
        return self.role.path if self.role else self.path


def syntax_findings(
    bench: Workbench, tree: Tree, playbooks: tuple[str, ...], roles: tuple[Role, ...], shown: tuple[str, ...]
) -> Iterator[Finding]:
    """Faults that only Ansible sees. It stops at the first, so what is left is asked again without it."""
    wanted = [*map(Asked, playbooks), *(Asked(f"role-{number}.yml", role) for number, role in enumerate(roles))]
    if len(wanted) > MOST:
        yield _warning(wanted[MOST], f"only {MOST} of {len(wanted)} playbooks and roles were given to Ansible")
    given = dict(_stubs_of_roles(tree, [asked.path for asked in wanted[:MOST] if not asked.role]))
    waiting, lacking = [wanted[:MOST]], set[str]()
    for _ in range(_RUNS):
        group = waiting.pop() if waiting else []
        told = _run(bench, group, shown, given) if group else None
        if told is None:
            continue
        collection = told.lacking.rpartition(".")[0]
        if collection in lacking or (collection and told.absent):
            if collection not in lacking:
                yield _lacks(told, collection)
            lacking.add(collection)
            given |= dict.fromkeys(map(_stub_of_module, [told.lacking, *modules_of(collection)]), b"")
            waiting.append(group)
            continue
        faulty = _of(told, group, tree)
        if not faulty:
            waiting += [group[: len(group) // 2], group[len(group) // 2 :]]
            continue
        yield _finding(told, faulty)
        waiting.append([asked for asked in group if asked not in faulty])
    if left := [asked for group in waiting for asked in group]:
        yield _warning(left[0], f"after so many faults Ansible was not asked about this and {len(left) - 1} others")


def _stubs_of_roles(tree: Tree, playbooks: list[str]) -> Iterator[tuple[str, bytes]]:
    """An empty role for each of Galaxy's that the tree lacks, so that the rest of a playbook is seen all the same."""
    for path in playbooks:
        for name in sorted(set(_GALAXY.findall(tree.read(path))))[:_STUBS]:
            if tree.entry(f"roles/{name.decode()}") is None:
                yield f"roles/{name.decode()}/tasks/main.yml", b""


def _stub_of_module(name: str) -> str:
    namespace, collection, module = name.split(".")[0], name.split(".")[1], name.split(".")[-1]
    return f"collections/ansible_collections/{namespace}/{collection}/plugins/modules/{module}.py"


def _run(bench: Workbench, group: list[Asked], shown: tuple[str, ...], stubs: dict[str, bytes]) -> Told | None:
    plays = {asked.path: _play(asked.role) for asked in group if asked.role}
    places = tuple(dict.fromkeys(("roles", *(asked.role.place for asked in group if asked.role))))
    words = [PROGRAM, "--syntax-check", "-i", "localhost,", *(_word(asked.word) for asked in group)]
    given = {GIVEN_SETTINGS: settings((*places, *bench.options["roles_path"])), **plays, **stubs}
    ran = bench.run([*environment(), *words], files=shown, given=given)
    return parse_told(ran.stderr) if ran.status else None


def _word(path: str) -> str:
    return path if path.startswith("/") else f"/tree/{path}"


def _play(role: Role) -> bytes:
    name = role.name.replace("'", "''")
    return f"- hosts: all\n  gather_facts: false\n  roles:\n    - role: '{name}'\n".encode("utf-8", "surrogateescape")


def _of(told: Told, group: list[Asked], tree: Tree) -> list[Asked]:
    """Which of those that were asked stopped it; none where that cannot be said of several."""
    if told.given:
        return [asked for asked in group if asked.role and asked.path == told.path] or group
    if len(group) == 1:
        return group
    if same := [asked for asked in group if not asked.role and asked.path == told.path]:
        return same
    inside = [asked for asked in group if asked.role and asked.role.holds(told.path)]
    names = [asked.role.name.encode("utf-8", "surrogateescape") for asked in inside if asked.role]
    users = (asked for asked in group if inside and not asked.role and names[0] in tree.read(asked.path))
    return [*inside, *users]


def _lacks(told: Told, collection: str) -> Finding:
    words = f"this server has no collection {collection}, so nothing of its modules was seen"
    return Finding(told.path, told.line, words, Severity.WARNING)


def _finding(told: Told, faulty: list[Asked]) -> Finding:
    elsewhere = told.given or not told.path
    path = faulty[0].told_at if elsewhere else told.path
    if told.unseen:
        message = f"not seen from here on: {told.unseen} ({told.message})"
        return Finding(path, 0 if elsewhere else told.line, message, Severity.WARNING)
    return Finding(path, 0 if elsewhere else told.line, f"ansible-playbook --syntax-check: {told.message}")


def _warning(asked: Asked, message: str) -> Finding:
    return Finding(asked.told_at, 0, message, Severity.WARNING)
