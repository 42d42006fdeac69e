"""Folders of trees, read once while a repository is open: the commits of one change share nearly all of theirs."""

import re

import pygit2

from gitops_hooks.model.push import NO_OID

_ENTRY = re.compile(rb"[0-7]+ [^\0]+\0.{20}", re.DOTALL)
_SMALL = 64
_MOST_SMALL = 8192
_MOST_LARGE = 16


class Folders:
    """The entries of folders by id, each as it lies in the tree: mode, a blank, name, a zero, twenty bytes of id.

    Small ones are kept by the thousand and large ones by the dozen, so that what is kept has a bound.
    """

    def __init__(self, repository: pygit2.Repository) -> None:
        self._odb = repository.odb
        self._small: dict[str, frozenset[bytes]] = {}
        self._large: dict[str, frozenset[bytes]] = {}

    def entries(self, oid: str) -> frozenset[bytes]:
        """Those of one folder; of NO_OID none."""
        if oid == NO_OID:
            return frozenset()
        found = self._small.get(oid) or self._large.get(oid)
        if found is None:
            found = frozenset(_ENTRY.findall(self._odb.read(oid)[1]))
            kept, most = (self._small, _MOST_SMALL) if len(found) <= _SMALL else (self._large, _MOST_LARGE)
            kept[oid] = found
            if len(kept) > most:
                del kept[next(iter(kept))]
        return found


def split_entry(entry: bytes) -> tuple[int, bytes, str]:
    """Mode, name and id."""
    mode, _, rest = entry.partition(b" ")
    return int(mode, 8), rest[:-21], rest[-20:].hex()
