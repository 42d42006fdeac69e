"""Approvals of older revisions, approvals by bots, and who else does not count."""

from dataclasses import replace

import pytest

from gitops_hooks.core.approve import (
    Proof,
    asks_signature,
    contributors,
    counted_approvals,
    judge_approvals,
    kept_words,
    needed,
    would_count,
)
from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.demands import demand
from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.govern import BUILT_IN, govern
from gitops_hooks.core.owners import Owned
from gitops_hooks.model.approval import Kept
from gitops_hooks.model.change_event import Withdrawn
from gitops_hooks.model.event_words import Text
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule, Keep, Names, Review, Strict
from gitops_hooks.model.push import ActorKind
from tests.core.records import (
    MAIN,
    PEOPLE,
    REPOSITORY,
    SENIORS,
    approval,
    approved,
    branch,
    commit,
    history,
    oid,
    person,
    policy,
    proposed,
    rejected,
)

KEPT = Kept(oid("a"), oid("b"), "trivial-rebase")
ALICE = frozenset({"alice"})
PROOF = Proof(REPOSITORY, MAIN, oid("c"), oid("d"), frozenset({oid("d")}), ALICE, ALICE, ())


def judged(rule, *approvals, **more):
    (answer,) = judge_approvals([rule], policy(), replace(PROOF, approvals=approvals, **more))
    return answer.holds, answer.reason


def test_an_approval_of_a_revision_that_is_kept_counts_and_says_so():
    assert judged(SENIORS, approval("bob"), kept=(KEPT,)) == (
        True,
        "1 of 1 approval by @senior (bob, kept from bbbbbbb: trivial-rebase).",
    )
    assert not judged(SENIORS, approval("bob"))[0]


@pytest.mark.parametrize(
    "other",
    [{"repository": "s" * 32}, {"target": "refs/heads/other"}, {"base": oid("c")}, {"head": oid("c")}],
    ids=lambda other: next(iter(other)),
)
def test_what_is_kept_is_bound_to_everything_else(other):
    assert not judged(SENIORS, approval("bob", **other), kept=(KEPT,))[0]


def test_contributors_of_the_new_revision_do_not_count_for_what_is_kept():
    assert not judged(SENIORS, approval("bob"), kept=(KEPT,), excluded=frozenset({"alice", "bob"}))[0]


def test_who_rejected_another_revision_since_is_not_carried_on():
    said = [("alice", proposed()), ("bob", approved()), ("alice", proposed(2, "e")), ("bob", rejected("e"))]
    record = fold_change(history(*said), REPOSITORY)
    assert [given.carries for given in record.approvals] == [False]
    assert not judged(SENIORS, *record.approvals, kept=(KEPT,))[0]


def test_the_record_says_which_approval_was_kept_and_why():
    proof = replace(PROOF, approvals=(approval("bob", number=1), approval("carol", number=2)), kept=(KEPT,))
    counted = counted_approvals([SENIORS, SENIORS], policy(), proof)
    assert kept_words(counted, proof) == (f"{1:040x}:trivial-rebase", f"{2:040x}:trivial-rebase")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ([("bob", approved()), ("bob", Withdrawn(1, oid("b"), Text("")))], []),
        ([("bob", approved()), ("carol", Withdrawn(1, oid("b"), Text("")))], ["b"]),
        ([("bob", approved()), ("alice", proposed(2, "c")), ("bob", Withdrawn(1, oid("c"), Text("")))], []),
        (
            [
                *(("bob", approved()), ("alice", proposed(2, "c"))),
                *(("bob", approved("c")), ("bob", Withdrawn(1, oid("b"), Text("")))),
            ],
            ["c"],
        ),
        ([("bob", approved()), ("bob", Withdrawn(1, oid("b"), Text(""))), ("bob", approved())], ["b"]),
    ],
)
def test_a_withdrawn_approval_is_gone_and_at_the_head_every_one_of_theirs(said, left):
    record = fold_change(history(("alice", proposed()), *said), REPOSITORY)
    assert [given.head[0] for given in record.approvals] == left


# --- bots ---

ANY = ApprovalRule(2, Names(("@senior", "robot", "spider")), (), "policy.yaml:9", bots=Names(("*",)))
NAMED = ApprovalRule(1, Names(("@senior",)), (), "policy.yaml:9", bots=Names(("robot",)))
BOTS = frozenset({"robot", "spider"})


