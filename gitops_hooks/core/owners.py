"""Code owners: who must approve which paths, as one approval rule for each set of owners that is asked."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from gitops_hooks.core import owners_gitea, owners_github, owners_gitlab
from gitops_hooks.core.expressions import Expressions, literal_ends
from gitops_hooks.core.links import UNKNOWN, Beginning, beginning
from gitops_hooks.core.path_pattern import PatternIndex
from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.owners import Known, OwnerLine, OwnersText
from gitops_hooks.model.policy import ApprovalRule, Dialect, Names, OwnersRule, Policy
from gitops_hooks.model.verdict import Requirement, Status

PLACES = {
    Dialect.GITHUB: owners_github.PLACES,
    Dialect.GITLAB: owners_gitlab.PLACES,
    Dialect.GITEA: owners_gitea.PLACES,
}
_PARSE = {
    Dialect.GITHUB: owners_github.parse_github,
    Dialect.GITLAB: owners_gitlab.parse_gitlab,
    Dialect.GITEA: owners_gitea.parse_gitea,
}


def places(rule: OwnersRule) -> tuple[str, ...]:
    """Where the file may stand; the first that is there is meant."""
    return (rule.file,) if rule.file else PLACES[rule.dialect]


def touches_owners(rules: Iterable[OwnersRule], paths: Iterable[str]) -> bool:
    """Whether one of these paths is a file of code owners, or a folder on the way to one."""
    parts = [path.split("/") for rule in rules for path in places(rule)]
    tops = {"/".join(names[:size]) for names in parts for size in range(1, len(names) + 1)}
    return not tops.isdisjoint(paths)


def parse_owners(rule: OwnersRule, path: str, text: bytes) -> OwnersText:
    """The file at `path`, with every fault of its syntax."""
    return _parse(rule.dialect, path, text)


# One push judges several times, and its file of owners is the same each time.
@lru_cache(maxsize=4)
def _parse(dialect: Dialect, path: str, text: bytes) -> OwnersText:
    return _PARSE[dialect](path, text)


@lru_cache(maxsize=4)
def deciding_lines(rule: OwnersRule, text: OwnersText) -> Callable[[str], Sequence[OwnerLine]]:
    """Path → the lines whose owners must approve it."""
    lines = text.lines
    if rule.dialect is Dialect.GITEA:
        expressions = Expressions([line.pattern for line in lines])
        negated = [number for number, line in enumerate(lines) if line.negated]
        return lambda path: _asked_by_gitea(lines, set(expressions.matching(path)), negated)
    if rule.dialect is Dialect.GITLAB:
        index = PatternIndex(owners_gitlab.gitlab_glob(line.pattern) for line in lines)
        return lambda path: _last_of_sections([lines[number] for number in index.matching(path)])
    index = PatternIndex(owners_github.github_glob(line.pattern) for line in lines)
    return lambda path: [] if (number := index.last_match(path)) is None else [lines[number]]


@lru_cache(maxsize=4)
def owners_beginnings(rule: OwnersRule, text: OwnersText) -> tuple[Beginning, ...]:
    """Where the lines look, for the symlinks there."""
    if rule.dialect is Dialect.GITEA:
        starts = [literal_ends(line.pattern)[0].rpartition("/")[0] for line in text.lines]
        found = [Beginning(tuple(start.split("/")) if start else (), True, False) for start in starts]
    else:
        glob = owners_gitlab.gitlab_glob if rule.dialect is Dialect.GITLAB else owners_github.github_glob
        found = [beginning(glob(line.pattern), folded=False) for line in text.lines]
    return tuple(dict.fromkeys(found))


def _asked_by_gitea(lines: Sequence[OwnerLine], matched: set[int], negated: Sequence[int]) -> list[OwnerLine]:
    return [lines[number] for number in sorted(matched.symmetric_difference(negated))]


def _last_of_sections(matching: Iterable[OwnerLine]) -> list[OwnerLine]:
    """The last line of each section; a section that takes a path out once asks nobody for it."""
    last: dict[str, OwnerLine] = {}
    out = set()
    for line in matching:
        last.setdefault(line.section, line)
        out |= {line.section} if line.takes_out else set()
    return [line for section, line in last.items() if section not in out and not line.optional]


def people_of(owner: str, policy: Policy, known: Known) -> frozenset[str]:
    """The people behind `@name`, `@group`, `@org/team` or an address; none where nobody is known by it.

    A group of the policy comes before a person of the same name; a team is the group of its last name.
    """
    if not owner.startswith("@"):
        name = known.at(owner)
        named = frozenset({name} if name else ())
    else:
        last = owner[1:].rpartition("/")[2]
        alone = frozenset() if "/" in owner else frozenset({last})
        named = policy.members(last) if policy.has_group(last) else alone
    return named if known.names is None else named & known.names


@dataclass(frozen=True, slots=True)
class Owned:
    """What code owners ask: rules to be met, and why some path can never be approved."""

    rules: tuple[ApprovalRule, ...] = ()
    faults: tuple[Requirement, ...] = ()


def owned(rule: OwnersRule, text: OwnersText, paths: Sequence[str], policy: Policy, known: Known) -> Owned:
    """What the owners in the file are asked for these changed paths."""
    if text.faults:
        return _asked_of_a_broken_file(rule, text, paths)
    if strange := [path for path in paths if _is_undecodable(path)]:
        what = "It lies behind too many symlinks" if strange[0] == UNKNOWN else f"{shown(strange[0])} is not UTF-8"
        reason = f"{what}, and nobody can say who owns it."
        return Owned((), (Requirement("owners", Status.ERROR, reason, rule.place),))
    deciding = deciding_lines(rule, text)
    asked: dict[tuple[int, tuple[str, ...]], list[tuple[str, OwnerLine]]] = {}
    for path in paths:
        for line in deciding(path):
            if line.owners:
                asked.setdefault((line.count, line.owners), []).append((path, line))
    rules, faults = [], []
    for (count, owners), found in asked.items():
        names = frozenset(name for owner in owners for name in people_of(owner, policy, known))
        place = f"{text.path}:{found[0][1].line}, {rule.place}"
        if names:
            words = _words(owners, [path for path, _ in found])
            rules.append(ApprovalRule(count, Names(tuple(sorted(names))), (), place, words=words, rule="owners"))
        else:
            faults.append(Requirement("owners", Status.ERROR, _nobody(owners, found[0][0]), place))
    return Owned(tuple(rules), tuple(faults))


def _words(owners: Sequence[str], paths: Sequence[str]) -> str:
    more = len(dict.fromkeys(paths)) - 1
    ending = f" and {more} more" if more else ""
    return f"{_either(owners)} (code owners of {shown(paths[0])}{ending})"


def _either(owners: Sequence[str]) -> str:
    shown = " or ".join(owners[:5])
    return f"{shown} or {len(owners) - 5} more" if len(owners) > 5 else shown


def _nobody(owners: Sequence[str], path: str) -> str:
    return f"The owners of {shown(path)} are {_either(owners)}: no person whom the server knows. Nobody can approve it."


def _is_undecodable(path: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in path)


def _asked_of_a_broken_file(rule: OwnersRule, text: OwnersText, paths: Sequence[str]) -> Owned:
    """A file that was broken before this rule came says nothing; only what mends it may pass, and nothing beside."""
    if all(path == text.path for path in paths):
        return Owned()
    first = text.faults[0]
    reason = f"{text.path}:{first.line}: {first.message}. Propose a change that mends this file alone."
    return Owned((), (Requirement("owners", Status.ERROR, reason, rule.place),))


def owners_faults(text: OwnersText, policy: Policy, known: Known) -> tuple[Fault, ...]:
    """Everything that keeps a file from being used: its syntax, owners whom nobody knows, counts nobody can reach."""
    found = list(text.faults)
    for line in text.lines:
        people = {owner: people_of(owner, policy, known) for owner in line.owners}
        found += [
            Fault(line.line, f"{owner} is no person of this server and no group of the policy with one")
            for owner, names in people.items()
            if not names
        ]
        able = frozenset(name for names in people.values() for name in names)
        if able and len(able) < line.count and not line.optional:
            found.append(Fault(line.line, f"{line.count} approvals, but {len(able)} could give one"))
    return tuple(sorted(dict.fromkeys(found), key=lambda fault: fault.line))
