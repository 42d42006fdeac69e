"""Break-glass: who may land without what, that it is recorded before anything moves, and that it is owed."""

import json
import re
import time
from dataclasses import replace

from gitops_hooks.core.govern import govern
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.landing import land
from gitops_hooks.entry.matter import Matter, gather
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.entry.tend import mend
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.debt import Override
from gitops_hooks.model.event import Settled
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import Actor
from gitops_hooks.model.verdict import CheckOutcome, Verdict
from tests.push.desk import MAIN, POLICY, Desk, refusal

GLASS = POLICY.replace("    checks:", "    break_glass: {by: [alice], settle: 24h}\n    checks:")
BREAK = ("-o", "break-glass", "-o", "reason=the site is down")
LINE = "    break_glass: {by: [alice], settle: 24h}\n"
PLACE = "policy.yaml:12"


def _ready(desk: Desk, policy: str = GLASS) -> None:
    desk.land({".gitops/policy.yaml": policy})


def test_a_named_person_lands_without_approval_and_it_is_recorded_first_and_owed(desk: Desk) -> None:
    _ready(desk)
    before = desk.tip(MAIN)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    done = desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    lines = done.remote_lines
    assert lines[:2] == [
        "gitops: change 2 landed by alice, by break-glass",
        f"  main       {before[:7]}..{commit[:7]} (fast-forward)",
    ]
    assert lines[2:4] == [
        "  OVERRIDDEN approvals: 0 of 1 approval by @senior. The author (alice) does not count.",
        "             (policy.yaml:11)",
    ]
    owed = r"  owed       an approval by somebody else who counts, by \d{4}-\d\d-\d\d \d\d:\d\d UTC, or main closes:"
    assert re.fullmatch(owed, lines[4])
    assert lines[5] == f"             git push origin {commit}:refs/approve/2"
    landing, landed = desk.log()[-2:]
    assert [landing.fact(key) for key in ("Event", "Actor", "Reason", "Settle", "Approvals", "Counted")] == [
        *("landing", "alice", '"the site is down"', "86400", "none", "none"),
    ]
    assert landing.fact("Key").startswith("SHA256:")
    assert json.loads(landing.fact("Overridden")) == (
        "approvals: 0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)"
    )
    assert landed.fact("Event") == "landed"
    assert desk.tip(MAIN) == commit


def test_what_is_owed_is_paid_by_an_approval_of_exactly_that_landing(desk: Desk) -> None:
    _ready(desk)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    shown = desk.world.ssh("dave", "change show 2").must().out
    assert "  owed       an approval by somebody else who counts, by " in shown
    assert "  landed     by break-glass of alice at " in shown and ": the site is down\n" in shown
    assert "  OVERRIDDEN approvals: 0 of 1 approval by @senior. The author (alice) does not count.\n" in shown
    for who, words in (
        ("alice", "alice pushed, wrote or committed a part of it, and so does not count."),
        ("dave", "No rule counts dave; needed: 1 approval by @senior."),
    ):
        assert desk.push(who, f"{commit}:refs/approve/2").remote == refusal("refs/approve/2", "approve", words)
    said = desk.push("bob", "-o", "reason=looked at it", f"{commit}:refs/approve/2").must()
    assert said.remote == "gitops: change 2, landed by break-glass, approved by bob; settled"
    settled = desk.log()[-1]
    assert [settled.fact(key) for key in ("Event", "Actor", "Change", "Counted", "Message")] == [
        *("settled", "bob", "2", "bob", '"looked at it"'),
    ]
    assert settled.fact("Landing") == desk.log()[-3].commit
    assert (
        "  settled    approved after it had landed by break-glass on main"
        in desk.world.ssh("dave", "change show 2").out
    )
    assert desk.push("bob", f"{commit}:refs/approve/2").remote == refusal(
        "refs/approve/2", "change", "Change 2 is landed."
    )


def test_whoever_broke_the_glass_does_not_pay_though_they_wrote_nothing(desk: Desk) -> None:
    _ready(desk, GLASS.replace("by: [alice]", "by: [bob]"))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", *BREAK, f"{commit}:refs/land/2").must()
    assert desk.push("bob", f"{commit}:refs/approve/2").remote == refusal(
        "refs/approve/2", "approve", "bob pushed, wrote or committed a part of it, and so does not count."
    )
    assert desk.push("carol", f"{commit}:refs/approve/2").must().remote_lines[-1].endswith("; settled")


