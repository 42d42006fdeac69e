"""What would run on the deployer is refused, but where the policy names it and those who have to approve it."""

from collections.abc import Iterator

import pytest

from tests.push.desk import MAIN, Desk
from tests.push.rules_desk import HEAD, judged, rule
from tests.world import Template, World

POLICY = HEAD.replace("checks: [yaml]", "checks: [controller]")
ALLOWING = (
    POLICY
    + """\
    controller:
      - {paths: ['filter_plugins/**'], count: 2, from: [bob, carol]}
"""
)
FILTER = "class FilterModule:\n    pass\n"


@pytest.fixture
def desk() -> Iterator[Desk]:
    template = Template.build(POLICY)
    world = World.copied_from(template)
    template.remove()
    yield Desk.beside(world)
    world.close()


def checks_of(remote: str) -> list[str]:
    lines = [line.strip() for line in remote.split("\n")]
    return [line for line in lines if "filter_plugins" in line or "library" in line or "of 2 approvals" in line]


def test_it_takes_the_approvals_that_the_policy_names_and_is_refused_everywhere_else(desk: Desk):
    plugin = {"filter_plugins/a.py": FILTER}
    refused = desk.push("alice", f"{desk.commit('alice', plugin)}:refs/for/main")
    assert checks_of(refused.remote) == [
        "filter_plugins/a.py: files in filter_plugins/ run on the controller; have plugins installed on the",
    ]

    rule(desk, ALLOWING)
    needed = "needs      0 of 2 approvals by bob or carol for filter_plugins/**. The author (alice) does not"
    head = desk.commit("alice", plugin)
    proposed = desk.push("alice", f"{head}:refs/for/main").must()
    assert checks_of(proposed.remote) == [
        "filter_plugins/a.py: runs on the deployer, which the policy allows",
        needed,
    ]
    number = desk.newest()
    first = desk.push("bob", f"{head}:refs/approve/{number}").must()
    assert desk.tip(MAIN) != head and "1 of 2 approvals by bob or carol" in first.remote
    # Nobody may push past it, though alice may push to main.
    pushed = desk.push("alice", f"{desk.commit('alice', {'filter_plugins/b.py': FILTER})}:{MAIN}")
    assert pushed.code
    assert "0 of 2 approvals by bob or carol for filter_plugins/**" in pushed.remote
    desk.push("carol", f"{head}:refs/approve/{number}").must()
    assert desk.tip(MAIN) == head

    other = desk.push("alice", f"{desk.commit('alice', {'library/b.py': FILTER})}:refs/for/main")
    assert checks_of(other.remote) == [
        "library/b.py: files in library/ run on the controller; have plugins installed on the server",
    ]
    gone = desk.push("alice", f"{desk.commit('alice', {'filter_plugins/a.py': None})}:refs/for/main/gone").must()
    assert checks_of(gone.remote) == [needed]
    assert judged(desk) == ""
