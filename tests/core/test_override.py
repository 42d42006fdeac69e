"""Break-glass: what it covers and never covers, what is owed, and what pays for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gitops_hooks.core.debts import fold_debts, judge_debts, judge_payment, overdue
from gitops_hooks.core.decide import judge_landing, judge_unapproved_push
from gitops_hooks.core.override import (
    Terms,
    judge_break_glass,
    judge_overridden,
    overridden,
    override,
    override_findings,
    terms_of,
)
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.event import Event, Landing, Settled, Voided
from gitops_hooks.model.event_words import Text, Word
from gitops_hooks.model.policy import ApprovalRule, BreakGlass, LandMethod, Names
from gitops_hooks.model.verdict import CheckOutcome, Finding, Requirement, Status, Verdict
from tests.core.records import AT, MAIN, SENIORS, approval, branch, oid, policy, rejection, stamp
from tests.core.test_decide import PROOF, case

GLASS = BreakGlass(Names(("alice", "bob")), ("approvals", "freeze"), 3600, "policy.yaml:8")


def glassed(*glasses: BreakGlass | None, **asked):
    rules = [replace(branch(), break_glass=glass) for glass in glasses or (GLASS,)]
    return case(*rules, **asked)


def landed(asked, actor="alice"):
    return {answer.rule: answer.status for answer in override(asked, actor, judge_landing(asked, actor))}


def test_missing_approvals_are_overridden_and_nothing_else_is():
    found = landed(glassed(fast_forward=False))
    assert found == {
        "break-glass": Status.SATISFIED,
        "land": Status.SATISFIED,
        "authors": Status.SATISFIED,
        "land_method": Status.SATISFIED,
        "approvals": Status.OVERRIDDEN,
    }


@pytest.mark.parametrize(
    ("rule", "status", "after"),
    [
        ("approvals", Status.UNSATISFIED, Status.OVERRIDDEN),
        ("freeze", Status.UNSATISFIED, Status.OVERRIDDEN),
        ("approvals", Status.ERROR, Status.ERROR),
        ("approvals", Status.SATISFIED, Status.SATISFIED),
        ("owners", Status.UNSATISFIED, Status.UNSATISFIED),
        ("authors", Status.UNSATISFIED, Status.UNSATISFIED),
        ("rejected", Status.UNSATISFIED, Status.UNSATISFIED),
        ("owed", Status.UNSATISFIED, Status.UNSATISFIED),
        ("land", Status.UNSATISFIED, Status.UNSATISFIED),
        ("policy", Status.UNSATISFIED, Status.UNSATISFIED),
        ("record", Status.UNSATISFIED, Status.UNSATISFIED),
    ],
)
def test_only_what_break_glass_covers_is_overridden(rule, status, after):
    assert override(glassed(), "alice", [Requirement(rule, status, "")])[-1].status is after


def test_a_rejection_is_no_missing_approval():
    asked = glassed()
    asked = replace(asked, proof=replace(asked.proof, rejections=(rejection("bob"),)))
    assert landed(asked)["rejected"] is Status.UNSATISFIED


@pytest.mark.parametrize(
    ("asked", "actor", "reason", "place"),
    [
        (glassed(None), "alice", "No break-glass on main: this rule lets nobody do it.", "policy.yaml:5"),
        (glassed(GLASS, None), "alice", "No break-glass on main: this rule lets nobody do it.", "policy.yaml:5"),
        (glassed(), "carol", "Only alice, bob may break the glass on main; carol is not among them.", "policy.yaml:8"),
        (
            glassed(GLASS, replace(GLASS, by=Names(("bob",)))),
            "alice",
            "Only bob may break the glass on main; alice is not among them.",
            "policy.yaml:8",
        ),
        *(
            (
                glassed(paths=("a.yml", path)),
                "alice",
                "Break-glass never covers .gitops/**; that needs an approval by somebody else.",
                "policy.yaml:8",
            )
            for path in (".gitops", ".GITOPS/x", ".gitops/policy.yaml", "\udcff")
        ),
    ],
)
def test_who_may_not_break_the_glass_overrides_nothing(asked, actor, reason, place):
    answer = judge_break_glass(asked, actor)
    assert (answer.status, answer.reason, answer.place) == (Status.UNSATISFIED, reason, place)
    assert landed(asked, actor)["approvals"] is Status.UNSATISFIED


def test_of_several_rules_the_shortest_time_and_what_all_cover_count():
    strict = BreakGlass(Names(("@senior", "alice")), ("approvals", "checks"), 60, "policy.yaml:30")
    assert terms_of(glassed(GLASS, strict).governing) == Terms(frozenset({"approvals"}), 60, "policy.yaml:30")


@pytest.mark.parametrize(
    ("covers", "outcome", "waived"),
    [
        (("approvals", "checks"), CheckOutcome.FINDINGS, Status.OVERRIDDEN),
        (("approvals", "checks"), CheckOutcome.ERROR, None),
        (("approvals", "freeze"), CheckOutcome.FINDINGS, None),
    ],
)
def test_findings_are_overridden_where_the_policy_says_so_and_a_broken_check_never(covers, outcome, waived):
    verdict = Verdict("yaml", oid("7"), outcome, (Finding("a.yml", 1, "no"),))
    asked = glassed(replace(GLASS, covers=covers))
    assert override_findings(asked, "alice", [verdict])[0].waived is waived
    assert override_findings(asked, "carol", [verdict])[0].waived is None


def test_the_floor_of_the_server_is_never_overridden_and_forbids_nothing_else():
    entry = ApprovalRule(1, Names(("carol",)), (), "server.toml:9")
    floor = replace(branch(entry), place="server.toml:8", checks=("secrets",))
    asked = case(replace(branch(), break_glass=replace(GLASS, covers=("approvals", "checks"))), floor)
    said = override(asked, "alice", judge_landing(asked, "alice"))
    assert [(one.status, one.place) for one in said if one.rule == "approvals"] == [
        (Status.OVERRIDDEN, "policy.yaml:9"),
        (Status.UNSATISFIED, "server.toml:9"),
    ]
    faulty = [Verdict(name, oid("7"), CheckOutcome.FINDINGS, (Finding("a", 1, "no"),)) for name in ("yaml", "secrets")]
    assert [one.waived for one in override_findings(asked, "alice", faulty)] == [Status.OVERRIDDEN, None]


def test_what_was_overridden_is_told_a_line_each():
    said = override(glassed(), "alice", judge_landing(glassed(), "alice"))
    waived = Verdict("yaml", oid("7"), CheckOutcome.FINDINGS, (Finding("a", 1, "no"),), waived=Status.OVERRIDDEN)
    assert overridden(said, [waived]) == (
        "approvals: 0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:9)",
        "checks: yaml has 1 finding",
    )
    ready = glassed(approvals=(approval("bob"),))
    assert overridden(override(ready, "alice", judge_landing(ready, "alice")), []) == ()


def landing(settle: int = 3600, reason: str = "down") -> Landing:
    ends = (oid("a"), oid("b"), oid("7"), oid("a"), oid("b"))
    names = (Word("alice"),)
    return Landing(
        *(Word("change"), 4, Word(MAIN), *ends, oid("f"), Text(""), names, (), (), ()),
        *(AT, (), Word(""), Text(""), oid("e"), (), (), ()),
        *(Text(reason), Text("approvals: …"), settle),
    )


@pytest.mark.parametrize(("settle", "holds"), [(3600, True), (60, True), (0, False), (3601, False)])
def test_a_record_that_gives_more_time_than_the_policy_is_not_accepted(settle, holds):
    found = judge_overridden(glassed(), "alice", landing(settle))
    assert all(answer.holds for answer in found) is holds


DEBT = Debt("9" * 40, MAIN, 4, oid("b"), AT + timedelta(hours=1), 7)


def test_a_landing_with_a_reason_makes_a_debt_until_it_is_paid_or_void():
    by_glass = Event(stamp(7), landing(), "9" * 40)
    plain = Event(stamp(8), landing(0, ""), "8" * 40)
    settled = Settled(oid("9"), Word(MAIN), 4, (), (), oid("f"), Text(""), (), (), Text(""))
    assert fold_debts([by_glass, plain, Event(stamp(9), settled, "6" * 40)]) == ((DEBT,), (("9" * 40, 9, "6" * 40),))
    void = fold_debts([by_glass, Event(stamp(8), Voided(oid("9"), Word(MAIN)), "6" * 40)])[0]
    assert [(debt.landing[0], debt.ref) for debt in void] == [("9", MAIN), ("9", "")]


@pytest.mark.parametrize(("minutes", "closed"), [(59, False), (60, True), (61, True)])
def test_a_branch_closes_at_the_moment_that_was_given(minutes, closed):
    debts = overdue([DEBT], AT + timedelta(minutes=minutes))
    assert bool(debts) is closed
    asked = replace(glassed(approvals=(approval("bob"),)), overdue=debts)
    assert ("owed" in landed(asked)) is closed
    free = replace(case(branch(push=("alice",))), overdue=debts)
    assert all(answer.holds for answer in judge_unapproved_push(free, "alice")) is not closed


def test_a_closed_branch_names_the_change_and_the_line_that_opens_it():
    assert judge_debts([DEBT])[0].reason == (
        "Change 4 landed by break-glass, and nobody else approved it by 2026-11-23 10:00 UTC. "
        f"Nothing lands here until somebody who counts has:\ngit push origin {oid('b')}:refs/approve/4"
    )


@pytest.mark.parametrize(
    ("given", "later", "missing"),
    [
        ((), (), ["approvals", "settle"]),
        ((approval("bob", number=1),), (1,), []),
        ((approval("dave", number=1),), (1,), ["approvals", "settle"]),
        ((approval("alice", number=1),), (1,), ["approvals", "settle"]),
        # What the landing rested on already is no word about the override itself.
        ((approval("bob", number=1),), (), ["settle"]),
        ((approval("bob", number=1), approval("bob", number=2)), (2,), []),
        ((approval("bob", "c", number=1),), (1,), ["approvals", "settle"]),
    ],
)
def test_an_approval_of_exactly_that_landing_by_somebody_who_counts_pays(given, later, missing):
    events = frozenset(f"{number:040x}" for number in later)
    found = judge_payment((SENIORS,), policy(), replace(PROOF, approvals=given), events)
    assert [answer.rule for answer in found if not answer.holds] == missing


def test_break_glass_does_not_open_a_way_to_land_that_the_branch_does_not_take():
    rule = replace(branch(method=LandMethod.FAST_FORWARD), break_glass=GLASS)
    assert landed(case(rule, fast_forward=False))["land_method"] is Status.UNSATISFIED
