"""What must hold after every fault, read from the refs with git alone and none of the server's own code.

`Watch.faults` answers a line for each broken invariant (docs: I1 … I10); `settled` also asks for what a reconciler or
the next push has to have finished.
"""

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.chain import Chain, Fact, read_chain
from tests.world import World

LOG = "refs/gitops/log"
MAIN = "refs/heads/main"
SENIORS = ("bob", "carol", "dave")
NONE = "0" * 40


@dataclass(slots=True)
class Watch:
    """The invariants of one world; what was read once of an immutable commit is not read again."""

    world: World
    chains: dict[str, Chain] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)

    def faults(self, *, settled: bool) -> list[str]:
        refs = self.world.refs()
        logs = {ref: self._chain(ref, tip) for ref, tip in refs.items() if _is_log(ref)}
        found = [fault for chain in logs.values() for fault in chain.faults]
        found += self._tips(refs, logs[LOG], settled)
        found += self._landings(logs)
        for number in sorted({int(ref.split("/")[2]) for ref in refs if ref.startswith("refs/changes/")}):
            found += _change(number, refs, logs, settled)
        for name in sorted({ref.split("/")[2] for ref in refs if ref.startswith("refs/environments/")}):
            found += _environment(name, refs, logs.get(f"refs/environments/{name}/log"), settled)
        return found

    def _chain(self, ref: str, tip: str) -> Chain:
        known = self.chains.get(ref)
        if known is None or known.tip != tip:
            self.chains[ref] = known = read_chain(self.world, ref, tip, known)
        return known

    def _tips(self, refs: dict[str, str], log: Chain, settled: bool) -> Iterator[str]:
        """I1, I10: the ref stands where the unbroken record puts it, or where one open intent was putting it."""
        recorded, opened, faults = replay(log.facts)
        yield from faults
        real = refs.get(MAIN, NONE)
        intent = opened.get(MAIN)
        meant = (intent["Old"], intent["New"]) if intent and not settled else (recorded.get(MAIN, NONE),)
        if real not in meant:
            yield f"I1: {MAIN} is at {real[:12]}, the record says {' or '.join(oid[:12] for oid in meant)}"
        if settled and opened:
            yield f"I10: intents left open on {sorted(opened)}"

    def _landings(self, logs: dict[str, Chain]) -> Iterator[str]:
        done = {fact["Landing"] for fact in logs[LOG].facts if fact.kind == "landed"}
        seen: dict[str, str] = {}
        for fact in logs[LOG].facts:
            if fact.kind != "landing" or fact.oid not in done:
                continue
            number = fact["Change"]
            if number in seen:
                yield f"I10: change {number} landed twice, {seen[number][:12]} and {fact.oid[:12]}"
            seen[number] = fact.oid
            if fact.oid not in self.judged:
                self.judged.add(fact.oid)
                yield from self._landing(fact, logs.get(f"refs/changes/{number}/meta"))

    def _landing(self, fact: Fact, meta: Chain | None) -> Iterator[str]:
        """I1: a descendant of the old tip, approved at exactly this head by somebody who counts."""
        where = f"landing {fact.oid[:12]}"
        if fact["Way"] != "change" or meta is None:
            yield f"I1: {where} is no landing of a change"
            return
        if not self._git_says("merge-base", "--is-ancestor", fact["Old"], fact["New"]):
            yield f"I1: {where} does not move forward"
        parents = self._git("rev-list", "--parents", "-n1", fact["New"]).split()[1:]
        if fact["New"] != fact["Head"] and parents != [fact["Old"], fact["Head"]]:
            yield f"I1: {where} is no merge of exactly tip and head"
        written = set(self._git("log", "--format=%ae%n%ce", f"{fact['Old']}..{fact['Head']}").split())
        hands = {address.partition("@")[0] for address in written}
        given = {event.oid: event for event in meta.facts if event.kind == "approved" and event["Head"] == fact["Head"]}
        counted = [given[oid]["Actor"] for oid in fact["Approvals"].split() if oid in given]
        if not [name for name in counted if name in SENIORS and name not in hands]:
            yield f"I1: {where} has no approval that counts"
        if fact["Key"] not in self._fingerprints(fact["Actor"]):
            yield f"I10: {where} names {fact['Actor']} with a key of somebody else"

    def _fingerprints(self, name: str) -> str:
        public = self.world.key(name).with_suffix(".pub")
        return subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, check=True, text=True).stdout

    def _git(self, *words: str) -> str:
        return self.world.server_git(*words)

    def _git_says(self, *words: str) -> bool:
        command = self.world.on_server(["git", "--git-dir", str(self.world.repository), *words])
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


