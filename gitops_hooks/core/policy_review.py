"""The policy's keys about reviewing: `owners`, `veto`, `keep`, `strict`, and `reach` and `bots` of an approval."""

import re
from collections.abc import Mapping

from gitops_hooks.core.policy_nodes import read_fields, read_items, read_text
from gitops_hooks.core.policy_reading import Reading, read_names, read_path
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.policy import Dialect, Keep, Names, OwnersRule, ReachLimit, Review, Strict

REVIEW = ("owners", "veto", "keep", "strict")

_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_HOSTS = re.compile(r"(>=?) ?(0|[1-9][0-9]{0,5})")
_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# Nobody switches these off, so nobody switches them on.
_ALWAYS = ("author", "co-author", "committer", "uploader", "pusher", "last-pusher", "proposer")


def read_review(fields: Mapping[str, Marked], reading: Reading) -> Review:
    """What a rule of branches says of reviewing."""
    keep = _read_keep(fields["keep"], reading) if "keep" in fields else Keep.NOTHING
    return Review(
        _read_owners(fields["owners"], reading) if "owners" in fields else None,
        _read_veto(fields["veto"], reading) if "veto" in fields else Names(),
        keep,
        frozenset(_read_strict(fields.get("strict"), reading)),
    )


def _read_owners(node: Marked, reading: Reading) -> OwnersRule | None:
    fields = read_fields(node, "owners", ("dialect", "file"), reading.faults)
    words = ", ".join(dialect.value for dialect in Dialect)
    if "dialect" not in fields:
        if node.tag == "map":
            reading.complain(node, f"owners: dialect is missing; it is one of {words}")
        return None
    word = read_text(fields["dialect"], "dialect", reading.faults, _WORD, "a word")
    dialect = next((dialect for dialect in Dialect if dialect.value == word), None)
    if dialect is None:
        if word:
            reading.complain(fields["dialect"], f"dialect: '{shown(word)}' is not one of {words}")
        return None
    return OwnersRule(dialect, read_path(fields.get("file"), "file", reading), reading.place(node))


def _read_veto(node: Marked, reading: Reading) -> Names:
    names = read_names(node, "veto", reading)
    if node.tag == "seq" and not names.items:
        reading.complain(node, "veto: [] is nobody; leave it out")
    empty = [item for item in names.items if item[:1] == "@" and reading.groups.get(item[1:]) == ()]
    for item in empty:
        reading.complain(node, f"veto: the group {item} is empty")
    return names


def _read_keep(node: Marked, reading: Reading) -> Keep:
    word = read_text(node, "keep", reading.faults, _WORD, "a word")
    found = next((keep for keep in Keep if keep.value == word), None)
    if word and (found is None or found is Keep.NOTHING):
        words = ", ".join(keep.value for keep in Keep if keep is not Keep.NOTHING)
        reading.complain(node, f"keep: '{shown(word)}' is not one of {words}; without the key nothing is kept")
    return found or Keep.NOTHING


def _read_strict(node: Marked | None, reading: Reading) -> list[Strict]:
    words = ", ".join(strict.value for strict in Strict)
    found = []
    for item in read_items(node, "strict", reading.faults):
        word = read_text(item, "strict", reading.faults, _WORD, "a word")
        strict = next((strict for strict in Strict if strict.value == word), None)
        if strict:
            found.append(strict)
        elif word in _ALWAYS:
            reading.complain(item, f"strict: {word} never counts, whatever the policy says; leave it out")
        elif word:
            reading.complain(item, f"strict: '{shown(word)}' is not one of {words}; nothing makes it looser")
    return found


def read_reach(node: Marked | None, reading: Reading) -> ReachLimit | None:
    """From which reach on an approval is needed."""
    if node is None:
        return None
    fields = read_fields(node, "reach", ("hosts", "groups"), reading.faults)
    if not fields and node.tag == "map" and not node.pairs:
        reading.complain(node, "reach must hold hosts, groups or both")
    items = read_items(fields.get("groups"), "groups", reading.faults)
    if "groups" in fields and fields["groups"].tag == "seq" and not items:
        reading.complain(fields["groups"], "groups: [] would bind nothing")
    words = "the name of a group of an inventory"
    groups = tuple(read_text(item, "groups", reading.faults, _GROUP, words) for item in items)
    return ReachLimit(_read_more_than(fields.get("hosts"), reading), groups)


def _read_more_than(node: Marked | None, reading: Reading) -> int | None:
    if node is None:
        return None
    text = read_text(node, "hosts", reading.faults, _HOSTS, "'>' or '>=' and a number, as in '>5'")
    found = _HOSTS.fullmatch(text)
    if not found:
        return None
    more_than = int(found[2]) - (found[1] == ">=")
    if more_than < 0:
        reading.complain(node, "hosts: '>=0' binds every change; leave reach out")
    return more_than


def read_bots(node: Marked | None, reading: Reading) -> Names:
    """Which bots an approval counts: none, those among `from` (`*`), or the ones named."""
    if node is None:
        return Names()
    if node.tag == "bool":
        return Names(("*",)) if node.text.lower() in ("true", "yes", "on") else Names()
    if node.tag != "seq":
        reading.complain(node, "bots must be true or a list of names")
        return Names()
    return read_names(node, "bots", reading)
