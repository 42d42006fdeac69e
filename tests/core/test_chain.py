"""What the log's events amount to, and each way in which one may not follow from those before it."""

import pytest

from gitops_hooks.core.chain import Break, Chain, Step, follow
from gitops_hooks.model.change_event import Closed
from gitops_hooks.model.event import Administered, Adopted, Landed, Landing, Voided
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.core.records import AT, MAIN, history, oid

NEXT = "refs/heads/next"


def adopted(policy: str = "a") -> Adopted:
    return Adopted(Word(MAIN), (Word(oid("a")), Word(MAIN), Word(oid("0")), Word(NEXT)), oid(policy))


def landing(old: str, new: str, ref: str = MAIN, way: str = "change") -> Landing:
    ends = (oid(old), oid(new), oid("7"), oid(old), oid(new), oid("a"))
    judged = (AT, (), Word(""), Text(""), oid("0"), (), (), ())
    return Landing(Word(way), 1, Word(ref), *ends, Text(""), (), (), (), (), *judged)


def landed(number: int, new: str, ref: str = MAIN) -> Landed:
    return Landed(Oid(f"{number:040x}"), Word(ref), oid(new))


def voided(number: int, ref: str = MAIN) -> Voided:
    return Voided(Oid(f"{number:040x}"), Word(ref))


def administered(act: str, old: str, new: str, ref: str = MAIN) -> Administered:
    return Administered(Word(act), Word(ref), oid(old), oid(new), Text("why"))


def walk(*bodies):
    chain = Chain()
    return chain, list(follow(history(*(("server", body) for body in bodies)), chain))


def test_each_landing_that_was_carried_out_is_a_step_from_the_recorded_tip():
    chain, found = walk(adopted(), landing("a", "b"), landed(2, "b"), landing("b", "c"), landed(4, "c"))
    steps = [(step.ref, step.old[0], step.new[0], step.done) for step in found]
    assert steps == [(MAIN, "0", "a", 1), (NEXT, "0", "0", 1), (MAIN, "a", "b", 3), (MAIN, "b", "c", 5)]
    assert (chain.tips[MAIN], chain.open, chain.default) == (oid("c"), {}, MAIN)


def test_a_landing_that_came_to_nothing_is_no_step():
    chain, found = walk(adopted(), landing("a", "b"), voided(2))
    assert len(found) == 2 and chain.tips[MAIN] == oid("a")


def test_a_purged_change_is_a_step_that_moves_no_branch():
    chain, found = walk(adopted(), administered("purge", "b", "0", "refs/changes/1"), landing("a", "c"), landed(3, "c"))
    assert [(step.ref, step.new) for step in found[2:]] == [("refs/changes/1", oid("0")), (MAIN, oid("c"))]
    assert chain.tips == {MAIN: oid("c"), NEXT: oid("0")}


def test_the_policies_in_force_are_those_of_the_default_branch_and_of_a_landing_that_is_not_closed():
    _, found = walk(
        adopted(), landing("a", "b"), landing("0", "a", NEXT, "create"), landed(3, "a", NEXT), landed(2, "b")
    )
    assert [(step.ref, step.policies) for step in found[2:] if isinstance(step, Step)] == [
        (NEXT, {oid("a"), oid("b")}),
        (MAIN, {oid("a")}),
    ]


@pytest.mark.parametrize(
    "acts",
    [
        (administered("adopt", "a", "d"), landing("d", "e"), landed(3, "e")),
        (administered("restore", "d", "a"), landing("a", "e"), landed(3, "e")),
        (administered("policy", "a", "d"),),
        (landing("a", "b"), administered("policy", "b", "d")),
        (administered("restore", "d", "a", "refs/gitops/log"), landing("a", "b"), landed(3, "b")),
    ],
    ids=["adopt", "restore", "policy", "after an open landing", "the log itself"],
)
def test_the_administrators_acts_are_steps_too(acts):
    _, found = walk(adopted(), *acts)
    assert [one for one in found if isinstance(one, Break)] == []


@pytest.mark.parametrize(
    ("bodies", "ref", "reason"),
    [
        ((landing("a", "b"),), "", "the log does not begin with an adoption"),
        ((adopted(), adopted()), "", "a second adoption; a repository is adopted once"),
        ((adopted("c"),), MAIN, "the adopted policy is not the one at the adopted default branch"),
        (
            (adopted(), landing("b", "c")),
            MAIN,
            "it moves on from bbbbbbbbbbbb, but the ref was recorded at aaaaaaaaaaaa",
        ),
        ((adopted(), landing("a", "b"), landing("a", "c")), MAIN, "another landing on this ref was still open"),
        ((adopted(), landed(1, "b")), MAIN, "it closes landing 000000000000, which was not open on this ref"),
        ((adopted(), voided(1)), MAIN, "it closes landing 000000000000, which was not open on this ref"),
        (
            (adopted(), landing("a", "b"), landed(2, "c")),
            MAIN,
            "it says cccccccccccc, but the landing was of bbbbbbbbbbbb",
        ),
        (
            (adopted(), landing("0", "e", "refs/heads/rel", "create")),
            "refs/heads/rel",
            "it begins at eeeeeeeeeeee, where no ref was ever recorded",
        ),
        (
            (adopted(), administered("adopt", "c", "d")),
            MAIN,
            "adopt names cccccccccccc, but the ref was recorded at aaaaaaaaaaaa",
        ),
        (
            (adopted(), administered("restore", "c", "d")),
            MAIN,
            "restore names dddddddddddd, but the ref was recorded at aaaaaaaaaaaa",
        ),
        ((adopted(), Closed(1, Text(""))), "", "this kind of event does not belong to the log"),
    ],
)
def test_an_event_that_does_not_follow_breaks_the_chain(bodies, ref, reason):
    _, found = walk(*bodies)
    first = next(one for one in found if isinstance(one, Break))
    assert (first.ref, first.reason) == (ref, reason)
