"""The paths of one change, held against the globs of many rules in whatever case and normal form they are written."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from gitops_hooks.core.path_pattern import Parts
from gitops_hooks.core.path_set import PathSet

Form = Callable[[str], str]


class ChangedPaths:
    """Brought into every form once; undecodable paths meet every rule."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._undecodable: list[str] = []
        plain, others = [], []
        for path in paths:
            if path.isascii():
                plain.append(path)
            elif any("\ud800" <= char <= "\udfff" for char in path):
                self._undecodable.append(path)
            else:
                others.append(path)
        self._spellings = [_Spelling(fold, plain)] if plain else []
        # Folding can lengthen a name (ß is ss), so that `?` fits it in one form only.
        self._spellings += [_Spelling(form, others) for form in _FORMS] if others else []

    def touch(self, globs: tuple[str, ...]) -> bool:
        """Whether any path matches."""
        if self._undecodable and globs:
            return True
        return any(one.paths.mask(one.pattern(glob)) for one in self._spellings for glob in globs)

    def matching(self, globs: tuple[str, ...]) -> frozenset[str]:
        """The paths that match."""
        if not globs:
            return frozenset()
        return frozenset((*self._undecodable, *(path for one in self._spellings for path in one.matching(globs))))


class _Spelling:
    """Paths in one form, with what they were before."""

    def __init__(self, form: Form, paths: Iterable[str]) -> None:
        self._form = form
        self._before: dict[Parts, list[str]] = {}
        for path in paths:
            self._before.setdefault(tuple(form(path).split("/")), []).append(path)
        self.paths = PathSet(self._before)

    def pattern(self, glob: str) -> Parts:
        return _in_form(self._form, glob)

    def matching(self, globs: tuple[str, ...]) -> Iterator[str]:
        mask = 0
        for glob in globs:
            mask |= self.paths.mask(self.pattern(glob))
        for parts in self.paths.covered(mask):
            yield from self._before[parts]


# The globs of a policy are the same for every push that it judges.
@lru_cache(maxsize=4096)
def _in_form(form: Form, glob: str) -> Parts:
    return tuple(form(glob).split("/"))


def fold(text: str) -> str:
    """What two spellings of one name have in common."""
    return text.casefold() if text.isascii() else _compose(_compose(text).casefold())


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _lower(text: str) -> str:
    return _compose(_compose(text).lower())


_FORMS = (fold, _lower, _compose, str)
