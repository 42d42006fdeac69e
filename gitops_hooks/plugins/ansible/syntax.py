"""`ansible-playbook --syntax-check` in the box over what a change reaches: playbooks, and roles by a play of their own.

It runs filters, lookups and modules' helpers that the repository carries; that is why it is a tool and no library here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_hooks.plugin import Finding, Severity, Tree, Workbench
from gitops_hooks.plugins.ansible.reached import Role
from gitops_hooks.plugins.ansible.settings import GIVEN_SETTINGS, environment, settings
from gitops_hooks.plugins.ansible.told import Told, parse_told

PROGRAM = "ansible-playbook"
MOST = 20
_RUNS = 5


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
    """Faults that only Ansible sees; one of each program's run, since it stops at the first."""
    wanted = [*map(Asked, playbooks), *(Asked(f"role-{number}.yml", role) for number, role in enumerate(roles))]
    if len(wanted) > MOST:
        yield _warning(wanted[MOST], f"only {MOST} of {len(wanted)} playbooks and roles were given to Ansible")
    wanted = wanted[:MOST]
    for _ in range(_RUNS):
        if not wanted:
            return
        told = _run(bench, wanted, shown)
        if told is None:
            return
        faulty = _of(told, wanted, tree)
        yield _finding(told, faulty)
        wanted = [asked for asked in wanted if asked not in faulty]
    if wanted:
        yield _warning(wanted[0], "was not given to Ansible any more after this many faults; correct them first")


def _run(bench: Workbench, wanted: list[Asked], shown: tuple[str, ...]) -> Told | None:
    plays = {asked.path: _play(asked.role) for asked in wanted if asked.role}
    places = tuple(dict.fromkeys(("roles", *(asked.role.place for asked in wanted if asked.role))))
    words = [PROGRAM, "--syntax-check", "-i", "localhost,", *(_word(asked.word) for asked in wanted)]
    given = {GIVEN_SETTINGS: settings((*places, *bench.options["roles_path"])), **plays}
    ran = bench.run([*environment(), *words], files=shown, given=given)
    return parse_told(ran.stderr) if ran.status else None


def _word(path: str) -> str:
    return path if path.startswith("/") else f"/tree/{path}"


def _play(role: Role) -> bytes:
    name = role.name.replace("'", "''")
    return f"- hosts: all\n  gather_facts: false\n  roles:\n    - role: '{name}'\n".encode("utf-8", "surrogateescape")


def _of(told: Told, wanted: list[Asked], tree: Tree) -> list[Asked]:
    """Which of those that were asked stopped it; all of them where that cannot be said."""
    if told.given:
        return [asked for asked in wanted if asked.role and asked.path == told.path] or wanted
    if same := [asked for asked in wanted if not asked.role and asked.path == told.path]:
        return same
    inside = [asked for asked in wanted if asked.role and asked.role.holds(told.path)]
    if inside:
        name = inside[0].role.name.encode() if inside[0].role else b""
        return [*inside, *(asked for asked in wanted if not asked.role and name in tree.read(asked.path))]
    return wanted[:1] if len(wanted) == 1 else wanted


def _finding(told: Told, faulty: list[Asked]) -> Finding:
    elsewhere = told.given or not told.path
    path = faulty[0].told_at if elsewhere else told.path
    if told.unseen:
        message = f"not seen from here on: {told.unseen} ({told.message.removesuffix('; correct its name')})"
        return Finding(path, 0 if elsewhere else told.line, message, Severity.WARNING)
    return Finding(path, 0 if elsewhere else told.line, f"ansible-playbook --syntax-check: {told.message}")


def _warning(asked: Asked, message: str) -> Finding:
    return Finding(asked.told_at, 0, message, Severity.WARNING)
