"""Somebody else clones a mirror and judges all of it again, on a machine that has no server."""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.locks import hold
from gitops_hooks.entry.recovery import open_bench
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.event import Body, Landed, Landing
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import Actor
from tests.answers import Result
from tests.push.desk import MAIN, POLICY, Desk
from tests.waiting import so_far, wait_until
from tests.world import ROOT

LOG = "refs/gitops/log"


@dataclass(frozen=True, slots=True)
class Auditor:
    """Dave, with a mirror and the server's public key, and no home of a server."""

    desk: Desk

    @property
    def mirror(self) -> Path:
        return self.desk.world.person("dave") / "mirror.git"

    def fetch(self) -> None:
        run = self.desk.world.run
        home = self.desk.world.person("dave")
        if self.mirror.exists():
            run("dave", "git", "--git-dir", str(self.mirror), "fetch", "-q", "--prune", where=home).must()
            return
        run("dave", "git", "clone", "-q", "--mirror", "host:site", str(self.mirror), where=home).must()

    def verify(self, *words: str, path: Path | None = None) -> Result:
        key = self.desk.world.person("dave") / "server.pub"
        if not key.exists():
            key.write_bytes(self.desk.world.home.signing_key.with_suffix(".pub").read_bytes())
        command = ("env", f"PYTHONPATH={ROOT}", "GITOPS_HOOKS_HOME=/nonexistent", sys.executable, "-m")
        command = (*command, "gitops_hooks.entry.cli", "verify", str(path or self.mirror), "--server-key", str(key))
        return self.desk.world.run("dave", *command, *words, where=self.desk.world.person("dave"))

    def look(self, *words: str) -> dict:
        """The facts of a fresh look."""
        self.fetch()
        return json.loads(self.verify("--json", *words).out)


def _forge(desk: Desk, body: Body, actor: str = "alice") -> None:
    """Write an event as the server does, with the server's own key, but without asking anybody."""
    open_bench(desk.world.home, "site").ledger.log(LOG, body, Actor(actor, "SHA256:forged"))


def unapproved(desk: Desk, new: str, **said: object) -> Landing:
    """A landing of a commit on main that reads as if everything had been in order; `said` is what differs."""
    old = desk.tip(MAIN)
    plain: dict[str, object] = {
        "way": "change",
        "change": 1,
        "ref": MAIN,
        "old": old,
        "new": new,
        "tree": desk.ask("rev-parse", f"{new}^{{tree}}"),
        "base": old,
        "head": new,
        "policy": old,
        "floor": "",
        "authors": ("alice",),
        "approvals": (),
        "counted": ("bob",),
        "verdicts": (f"yaml:ok:{desk.ask('rev-parse', f'{new}^{{tree}}')}",),
        "judged": datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        "vouched": (),
        "signer": "",
        "signer_key": "",
        "meta": desk.tip(f"refs/changes/{said.get('change', 1)}/meta"),
        "bots": (),
        "kept": (),
        "owners": (),
    }
    return Landing(**{**plain, **said})  # type: ignore[arg-type]


def _forge_landing(desk: Desk, new: str, **said: object) -> None:
    """The same, and carried out."""
    # As every writer, or the reconciler finds a landing that nobody carries out and voids it.
    with hold(open_bench(desk.world.home, "site").state, MAIN, 30.0):
        _forge(desk, unapproved(desk, new, **said))
        intent = Oid(desk.tip(LOG))
        desk.world.server_git("update-ref", MAIN, new)
        _forge(desk, Landed(intent, Word(MAIN), Oid(new)), "server")


