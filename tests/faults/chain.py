"""A history ref as git shows it: every event's facts, its place in the chain, and the server's signature on it."""

from dataclasses import dataclass

from tests.world import World

_FORMAT = "%H%x00%T%x00%P%x00%B%x1e"
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event: its commit, its kind and its lines."""

    oid: str
    kind: str
    lines: tuple[tuple[str, str], ...]

    def get(self, key: str) -> str:
        return dict(self.lines).get(key, "")

    def __getitem__(self, key: str) -> str:
        return dict(self.lines)[key]


@dataclass(frozen=True, slots=True)
class Chain:
    """The events of one ref, oldest first, and what is wrong with them."""

    tip: str
    facts: tuple[Fact, ...]
    faults: tuple[str, ...]


def read_chain(world: World, ref: str, tip: str, known: Chain | None) -> Chain:
    """The whole chain; what was read before is taken over, where the ref only grew."""
    new = f"{known.tip}..{tip}" if known else tip
    text = world.server_git("log", "--reverse", f"--format={_FORMAT}", new)
    facts, faults = list(known.facts if known else ()), list(known.faults if known else ())
    records = [record.lstrip("\n").split("\0") for record in text.split("\x1e") if record.strip()]
    for oid, tree, parents, body in records:
        fact = _parse(oid, body)
        faults += [f"I10: {ref} {oid[:12]}: {fault}" for fault in _wrong(fact, facts, tree, parents)]
        facts.append(fact)
    faults += _unsigned(world, ref, [record[0] for record in records])
    if known and facts[: len(known.facts)] != list(known.facts):
        faults.append(f"I10: {ref} was rewritten")
    return Chain(tip, tuple(facts), tuple(faults))


def _parse(oid: str, body: str) -> Fact:
    lines = tuple(tuple(line.split(": ", 1)) for line in body.rstrip("\n").split("\n")[2:])
    return Fact(oid, dict(lines).get("Event", ""), lines)


def _wrong(fact: Fact, before: list[Fact], tree: str, parents: str) -> list[str]:
    keys = [key for key, _ in fact.lines]
    found = []
    if len(keys) != len(set(keys)):
        found.append("says a fact twice")
    if tree != _EMPTY_TREE:
        found.append("holds files")
    if parents != (before[-1].oid if before else ""):
        found.append("does not follow the event before it")
    if fact["Number"] != str(len(before) + 1):
        found.append(f"is number {fact['Number']} in place {len(before) + 1}")
    if before and fact["Repository"] != before[0]["Repository"]:
        found.append("belongs to another repository")
    return found


def _unsigned(world: World, ref: str, oids: list[str]) -> list[str]:
    if not oids:
        return []
    signers = world.folder / "signers"
    if not signers.exists():
        public = world.seen(world.home.signing_key.with_suffix(".pub")).read_text()
        signers.write_text(f'* namespaces="git" {public}')
    trust = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}")
    text = world.server_git(*trust, "log", "--no-walk=unsorted", "--format=%H %G?", *oids)
    return [f"I10: {ref} {line}: not signed by the server" for line in text.splitlines() if not line.endswith(" G")]
