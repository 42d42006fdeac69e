"""Checks of a landing take their time: when they are done, it is judged by what holds then."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.locks import hold
from gitops_hooks.entry.recovery import open_bench
from tests.answers import Result
from tests.push.command_desk import COMMANDS, commanded, nobody_runs
from tests.push.desk import MAIN, POLICY, Desk
from tests.push.with_guest import guest_server
from tests.waiting import wait_until
from tests.world import World

SLOW = POLICY.replace("checks: [yaml]", "checks: [yaml, make]")
FLOOR = """
[[floor.branch]]
match = "main"
approvals = [{count = 1, from = ["dave"]}]
"""


def _waits_for_its_branch(state: Path) -> bool:
    """Whether a push is in its second hook, and has taken over what the first one left."""
    words = {word for one in living.list_living() for word in one.argv}
    here = any(word.startswith(f"{state}/pushes/") and word.endswith("/hooks/proc-receive") for word in words)
    return here and not list(state.glob("pushes/*/verdicts.json"))


def _waiting(desk: Desk) -> None:
    """A change that nothing keeps from landing but a check of some seconds; what it stands on landed as a merge."""
    low = desk.propose("carol", {"low.yml": "low: 1\n"}, "main/low")
    top = desk.commit("alice", {"test.sh": "sleep 5\n"}, "Add top", onto=low)
    desk.push("alice", "-o", "base=1", "-o", "auto-land", f"{top}:refs/for/main/top").must()
    desk.push("bob", f"{top}:refs/approve/2").must()
    desk.land({"b.yml": "b: 1\n"}, "main/b")
    desk.push("bob", f"{low}:refs/approve/1").must()


def _look(desk: Desk) -> Result:
    """The reconciler lands what waits."""
    return desk.world.reconcile_once()


def _say(desk: Desk) -> Result:
    """Alice lands it by a word."""
    return desk.world.ssh("alice", f"change land 2 {desk.tip('refs/changes/2/head')}")


def _lands_while(act: Callable[[Desk], object], land: Callable[[Desk], Result]) -> bool:
    """Whether it lands where this happens while its check runs."""
    with guest_server(SLOW) as template:
        world = World.copied_from(template)
    desk = Desk.beside(world)
    try:
        with nobody_runs(desk):
            _waiting(desk)
            before = desk.tip(MAIN)
            with ThreadPoolExecutor(1) as pool:
                landing = pool.submit(land, desk)
                state = world.seen(world.home.path) / "state"
                wait_until(lambda: [path for path in state.rglob("tools/*/*") if path.is_file()])
                act(desk)
                landing.result()
            return desk.tip(MAIN) != before
    finally:
        world.close()


def _remove(name: str) -> Callable[[Desk], object]:
    return lambda desk: desk.world.admin("user", "remove", name, "--yes").must()


def _lay_floor(desk: Desk) -> None:
    file = desk.world.home.server_file
    file.write_text(file.read_text() + FLOOR)


@pytest.mark.parametrize("land", [_look, _say])
def test_an_approval_by_somebody_who_left_meanwhile_does_not_count(land: Callable[[Desk], Result]) -> None:
    assert not _lands_while(_remove("bob"), land)


@pytest.mark.parametrize("land", [_look, _say])
def test_a_floor_that_was_laid_meanwhile_holds(land: Callable[[Desk], Result]) -> None:
    assert not _lands_while(_lay_floor, land)


def test_nobody_lands_anything_who_left_meanwhile() -> None:
    assert not _lands_while(_remove("alice"), _say)


@pytest.mark.parametrize("land", [_look, _say])
def test_it_lands_where_nothing_happens(land: Callable[[Desk], Result]) -> None:
    assert _lands_while(lambda desk: None, land)


def test_a_push_that_waited_for_its_branch_is_judged_by_who_is_here_then(desk: Desk) -> None:
    policy = POLICY.replace("senior: [bob, carol]", "senior: [bob, carol, dave]")
    desk.land({".gitops/policy.yaml": policy})
    before, head = desk.tip(MAIN), desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    desk.push("dave", f"{head}:refs/approve/{number}").must()
    state = open_bench(desk.world.home, "site").state
    with ThreadPoolExecutor(1) as pool:
        with hold(state, MAIN, 30.0):
            pushing = pool.submit(desk.push, "alice", f"{head}:refs/land/{number}")
            wait_until(lambda: _waits_for_its_branch(state))
            desk.world.admin("user", "remove", "dave", "--yes").must()
        assert "0 of 1 approval by @senior." in pushing.result().remote
    assert desk.tip(MAIN) == before


def test_a_verdict_does_not_outlive_the_options_that_it_was_made_with() -> None:
    """The command is for scripts alone, and while a push waits for its branch it becomes one for every file."""
    rule = COMMANDS[COMMANDS.index("  - match: main") : COMMANDS.index("checks:\n")]
    policy = COMMANDS.replace(
        "checks:\n", rule.replace("main", "release").replace("push: []", "create: ['*']") + "checks:\n"
    )
    with commanded(policy + "    paths:\n      test: ['*.sh']\n") as desk, nobody_runs(desk):
        release, state = "refs/heads/release", open_bench(desk.world.home, "site").state
        desk.push("alice", f"{desk.tip(MAIN)}:{release}").must()
        head, before = desk.propose("alice", {"a.yml": "a: 1\n"}, "release", onto=release), desk.tip(release)
        with ThreadPoolExecutor(1) as pool:
            with hold(state, release, 30.0):
                pushing = pool.submit(desk.push, "bob", f"{head}:refs/approve/1")
                wait_until(lambda: _waits_for_its_branch(state))
                desk.land({".gitops/policy.yaml": policy})
            said = pushing.result().must()
        assert "not landed" in said.remote and "push again" in said.remote
        assert desk.tip(release) == before