def test_every_landing_of_a_mirror_is_judged_again(desk: Desk):
    auditor = Auditor(desk)
    landed = desk.land({"a.yml": "a: 1\n"})
    auditor.fetch()
    done = auditor.verify()
    identity, adoption = desk.log()[0].fact("Repository"), desk.log()[0].commit
    day = desk.log()[0].fact("At")[:10]
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == f"""\
repository {identity}, 3 events, 1 landings judged
adopted {day} by event {adoption}
  main       {landed[:12]}  1 landings, 0 by the administrator

ok: every move was authorised
    1 of 1 landings rest on what the server wrote down: nobody signed for them.
    Without signed: true this trusts the server's record.
    the repository id was taken from the record; pin it: --id {identity}
    the adoption was taken from the record; pin it: --adoption {adoption}
    The next run judges only what is new:  --from {desk.tip(LOG)}
"""
    )
    pinned = auditor.verify("--id", identity, "--adoption", adoption, "--branch", "main")
    assert pinned.code == 0 and "pin it" not in pinned.out


def test_merges_and_policies_of_the_past_are_made_again(desk: Desk):
    auditor = Auditor(desk)
    beside = desk.commit("alice", {"beside.yml": "b: 1\n"})
    desk.push("alice", f"{beside}:refs/for/main/beside").must()
    number = desk.newest()
    desk.land({".gitops/policy.yaml": POLICY.replace("[bob, carol]", "[carol]")})
    desk.push("carol", f"{beside}:refs/approve/{number}").must()
    assert desk.ask("rev-list", "--parents", "-1", desk.tip(MAIN)).count(" ") == 2
    facts = auditor.look()
    assert (facts["authorised"], facts["judged"]) == (True, 2)


def test_the_second_run_judges_only_what_came_since(desk: Desk):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    seen = auditor.look()["log"]
    assert auditor.look("--from", seen)["judged"] == 0
    desk.land({"b.yml": "b: 1\n"})
    facts = auditor.look("--from", seen)
    assert (facts["authorised"], facts["judged"], facts["refs"][0]["landings"]) == (True, 1, 2)


def test_the_administrators_acts_are_told(desk: Desk):
    auditor = Auditor(desk)
    forged = desk.commit("alice", {"forged.yml": "a: 1\n"})
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, forged)
    desk.world.admin("recovery", "adopt", "site", MAIN, "--reason", "a migration").must()
    auditor.fetch()
    done = auditor.verify()
    assert done.code == 0
    assert f"  admin      adopt of {MAIN} " in done.out and "a migration" in done.out


def test_a_ref_moved_past_the_hooks_is_found_is_alarmed_of_and_is_not_deployed(desk: Desk):
    auditor = Auditor(desk)
    environment = "environments:\n  - {name: live, branch: main, playbook: site.yml, inventory: hosts}\n"
    desk.land({".gitops/policy.yaml": POLICY + environment})
    before = desk.tip(MAIN)
    forged = desk.commit("alice", {"forged.yml": "a: 1\n"})
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, forged)
    words = f"{MAIN} stands at {forged[:12]}, the record says {before[:12]}"
    journal, log = desk.world.home.journal, desk.world.home.run / "reconcile.log"
    # A look comes every 60 s (`reconcile_seconds`); the rest is for the look itself.
    wait_until(lambda: words in so_far(journal), 90, words=lambda: so_far(log))
    wait_until(lambda: f"site: ALARM: {words}" in so_far(log), words=lambda: so_far(log))
    alarms = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {one["kind"] for one in alarms if words in json.dumps(one)} == {"alarm"}
    assert "Suspended" in desk.world.ssh("bob", "env show live").out
    assert desk.refs().get("refs/environments/live/desired") in (None, before)
    commits = {event.fact("Commit") for event in desk.world.events("refs/environments/live/log")}
    assert forged not in commits

    auditor.fetch()
    done = auditor.verify()
    assert done.code == 1
    assert done.out.split("\n\n")[1] == (
        f"NOT AUTHORISED: {MAIN} {before[:12]}..{forged[:12]}\n"
        f"  record     {words}: no landing moved\n             it there\n"
    )
    assert auditor.look()["first"] == {
        "ref": MAIN,
        "rule": "record",
        "reason": f"{words}: no landing moved it there",
        "old": before,
        "new": forged,
        "event": "",
    }