# What is said of a landing or a push, and moves no ref.
STILL = ("settled", "evaluated")


def replay(facts: tuple[Fact, ...]) -> tuple[dict[str, str], dict[str, Fact], list[str]]:
    """Where the record puts each ref, the intents that nothing closed, and what is wrong with the record."""
    recorded: dict[str, str] = {}
    opened: dict[str, Fact] = {}
    faults = []
    for fact in (fact for fact in facts if fact.kind not in STILL):
        ref = fact.get("Ref")
        match fact.kind:
            case "adopted":
                words = fact["Refs"].split()
                recorded.update(zip(words[1::2], words[::2], strict=True))
            case "landing":
                if ref in opened:
                    faults.append(f"I10: {fact.oid[:12]} is an intent while {opened[ref].oid[:12]} is open")
                if fact["Old"] != recorded.get(ref, NONE):
                    faults.append(f"I1: {fact.oid[:12]} moves {ref} from where it was not")
                opened[ref] = fact
            case "landed" | "voided":
                intent = opened.pop(ref, None)
                if intent is None or intent.oid != fact["Landing"]:
                    faults.append(f"I10: {fact.oid[:12]} closes an intent that is not open")
                elif fact.kind == "landed":
                    recorded[ref] = intent["New"]
            case "administered":
                recorded[ref] = fact["New"]
                opened.pop(ref, None)
            case _:
                faults.append(f"I10: {fact.oid[:12]} does not belong to the log")
    return recorded, opened, faults


def _change(number: int, refs: dict[str, str], logs: dict[str, Chain], settled: bool) -> Iterator[str]:
    """I10: every verb once in the change's own history, and its refs as that history says."""
    place = f"refs/changes/{number}"
    meta = logs.get(f"{place}/meta")
    if meta is None:
        if settled:
            yield f"I10: {place} has refs and no history"
        return
    kinds = [fact.kind for fact in meta.facts]
    # Only what was closed goes on, and only by being opened again.
    goes_on = [kind for kind, after in itertools.pairwise(kinds) if (kind, after) != ("closed", "reopened")]
    purged = "purged" in kinds
    for end in ("change-landed", "closed", "purged"):
        if end in goes_on:
            yield f"I10: {place} goes on after it {end}"
    proposed = [fact for fact in meta.facts if fact.kind in ("proposed", "rebased")]
    if settled and purged and (left := [ref for ref in refs if ref.startswith(f"{place}/") and ref != f"{place}/meta"]):
        yield f"I10: {place} is purged and still has {', '.join(left)}"
    for fact in () if purged else proposed:
        if refs.get(f"{place}/{fact['Revision']}") != fact["Head"]:
            yield f"I10: {place}/{fact['Revision']} is not its revision"
    closed = {fact["Landing"] for fact in logs[LOG].facts if fact.kind == "landed"}
    landings = [fact.oid for fact in logs[LOG].facts if fact.get("Change") == str(number) and fact.oid in closed]
    told = [fact["Record"] for fact in meta.facts if fact.kind == "change-landed"]
    if settled and told != landings:
        yield f"I10: {place} says that it landed by {told}, the log says {landings}"
    if settled and not purged and refs.get(f"{place}/head") != proposed[-1]["Head"]:
        yield f"I5: {place}/head is not its newest revision"


def _environment(name: str, refs: dict[str, str], log: Chain | None, settled: bool) -> Iterator[str]:
    """I3, I4: one run at a time, each with an end, and `deployed` at the newest success."""
    if log is None:
        return
    running: Fact | None = None
    live = ""
    for fact in log.facts:
        if fact.kind == "started":
            if running:
                yield f"I4: {name}: {fact.oid[:12]} starts while {running.oid[:12]} runs"
            running = fact
        if fact.kind == "finished":
            if running is None or running["Number"] != fact["Generation"]:
                yield f"I4: {name}: {fact.oid[:12]} ends what does not run"
            running = None
            live = fact["Commit"] if fact["State"] == "successful" else live
    if settled and running:
        yield f"I5: {name}: {running.oid[:12]} still runs"
    if settled and refs.get(f"refs/environments/{name}/deployed", "") != live:
        yield f"I3: {name}: deployed is not the newest success"


def _is_log(ref: str) -> bool:
    return ref == LOG or (ref.startswith("refs/changes/") and ref.endswith("/meta")) or ref.endswith("/log")
