"""What one change needs approved, from the policy and from objects: asked when it is judged, and again afterwards."""

from collections.abc import Iterator, Sequence

from gitops_hooks.core.demands import Demands, Trial, demand
from gitops_hooks.core.govern import Governing
from gitops_hooks.core.links import Beginning, beginning
from gitops_hooks.core.owners import owned, owners_beginnings, owners_faults, parse_owners, places
from gitops_hooks.core.owners_lines import SIZE
from gitops_hooks.core.rehearse import trials
from gitops_hooks.edge.links import find_links
from gitops_hooks.edge.repository import Repository
from gitops_hooks.entry.reaching import find_reach
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.owners import Known, OwnersText
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import OwnersRule, Policy
from gitops_hooks.model.push import NO_OID, ActorKind
from gitops_hooks.model.verdict import Requirement, Status


def known_owners(people: People) -> Known:
    """Everybody who can own code: people, not bots, with their addresses."""
    persons = [person for person in people.everybody if person.kind is ActorKind.PERSON]
    addresses = tuple((person.name, address) for person in persons for address in person.addresses)
    return Known(frozenset(person.name for person in persons), addresses)


def find_demands(repository: Repository, governing: Governing, span: Range, merged: Merged, known: Known) -> Demands:
    """Everything to be approved; code owners are those at the branch's own tip, never those that are pushed."""
    paths = tuple(file.path for file in merged.files)
    return _demands(repository, governing, (repository.tree_of(span.tip), merged.tree), paths, known)


def find_trials(
    repository: Repository, ref: str, span: Range, merged: Merged, policy: Policy, known: Known
) -> tuple[Trial, ...]:
    """The same for each set of rules that is on trial."""
    return tuple(
        Trial(governing, find_demands(repository, governing, span, merged, known)) for governing in trials(policy, ref)
    )


def imagine_demands(
    repository: Repository, governing: Governing, tip: str, paths: tuple[str, ...], known: Known
) -> Demands:
    """What a change of these paths on top of `tip` would need, by code owners and inventories as they are there."""
    tree = repository.tree_of(tip)
    return _demands(repository, governing, (tree, tree), paths, known)


def _demands(
    repository: Repository, governing: Governing, trees: tuple[str, str], paths: tuple[str, ...], known: Known
) -> Demands:
    """What a change of these paths from the tip's tree to the resulting one needs."""
    policy = governing.policy
    reached = find_reach(repository, policy, governing.ref, trees, paths) if governing.asks_reach else ()
    texts = [(rule, text) for rule in governing.owners if (text := _owners_text(repository, rule, trees[0]))]
    links = find_links(repository, trees, _beginnings(governing, texts))
    names = links.with_names(paths)
    asked = tuple(owned(rule, text, names, policy, known) for rule, text in texts)
    return demand(governing, paths, reached, asked, links)


def _beginnings(governing: Governing, texts: Sequence[tuple[OwnersRule, OwnersText]]) -> Iterator[Beginning]:
    """Where rules of any kind look for paths."""
    yield beginning(".gitops/**")
    for rule in governing.rules:
        globs = [*(rule.bounds.files.forbidden if rule.bounds.files else ())]
        globs += [glob for entry in rule.approvals for glob in entry.paths]
        yield from (beginning(glob) for glob in globs)
    for asked, text in texts:
        yield from owners_beginnings(asked, text)


def _owners_text(repository: Repository, rule: OwnersRule, tree: str) -> OwnersText | None:
    """The file as a tree has it; None where it has none."""
    if tree == NO_OID:
        return None
    found = repository.tree(tree)
    for path in places(rule):
        entry = found.entry(path)
        if entry is None:
            continue
        if entry.mode not in (0o100644, 0o100755):
            return OwnersText(path, (), (Fault(0, "is not a regular file"),))
        if found.size(path) > SIZE:
            return OwnersText(path, (), (Fault(0, f"is larger than {SIZE} bytes"),))
        return parse_owners(rule, path, found.read(path))
    return None


def judge_owners_file(
    repository: Repository, span: Range, merged: Merged, rules: Sequence[OwnersRule], policy: Policy, known: Known
) -> tuple[Requirement, ...]:
    """A result whose code owners nobody could make out is refused, with every line; `policy` is the one in it."""
    found: list[Requirement] = []
    for rule in rules:
        lines = _result_faults(repository, rule, (repository.tree_of(span.tip), merged.tree), policy, known)
        found += [Requirement("owners", Status.UNSATISFIED, "\n".join(lines), rule.place)] if lines else []
    return tuple(found)


def _result_faults(
    repository: Repository, rule: OwnersRule, ends: tuple[str, str], policy: Policy, known: Known
) -> list[str]:
    tip, result = ends
    text = _owners_text(repository, rule, result)
    if text is None:
        before = _owners_text(repository, rule, tip)
        return [f"{before.path} would be gone; take owners out of the policy first."] if before else []
    return [f"{text.path}:{fault.line}: {fault.message}" for fault in owners_faults(text, policy, known)]