def test_a_branch_closes_when_it_is_not_paid_in_time_and_opens_when_it_is(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 2s"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{first}:refs/land/2").must()
    time.sleep(3)
    second = desk.propose("alice", {"b.yml": "b: 1\n"})
    said = desk.push("bob", f"{second}:refs/approve/3").must()
    assert said.remote_lines[0] == "gitops: change 3 revision 1 approved by bob"
    assert said.remote_lines[1].startswith(
        "  not landed Change 2 landed by break-glass, and nobody else approved it by "
    )
    for words in ((f"{second}:refs/land/3",), (*BREAK, f"{second}:refs/land/3"), (f"{second}:{MAIN}",)):
        closed = desk.push("alice", *words)
        assert closed.code == 1 and closed.remote_lines[2] == "  owed"
        assert closed.remote_lines[-1] == f"    git push origin {first}:refs/approve/2"
    assert desk.tip(MAIN) == first
    assert "main is closed" in desk.world.ssh("dave", "change show 2").out
    doctor = desk.world.admin("doctor")
    assert "note  debts of site: change 2 landed on main by break-glass and is owed an approval since " in doctor.out
    desk.push("carol", f"{first}:refs/approve/2").must()
    desk.push("alice", f"{second}:refs/land/3").must()
    assert desk.tip(MAIN) == second


