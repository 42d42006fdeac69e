"""What a proposal's answer says of its reach and of what it keeps."""

import pytest

from gitops_hooks.core.inventory import Inventory
from gitops_hooks.core.notes import reach_notes
from gitops_hooks.core.reach import Reached, Why
from gitops_hooks.core.report import proposed
from gitops_hooks.model.judgement import Note


def inventory(*hosts: str) -> Inventory:
    return Inventory(frozenset(hosts), {}, {})


TWO = inventory("web1", "web2")
MANY = inventory(*(f"web{number}" for number in range(10, 50)))


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        (Reached("live", frozenset({"web2"}), True, (TWO,)), "1 of 2 hosts of live: web2"),
        (Reached("live", frozenset({"web1", "new"}), True, (TWO, inventory("web2"))), "2 of 3 hosts of live: new web1"),
        (Reached("live", frozenset({"db"}), True, (inventory("db"),)), "1 of 1 host of live: db"),
        (Reached("live", frozenset(), True, (TWO,)), "none of 2 hosts of live"),
        (
            Reached("live", MANY.hosts, True, (MANY,)),
            "40 of 40 hosts of live: web10 web11 web12 web13 web14 web15 web16 web17 and 32 more",
        ),
        (
            Reached("live", frozenset({"web1"}), False),
            "every host of live, however many: its inventory is none that can be counted",
        ),
    ],
)
def test_a_reach_says_how_many_and_which(reached, words):
    assert reach_notes([reached]) == (Note("reaches", words),)


def test_a_reach_says_why_as_far_as_there_is_room():
    reasons = tuple(Why(f"group_vars/{name}.yml → {name}", ("web1", "web2")) for name in "abcd")
    reached = Reached("live", frozenset({"web1", "web2"}), True, (TWO,), reasons)
    assert [note.words for note in reach_notes([reached])[1:]] == [
        "web1 web2: group_vars/a.yml → a",
        "web1 web2: group_vars/b.yml → b",
        "web1 web2: group_vars/c.yml → c",
        "and 1 more reasons: change show",
    ]
    assert len(reach_notes([reached], most=4)) == 5


def test_notes_stand_between_the_checks_and_what_is_needed():
    notes = [
        Note("reaches", "1 of 2 hosts of live: web2"),
        Note("kept", "bob's approval of revision 1 (trivial-rebase)"),
    ]
    assert proposed(1, 2, "refs/heads/main", (), [], notes=notes)[1:] == [
        "  checks     none",
        "  reaches    1 of 2 hosts of live: web2",
        "  kept       bob's approval of revision 1 (trivial-rebase)",
        "  needs      nothing more; it can land",
    ]
