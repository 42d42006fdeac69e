"""Kustomizations: which one a file belongs to, which files are patches, and what comes from outside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from gitops_hooks.plugin import EdgeError, Tree
from gitops_hooks.plugins.documents import read_documents

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEP, _MOST = 16, 200
_REMOTE = re.compile(r"://|^git@|^(?:github|gitlab|bitbucket)\.[\w.]+/|\?ref=|^git::")
_REFERS = ("resources", "bases", "components", "crds", "configurations", "transformers", "generators", "validators")


@dataclass(slots=True)
class Kustomizations:
    """The kustomizations of one tree, each read once."""

    tree: Tree
    _read: dict[str, dict[str, object] | None] = field(default_factory=dict)

    def path(self, folder: str) -> str:
        """The kustomization file of a folder, or an empty string."""
        paths = (join(folder, name) for name in NAMES)
        return next((path for path in paths if self.tree.entry(path) is not None), "")

    def _value(self, folder: str) -> dict[str, object] | None:
        if folder not in self._read:
            self._read[folder] = self._load(self.path(folder))
        return self._read[folder]

    def _load(self, path: str) -> dict[str, object] | None:
        if not path:
            return None
        try:
            documents, _ = read_documents("kustomization.yaml", self.tree.read(path))
        except EdgeError:
            return {}
        value = documents[0].value if documents else {}
        return value if isinstance(value, dict) else {}

    def nearest(self, path: str) -> str | None:
        """The nearest folder above a file that holds a kustomization."""
        for folder in _above(path):
            if self._value(folder) is not None:
                return folder
        return None

    def is_patch(self, path: str) -> bool:
        """Whether a kustomization above a file uses it as a patch, which is no whole manifest."""
        return any(
            normpath(join(folder, name)) == path
            for folder in _above(path)
            for name in _patches(self._value(folder) or {})
        )

    def below(self, folder: str) -> tuple[set[str], list[str]]:
        """What a kustomization reads, as folders and files of the tree, and what it brings from outside."""
        seen, outside, waiting = {folder}, [], [folder]
        while waiting and len(seen) <= _MOST:
            here = waiting.pop()
            value = self._value(here)
            for name in _names(value, _REFERS) if value else ():
                path = normpath(join(here, name))
                if _REMOTE.search(name):
                    outside.append(name)
                elif not path.startswith("..") and path not in seen:
                    seen.add(path)
                    waiting.append(path)
        return seen, outside


def _above(path: str) -> Iterator[str]:
    folder = dirname(path)
    for _ in range(_DEEP):
        yield folder
        if not folder:
            return
        folder = dirname(folder)


def _patches(value: dict[str, object]) -> Iterator[str]:
    yield from _names(value, ("patchesStrategicMerge",))
    for key in ("patches", "patchesJson6902", "replacements"):
        listed = value.get(key)
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict) and isinstance(item.get("path"), str):
                yield item["path"]


def _names(value: dict[str, object], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        listed = value.get(key)
        yield from (item for item in (listed if isinstance(listed, list) else ()) if isinstance(item, str))