def test_the_administrator_opens_a_branch_for_which_nobody_is_left(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 1s"))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    time.sleep(2)
    done = desk.world.admin("recovery", "settle", "site", "2", "--reason", "bob and carol have left").must()
    assert done.out == "change 2 is settled on refs/heads/main\n"
    assert [desk.log()[-1].fact(key) for key in ("Event", "Actor", "Message")] == [
        *("settled", "server", '"bob and carol have left"'),
    ]
    desk.land({"b.yml": "b: 1\n"})
    again = desk.world.admin("recovery", "settle", "site", "2", "--reason", "twice").must()
    assert again.out == "change 2 owes nothing; nothing to do\n"


def test_break_glass_is_for_those_whom_every_rule_names(desk: Desk) -> None:
    _ready(desk)
    commit = desk.propose("dave", {"a.yml": "a: 1\n"})
    carol = desk.push("carol", *BREAK, f"{commit}:refs/land/2")
    assert carol.remote_lines[2:4] == [
        "  break-glass",
        "    Only alice may break the glass on main; carol is not among them. (policy.yaml:12)",
    ]
    _none(desk)


def _none(desk: Desk) -> None:
    """Another rule for the same branch without break_glass lets nobody do it."""
    rule = "  - {match: '*', propose: ['*'], land: ['*']}\n"
    desk.land({".gitops/policy.yaml": GLASS + rule})
    commit = desk.propose("dave", {"c.yml": "c: 1\n"}, "main/c")
    alice = desk.push("alice", *BREAK, f"{commit}:refs/land/{desk.newest()}")
    assert alice.remote_lines[3] == ("    No break-glass on main: this rule lets nobody do it. (policy.yaml:14)")


def test_break_glass_never_covers_the_policy_nor_authors_whom_nobody_knows(desk: Desk) -> None:
    _ready(desk)
    own = desk.propose("alice", {".gitops/policy.yaml": GLASS.replace("@senior", "alice")}, "main/own")
    result = desk.push("alice", *BREAK, f"{own}:refs/land/2")
    assert result.remote_lines[2:4] == [
        "  break-glass",
        "    Break-glass never covers .gitops/**; that needs an approval by somebody else. (policy.yaml:12)",
    ]
    stranger = desk.commit("alice", {"a.yml": "a: 1\n"}, GIT_AUTHOR_EMAIL="x@elsewhere.example")
    assert "  authors" in desk.push("alice", *BREAK, f"{stranger}:refs/for/main").remote_lines
    rejected = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b")
    desk.push("bob", f"{rejected}:refs/reject/3").must()
    assert desk.push("alice", *BREAK, f"{rejected}:refs/land/3").remote_lines[2] == "  rejected"


def test_a_reason_is_mandatory_and_the_glass_is_not_broken_in_vain(desk: Desk) -> None:
    _ready(desk)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    bare = desk.push("alice", "-o", "break-glass", f"{commit}:refs/land/2")
    assert bare.remote == refusal(
        "refs/land/2",
        "options",
        "break-glass: needs a reason, which is recorded",
        cure="add  -o reason='why it cannot wait'",
    )
    assert desk.push("alice", "-o", "break-glass", f"{commit}:{MAIN}").remote_lines[2] == "  options"
    wrong = desk.push("bob", *BREAK, f"{commit}:refs/approve/2")
    assert wrong.remote_lines[3] == "    break-glass: only on refs/land/2, refs/for/<branch> and a push to the branch"
    # With its approval there is nothing to override, and nothing is owed.
    _with = GLASS.replace("land: ['@ops']", "land: [alice]")
    desk.land({".gitops/policy.yaml": _with})
    plain = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b")
    desk.push("bob", f"{plain}:refs/approve/{desk.newest()}").must()
    done = desk.push("alice", *BREAK, f"{plain}:refs/land/{desk.newest()}").must()
    assert done.remote_lines[0] == f"gitops: change {desk.newest()} landed by alice"
    assert desk.log()[-2].fact("Reason") == '""'


def test_a_direct_push_breaks_the_glass_for_the_head_of_a_change_only(desk: Desk) -> None:
    _ready(desk)
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    alone = desk.push("alice", *BREAK, f"{commit}:{MAIN}")
    assert alone.remote == refusal(
        MAIN,
        "break-glass",
        "Break-glass lands a change, and no open one has this head.",
        cure="Propose it:  git push -o break-glass -o reason='…' origin HEAD:refs/for/main",
    )
    desk.push("alice", f"{commit}:refs/for/main").must()
    done = desk.push("alice", *BREAK, f"{commit}:{MAIN}").must()
    assert done.remote_lines[0] == "gitops: change 2 landed by alice, by break-glass"


def test_findings_are_overridden_only_where_the_policy_says_so(desk: Desk) -> None:
    _ready(desk)
    broken = desk.commit("alice", {"a.yml": "a: [\n"})
    assert desk.push("alice", *BREAK, f"{broken}:refs/for/main").code == 1
    desk.land({".gitops/policy.yaml": GLASS.replace("settle: 24h", "covers: [approvals, checks]")})
    broken = desk.commit("alice", {"a.yml": "a: [\n"})
    assert desk.push("alice", f"{broken}:refs/for/main").code == 1
    proposed = desk.push("alice", *BREAK, f"{broken}:refs/for/main").must()
    number = desk.newest()
    assert proposed.remote_lines[1] == "  checks     yaml 1 finding"
    meta = desk.world.events(f"refs/changes/{number}/meta")
    assert meta[0].fact("Reason") == '"the site is down"'
    assert desk.push("alice", f"{broken}:refs/land/{number}").code == 1
    done = desk.push("alice", *BREAK, f"{broken}:refs/land/{number}").must()
    assert "  OVERRIDDEN checks: yaml has 1 finding" in done.remote_lines


def test_the_reconciler_accepts_what_landed_by_break_glass_and_what_was_paid_from_the_record_alone(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 2s"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{first}:refs/land/2").must()
    assert judge_tip(open_sitting(desk.world.home, "site"), MAIN) is None
    time.sleep(2)
    desk.push("bob", f"{first}:refs/approve/2").must()
    desk.land({"b.yml": "b: 1\n"})
    assert judge_tip(open_sitting(desk.world.home, "site"), MAIN) is None
    kinds = [json.loads(line)["kind"] for line in desk.world.home.journal.read_text().splitlines()]
    assert kinds.count("overridden") == 1


def test_an_approval_whose_payment_was_cut_off_is_paid_by_the_reconciler(desk: Desk) -> None:
    _ready(desk)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", *BREAK, f"{commit}:refs/land/2").must()
    sitting = open_sitting(desk.world.home, "site")
    base, policy = Oid(desk.tip(f"{commit}~1")), Oid(sitting.policy.commit)
    given = Approved(2, Word(MAIN), base, Oid(commit), (Oid(commit),), policy, Text(""))
    sitting.ledger.log("refs/changes/2/meta", given, Actor("bob", "SHA256:x"))
    mend(open_sitting(desk.world.home, "site"))
    settled = desk.log()[-1]
    assert [settled.fact(key) for key in ("Event", "Actor", "Counted")] == ["settled", "server", "bob"]


def test_a_landing_that_is_recorded_a_moment_too_late_moves_nothing(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 1s"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    desk.push("alice", *BREAK, f"{first}:refs/land/2").must()
    second = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b")
    time.sleep(2)
    assert isinstance(_land_as_judged(desk, "alice", second, None), LostRace)
    assert desk.tip(MAIN) == first and desk.log()[-1].fact("Event") == "voided"


def test_a_record_of_break_glass_that_the_policy_does_not_give_deploys_nothing(desk: Desk) -> None:
    """As a judge with a fault might have written it: the reconciler asks the same rules again."""
    _ready(desk, GLASS.replace("settle: 24h", "settle: 1s"))
    commit = desk.propose("dave", {"a.yml": "a: 1\n"})
    _land_unasked(desk, "carol", commit, Override("because", ("approvals",), 1))
    found = judge_tip(open_sitting(desk.world.home, "site"), MAIN)
    assert found and "Only alice may break the glass on main; carol is not among them." in found.reason


def test_a_landing_recorded_while_the_branch_was_closed_deploys_nothing(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 1s"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    desk.push("alice", *BREAK, f"{first}:refs/land/2").must()
    time.sleep(2)
    second = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b")
    desk.push("bob", f"{second}:refs/approve/3").must()
    _land_unasked(desk, "alice", second, None)
    # That it was paid later does not mend it.
    desk.push("bob", f"{first}:refs/approve/2").must()
    found = judge_tip(open_sitting(desk.world.home, "site"), MAIN)
    assert found and found.rule == "owed"


def test_a_payment_by_whom_no_rule_counts_pays_nothing(desk: Desk) -> None:
    _ready(desk, GLASS.replace("settle: 24h", "settle: 1s"))
    first = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    desk.push("alice", *BREAK, f"{first}:refs/land/2").must()
    sitting = open_sitting(desk.world.home, "site")
    landing = desk.log()[-2]
    body = Settled(Oid(landing.commit), Word(MAIN), 2, (), (), Oid(landing.fact("Policy")), Text(""), (), (), Text(""))
    sitting.ledger.log("refs/gitops/log", body, Actor("dave", "SHA256:x"))
    time.sleep(2)
    desk.land({"b.yml": "b: 1\n"})
    found = judge_tip(open_sitting(desk.world.home, "site"), MAIN)
    assert found and found.rule == "owed"


def _land_unasked(desk: Desk, who: str, commit: str, override: Override | None) -> None:
    """The same, by a server whose index has forgotten what is owed."""
    index = open_index(desk.world.home.state(open_sitting(desk.world.home, "site").entry.id))
    index.connection.execute("DELETE FROM debts")
    assert isinstance(_land_as_judged(desk, who, commit, override), str)
    assert desk.world.admin("recovery", "index", "site").code == 0


def _land_as_judged(desk: Desk, who: str, commit: str, override: Override | None) -> str | LostRace:
    """Record and move as the server does once it has judged, without judging."""
    sitting = open_sitting(desk.world.home, "site")
    governing = govern(sitting.policy, MAIN)
    number = sitting.record.index.with_head(commit)[0]
    assert governing
    change = sitting.record.change(number)
    matter = gather(sitting, governing, sitting.record.standing(MAIN), commit, frozenset(), change)
    assert isinstance(matter, Matter)
    verdict = Verdict("yaml", matter.merged.tree, CheckOutcome.OK)
    effect = replace(matter.land("change", (verdict,)), override=override)
    return land(sitting, Actor(who, "SHA256:x"), effect)


def test_a_bot_never_breaks_the_glass_neither_to_land_nor_to_propose_past_findings(desk: Desk) -> None:
    _ready(desk, GLASS.replace("by: [alice], settle", "by: [alice, robot], covers: [approvals, checks], settle"))
    words = "robot is a bot, and only people break the glass."
    bad = desk.commit("robot", {"a.yml": "a: 1\na: 2\n"})
    refused = desk.push("robot", *BREAK, f"{bad}:refs/for/main")
    assert refused.code == 1 and words in refused.remote
    good = desk.propose("alice", {"b.yml": "b: 1\n"})
    refused = desk.push("robot", *BREAK, f"{good}:refs/land/{desk.newest()}")
    assert refused.code == 1 and words in refused.remote
