"""A change as a deployer's `render` gets it, of trees in memory; it runs in this process."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_hooks.entry.reaching import read_sides
from gitops_hooks.hookspec import Preview, Rendering
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.rendered import Rendered, Unrendered
from gitops_hooks.testing import MemoryTree

Files = Mapping[str, str | None]
STAGING = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inventories/staging", None, "")


@dataclass(frozen=True, slots=True)
class NamedTree(MemoryTree):
    """A tree that knows its name."""

    oid: str = ""


class Trees:
    """As much of a repository as is read for a preview."""

    def __init__(self, trees: Iterable[Mapping[str, str]]) -> None:
        self._trees = {}
        for files in trees:
            content = {path: text.encode() for path, text in files.items()}
            oid = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
            self._trees[oid] = NamedTree(content, oid=oid)

    @property
    def oids(self) -> list[str]:
        return list(self._trees)

    def tree(self, oid: str) -> NamedTree:
        return self._trees[oid]


def preview_of(
    files: Mapping[str, str], edit: Files, environment: Environment = STAGING, hosts: Sequence[str] | None = None
) -> Preview:
    after = {path: text for path, text in {**files, **edit}.items() if text is not None}
    trees = Trees([files, after])
    before, now = trees.oids
    old, new = read_sides(trees, environment, (before, now))  # type: ignore[arg-type]  # as much of it as is read
    return Preview(environment, old, new, tuple(edit), tuple(hosts) if hosts is not None else None)


def rendered(rendering: Rendering, preview: Preview, **more: Any) -> list[Rendered | Unrendered]:
    return list(rendering.run(preview, more.get("bench")))


def lines(found: Iterable[Rendered | Unrendered]) -> Iterator[str]:
    """`web1 web2: http_port: 80 → 8080`, and `?` before what is not known."""
    for one in found:
        hosts = f"{' '.join(one.hosts)}: " if one.hosts else ""
        if isinstance(one, Unrendered):
            yield f"? {hosts}{one.why}"
        else:
            yield f"{hosts}{one.what}" + (f": {one.text}" if one.text else "")