def test_a_governed_branch_that_was_made_past_the_hooks_is_found(desk: Desk):
    auditor = Auditor(desk)
    more = POLICY.replace("  - match: main\n", "  - match: rel*\n    land: ['@ops']\n  - match: main\n")
    desk.land({".gitops/policy.yaml": more})
    desk.world.server_git("update-ref", "refs/heads/rel1", desk.tip(MAIN))
    first = auditor.look()["first"]
    assert (first["ref"], first["rule"], first["old"]) == ("refs/heads/rel1", "record", "0" * 40)
    assert auditor.look("--branch", "main")["authorised"] is True


def test_a_log_that_was_cut_is_found_with_an_event_that_was_seen(desk: Desk):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    before, log = desk.tip(MAIN), desk.tip(LOG)
    desk.land({"b.yml": "b: 1\n"})
    seen = auditor.look()["log"]
    desk.world.server_git("update-ref", LOG, log)
    desk.world.server_git("update-ref", MAIN, before)
    assert auditor.look()["authorised"] is True, "history that was wholly rolled back looks whole"
    first = auditor.look("--from", seen)["first"]
    words = f"the log no longer holds event {seen[:12]}, which was verified before: it was cut or rewritten"
    assert (first["rule"], first["reason"]) == ("record", words)


@pytest.mark.parametrize(
    ("message", "reason"),
    [("", "was not signed by this server"), ("Nothing\n", "is not an event of this server: ")],
    ids=["unsigned", "unreadable"],
)
def test_an_event_that_the_server_did_not_write_is_found(desk: Desk, message: str, reason: str):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    newest = desk.ask("show", "-s", "--format=%B", desk.tip(LOG)).rstrip("\n").replace("Number: 3", "Number: 4")
    forged = desk.commit_tree("alice", desk.ask("mktree"), [desk.tip(LOG)], message or f"{newest}\n")
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", LOG, forged)
    first = auditor.look()["first"]
    assert (first["rule"], first["ref"]) == ("record", "")
    assert first["reason"].startswith(f"event {forged[:12]}: {reason}")
    assert first["reason"].endswith("the log cannot be believed")


@pytest.mark.parametrize(
    ("said", "rule", "words"),
    [
        ({}, "approvals", "0 of 1 approval by @senior."),
        ({"approvals": ("OWN",)}, "approvals", "0 of 1 approval by @senior."),
        ({"approvals": ("GOOD",), "authors": ("alice", "bob")}, "approvals", "The authors (alice, bob) do not count."),
        ({"approvals": ("GOOD",), "verdicts": ()}, "checks", "no verdict on the landed tree by yaml"),
        ({"approvals": ("GOOD",), "tree": "9" * 40}, "merge", "is not what landing"),
        ({"approvals": ("GOOD",), "base": "9" * 40}, "merge", "is not what landing"),
        ({"approvals": ("GOOD",), "policy": "9" * 40}, "policy", "was not the policy in force"),
        ({"approvals": ("GOOD",), "way": "push"}, "push", "Nobody may push to main."),
        ({"way": "push", "verdicts": ()}, "checks", "no verdict on the landed tree by yaml"),
        ({"approvals": ("GOOD",), "old": "OTHER"}, "record", "it moves on from"),
    ],
    ids=["none", "own", "author", "verdict", "tree", "base", "policy", "push", "unchecked push", "chain"],
)
def test_a_landing_that_the_server_should_not_have_made_is_named(desk: Desk, said, rule, words):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    head = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/forged")
    number = desk.newest()
    own = Approved(number, Word(MAIN), Oid(desk.tip(MAIN)), Oid(head), (Oid(head),), Oid(desk.tip(MAIN)), Text(""))
    bench = open_bench(desk.world.home, "site")
    known = {"OTHER": head}
    for name, actor in (("OWN", "alice"), ("GOOD", "bob")):
        known[name] = bench.ledger.log(f"refs/changes/{number}/meta", own, Actor(actor, "SHA256:forged")).oid
    filled = {
        key: tuple(known.get(item, item) for item in value) if isinstance(value, tuple) else known.get(value, value)
        for key, value in said.items()
    }
    _forge_landing(desk, head, change=number, **filled)
    after = desk.commit("alice", {"c.yml": "c: 1\n"}, onto=MAIN)
    desk.push("alice", f"{after}:refs/heads/free").must()
    _forge_landing(desk, after)
    first = auditor.look()["first"]
    assert (first["ref"], first["rule"], first["new"], first["number"]) == (MAIN, rule, head, 4)
    assert words in first["reason"]


