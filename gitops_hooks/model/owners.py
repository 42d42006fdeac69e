"""Code owners: what a CODEOWNERS file says, and who its names are."""

from gitops_hooks.model.errors import Fault
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One line that gives owners (as written) to a pattern (as written), or takes them away where there are none.

    `count` of them must approve; `section` is GitLab's, in lower case; what is `optional` asks for nobody.
    `takes_out` says that what matches is out of its section for good; `negated` that what does not match is meant.
    """

    line: int
    pattern: str
    owners: tuple[str, ...]
    count: int = 1
    section: str = ""
    optional: bool = False
    takes_out: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OwnersText:
    """A whole file; one with faults says nothing of any path."""

    path: str
    lines: tuple[OwnerLine, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Who could own code: `names` of people (None: everybody that is named), and whose an address is."""

    names: frozenset[str] | None
    addresses: tuple[tuple[str, str], ...]

    def addresses_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """`name=address` of these people, for the record; an address that is no word of one owns nothing."""
        return tuple(f"{name}={known}" for name, known in self.addresses if name in names and known.isascii())

    def at(self, address: str) -> str:
        return next((name for name, known in self.addresses if known == address), "")
