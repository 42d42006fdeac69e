"""The plays of a playbook, with everything that each of them may read of a tree."""

from dataclasses import field

from gitops_hooks.core.ansible_words import is_templated
from gitops_hooks.core.play_text import Needs, Wide
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(slots=True)
class Play:
    """One play: where it stands, whom it means, and everything of the tree that it may read.

    `texts`, `roles` (by their folders) and `named` (wherever a name may lead) each say by which text they are read.
    """

    path: str
    line: int
    hosts: str
    texts: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)
    seen: set[tuple[object, ...]] = field(default_factory=set)

    def is_new(self, *key: object) -> bool:
        """Whether something is not read yet from there; it counts as read now."""
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh


@dataclass(frozen=True, slots=True)
class Usage:
    """All plays of a playbook, the folders of its playbooks, and why every change reaches everything, if it does.

    `crossing` is why whatever touches one host may touch all of them.
    """

    plays: tuple[Play, ...] = ()
    folders: tuple[str, ...] = ()
    wide: str = ""
    crossing: str = ""


NOT_READ = Usage(wide="its playbook was not read")


def play_hosts(path: str, item: Marked) -> str:
    """Whom a play means, as one pattern. Errors: Wide where that is made at run time."""
    hosts = item.get("hosts")
    if item.tag != "map" or hosts is None:
        raise Wide(f"{path}:{item.line} is no play")
    words = [word.text for word in hosts.items] if hosts.items else [hosts.text]
    if not all(words) or any(is_templated(word) for word in words):
        raise Wide(f"{path}:{hosts.line} makes its hosts at run time")
    return ",".join(words)


def entries(node: Marked | None) -> tuple[Marked, ...]:
    """The entries of a list that may be missing, or be a single one."""
    if node is None or node.tag == "null":
        return ()
    return node.items if node.tag == "seq" else (node,)