def test_a_merge_that_holds_more_than_both_sides_is_named(desk: Desk):
    auditor = Auditor(desk)
    base = desk.tip(MAIN)
    beside = desk.propose("alice", {"beside.yml": "b: 1\n"}, "main/beside")
    number = desk.newest()
    old = desk.land({"a.yml": "a: 1\n"})
    bound = (Word(MAIN), Oid(base), Oid(beside), (Oid(beside),), Oid(base), Text(""))
    bench = open_bench(desk.world.home, "site")
    event = bench.ledger.log(f"refs/changes/{number}/meta", Approved(number, *bound), Actor("bob", "SHA256:forged"))
    tree = desk.tree({"beside.yml": "b: 1\n", "evil.yml": "e: 1\n"}, onto=old)
    evil = desk.commit_tree("bob", tree, [old, beside])
    desk.push("bob", f"{evil}:refs/heads/free").must()
    said = {"change": number, "base": base, "head": beside, "approvals": (event.oid,)}
    _forge_landing(desk, evil, **said)
    first = auditor.look()["first"]
    assert (first["rule"], first["new"]) == ("merge", evil)


def test_objects_that_were_replaced_deceive_nobody(desk: Desk):
    auditor = Auditor(desk)
    landed = desk.land({"a.yml": "a: 1\n"})
    evil = desk.commit("alice", {"evil.yml": "e: 1\n"})
    desk.push("alice", f"{evil}:refs/heads/free").must()
    desk.world.server_git("update-ref", f"refs/replace/{landed}", evil)
    facts = auditor.look()
    assert [fault["ref"] for fault in facts["faults"]] == [f"refs/replace/{landed}"]


def test_what_was_pinned_is_held_against_the_record(desk: Desk):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    auditor.fetch()
    adoption = desk.log()[0].commit
    other = auditor.verify("--adoption", desk.tip(LOG))
    words = f"the log begins with event {adoption[:12]}, not with the pinned adoption {desk.tip(LOG)[:12]}"
    assert other.code == 1 and words in " ".join(other.out.split())
    stranger = auditor.verify("--id", "f" * 32)
    assert stranger.code == 1 and "belongs to another repository" in " ".join(stranger.out.split())
    key = desk.world.person("alice") / "other"
    make_key(key, "another server")
    forged = auditor.verify("--server-key", str(key.with_suffix(".pub")))
    assert forged.code == 1 and "was not signed by this server" in " ".join(forged.out.split())


def test_what_is_no_whole_mirror_is_not_judged(desk: Desk):
    auditor = Auditor(desk)
    desk.land({"a.yml": "a: 1\n"})
    auditor.fetch()
    clone = desk.world.clone("dave")
    plain = auditor.verify(path=clone)
    line = f"gitops: {clone}: has no refs/gitops/log, so there is nothing to verify by; make one with: "
    assert (plain.code, plain.err) == (2, f"{line}git clone --mirror URL\n")
    nothing = auditor.verify(path=desk.world.person("dave"))
    assert nothing.code == 2 and "is no Git repository" in nothing.err
    (auditor.mirror / "shallow").write_text(f"{desk.tip(MAIN)}\n")
    cut = auditor.verify()
    assert cut.code == 2 and "is shallow: its history is cut off" in cut.err
    (auditor.mirror / "shallow").unlink()
    unknown = auditor.verify("--branch", "nowhere")
    assert unknown.code == 2 and "refs/heads/nowhere: is not in this mirror, and no event tells of it" in unknown.err
