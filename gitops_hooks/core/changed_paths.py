"""The paths of one change, held against the globs of many rules in whatever case and normal form they are written."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable

from gitops_hooks.core.globs import matches_any, matches_parts
from gitops_hooks.core.path_pattern import Parts, is_literal


class ChangedPaths:
    """Folded and sorted once: a glob is only held against the paths that begin as it does."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._undecodable = False
        self._others: list[str] = []
        plain: list[Parts] = []
        for path in paths:
            if path.isascii():
                plain.append(tuple(fold(path).split("/")))
            elif any("\ud800" <= char <= "\udfff" for char in path):
                self._undecodable = True
            else:
                self._others.append(path)
        self._plain = sorted(plain)

    def touch(self, globs: tuple[str, ...]) -> bool:
        """Whether any path matches; undecodable ones meet every rule."""
        if self._undecodable and globs:
            return True
        return any(self._touches_plain(glob) for glob in globs) or self._touches_others(globs)

    def _touches_plain(self, glob: str) -> bool:
        pattern = tuple(fold(glob).split("/"))
        size = next((at for at, part in enumerate(pattern) if not is_literal(part)), len(pattern))
        start = pattern[:size]
        for at in range(bisect_left(self._plain, start), len(self._plain)):
            path = self._plain[at]
            if path[:size] != start:
                return False
            if matches_parts(pattern, path):
                return True
        return False

    def _touches_others(self, globs: tuple[str, ...]) -> bool:
        if not self._others:
            return False
        # Folding can lengthen a name (ß is ss), so that `?` fits it in one form only.
        forms = [(form, tuple(form(glob) for glob in globs)) for form in _FORMS]
        return any(matches_any(folded, form(path)) for path in self._others for form, folded in forms)


def fold(text: str) -> str:
    """What two spellings of one name have in common."""
    return text.casefold() if text.isascii() else _compose(_compose(text).casefold())


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _lower(text: str) -> str:
    return _compose(_compose(text).lower())


_FORMS = (fold, _lower, _compose, str)
