"""What the stories about rules share: a policy in force at once, and a record judged again as the reconciler does."""

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import MAIN, Desk
from tests.world import REPOSITORY

HEAD = """\
version: 1
groups:
  ops: [alice, bob, carol]
branches:
  - match: main
    push: [alice]
    propose: ['*']
    land: ['@ops']
    checks: [yaml]
"""


def rule(desk: Desk, text: str) -> str:
    """Bring a policy into force by the way of people; answers where main stands then."""
    return desk.land({".gitops/policy.yaml": text})


def line_of(text: str, words: str) -> int:
    """The line on which a policy says these words."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if words in line)


def judged(desk: Desk, ref: str = MAIN) -> str:
    """What is wrong with the landings of a branch when only the record is asked; empty where nothing is."""
    refusal = judge_tip(open_sitting(desk.world.home, REPOSITORY), ref)
    return refusal.reason if refusal else ""