def by(*names):
    return [approval(name, "d", number, base=oid("c")) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("rule", "names", "count"),
    [
        (SENIORS, ("robot",), 0),
        (replace(SENIORS, sources=Names(("*",))), ("robot",), 0),
        (ANY, ("robot", "bob"), 2),
        (ANY, ("robot", "spider"), 1),
        (ANY, ("robot", "spider", "bob"), 2),
        (NAMED, ("robot",), 1),
        (NAMED, ("spider",), 0),
        (replace(ANY, sources=Names(("@senior",))), ("robot", "bob"), 1),
    ],
)
def test_bots_count_only_where_a_rule_says_so_and_never_fill_it_alone(rule, names, count):
    answer = judged(rule, *by(*names), bots=BOTS)[1]
    assert answer.startswith(f"{count} of ")


def test_what_bots_alone_could_meet_needs_a_person_besides():
    only = govern(policy(branch(NAMED)), MAIN)
    assert only.approval_rules(["a"]) == (NAMED, BUILT_IN)
    assert govern(policy(branch(NAMED, SENIORS)), MAIN).approval_rules(["a"]) == (NAMED, SENIORS)
    assert govern(policy(branch(ANY)), MAIN).approval_rules(["a"]) == (ANY,)


@pytest.mark.parametrize(("rules", "counts"), [([SENIORS], False), ([ANY], True), ([NAMED], True)])
def test_a_bots_approval_is_stored_only_where_a_rule_counts_it(rules, counts):
    answer = would_count(rules, policy(), replace(PROOF, bots=BOTS), "robot")
    assert answer.holds is counts


def test_bots_fill_up_what_the_server_knows_of_approvers():
    people = People((*PEOPLE.everybody, person("robot", ActorKind.BOT)))
    for rule, missing in ((ANY, 0), (replace(ANY, count=4), 1), (replace(NAMED, sources=Names(("zoe",))), 0)):
        assert len(missing_approvers(policy(branch(rule)), MAIN, people)) == missing


def test_bots_that_are_named_are_told():
    assert needed(NAMED) == "1 approval by @senior or robot"


# --- who else does not count ---


def test_who_signed_off_does_not_count_where_the_rule_says_so():
    signed = replace(commit("b", "alice@example.org"), signers=("bob@example.org", "x@y.z"))
    assert contributors([signed], [], PEOPLE).names == {"alice"}
    found = contributors([signed], [], PEOPLE, frozenset({Strict.SIGNED_OFF}))
    assert (found.names, found.strangers) == ({"alice", "bob"}, ((oid("b"), "x@y.z"),))


@pytest.mark.parametrize(
    ("keeps", "together"),
    [
        ((Keep.TRIVIAL_REBASE, Keep.NO_CODE_CHANGE), Keep.NO_CODE_CHANGE),
        ((Keep.TRIVIAL_REBASE, Keep.NOTHING), Keep.NOTHING),
        ((Keep.TRIVIAL_REBASE,), Keep.TRIVIAL_REBASE),
    ],
)
def test_of_several_rules_the_strictest_keeps(keeps, together):
    rules = [replace(branch(), review=Review(keep=keep)) for keep in keeps]
    assert govern(policy(*rules), MAIN).keep is together


def test_who_does_not_count_by_one_rule_does_not_count():
    rules = [replace(branch(), review=Review(strict=frozenset({word}))) for word in Strict]
    assert govern(policy(*rules), MAIN).strict == frozenset(Strict)


def test_a_kept_approval_and_one_by_a_bot_meet_a_signed_rule_only_with_a_signature():
    signed = replace(SENIORS, signed=True)
    assert not judged(signed, approval("bob"), kept=(KEPT,))[0]
    assert judged(signed, approval("bob", signer="ssh-ed25519 AAAA"), kept=(KEPT,))[0]
    proof = replace(PROOF, bots=frozenset({"robot"}))
    named = ApprovalRule(2, Names(("@senior",)), (), "policy.yaml:9", signed=True, bots=Names(("robot",)))
    assert asks_signature([named], policy(), proof, "robot") == named
    assert asks_signature([named], policy(), proof, "other") is None


def test_a_branch_that_asks_for_signatures_asks_its_code_owners_for_them_too():
    owned = Owned((ApprovalRule(1, Names(("bob",)), (), "CODEOWNERS:1", words="@bob", rule="owners"),))
    governing = govern(policy(replace(branch(), signed=True)), MAIN)
    demands = demand(governing, ("a.yml",), (), [owned])
    assert [rule.signed for rule in demands.rules] == [True, True]
    assert needed(demands.rules[1]) == "1 signed approval by @bob"
