"""Whatever way changes land, a mirror bears every landing out; and a payment that nobody made is found."""

import time

from gitops_hooks.entry.recovery import open_bench
from gitops_hooks.model.event import Settled
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import Actor
from tests.push.desk import MAIN, Desk
from tests.push.test_break_glass import BREAK, GLASS
from tests.push.test_verify import LOG, Auditor

SOON = GLASS.replace("settle: 24h", "settle: 2s")


def _method(policy: str, word: str) -> str:
    return policy.replace("    checks:", f"    land_method: {word}\n    checks:")


def _behind(desk: Desk, name: str) -> str:
    """A change of two commits whose branch moves on before it lands."""
    first = desk.commit("alice", {f"{name}1.yml": "a: 1\n"}, onto=desk.tip(MAIN))
    second = desk.commit("alice", {f"{name}2.yml": "a: 1\n"}, onto=first)
    desk.push("alice", f"{second}:refs/for/main/{name}").must()
    return second


def test_squashed_rebased_merged_overridden_and_rehearsed_landings_are_borne_out(desk: Desk) -> None:
    trial = "  - {match: main, mode: evaluate, land: [dave], propose: ['*']}\n"
    desk.land({".gitops/policy.yaml": SOON})
    for word in ("squash", "rebase", "merge"):
        desk.land({".gitops/policy.yaml": _method(SOON, word) + trial})
        head, number = _behind(desk, word), desk.newest()
        desk.land({f"meanwhile-{word}.yml": "a: 1\n"})
        desk.push("bob", f"{head}:refs/approve/{number}").must()
    moved, number = _behind(desk, "moved"), desk.newest()
    desk.land({"meanwhile-moved.yml": "a: 1\n"})
    desk.push("carol", f"{moved}:refs/rebase/{number}").must()
    desk.push("carol", f"{desk.tip(f'refs/changes/{number}/head')}:refs/approve/{number}").must()
    broken = desk.propose("alice", {"broken.yml": "a: 1\n"}, "main/broken")
    desk.push("alice", *BREAK, f"{broken}:refs/land/{desk.newest()}").must()
    time.sleep(3)
    desk.push("bob", f"{broken}:refs/approve/{desk.newest()}").must()
    desk.land({"after.yml": "a: 1\n"})
    assert [event.fact("Event") for event in desk.log()].count("evaluated") > 5
    facts = Auditor(desk).look()
    assert facts["authorised"], facts["first"]


def test_a_payment_that_nobody_made_does_not_open_a_closed_branch(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": SOON})
    broken = desk.propose("alice", {"broken.yml": "a: 1\n"}, "main/broken")
    number = desk.newest()
    desk.push("alice", *BREAK, f"{broken}:refs/land/{number}").must()
    landing = next(event for event in desk.log()[::-1] if event.fact("Event") == "landing")
    paid = Settled(
        *(Oid(landing.commit), Word(MAIN), number, (), (Word("bob"),), Oid(landing.fact("Policy")), Text("")),
        *((), (), Text("")),
    )
    open_bench(desk.world.home, "site").ledger.log(LOG, paid, Actor("bob", "SHA256:forged"))
    time.sleep(3)
    after = desk.land({"after.yml": "a: 1\n"})
    first = Auditor(desk).look()["first"]
    assert (first["ref"], first["rule"], first["new"]) == (MAIN, "owed", after)
