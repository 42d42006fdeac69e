"""Fifty pushes with a SIGKILL at a random moment into a random process of theirs, on one server."""

import os
import random
import signal
import subprocess
import time

import pytest

from gitops_hooks.edge import living
from tests.answers import change_number
from tests.kills import invariants
from tests.kills.faulty import Faulty

SEED = 20261123
KILLS = 50


@pytest.mark.timeout(400)
def test_fifty_random_kills_lose_nothing(faulty: Faulty):
    dice = random.Random(SEED)
    world = faulty.world
    open_ones: list[int] = []
    world.start_over("bob")
    for _ in range(KILLS // 2):
        faulty.commit()
        _kill_during(faulty, dice, "alice", f"HEAD:refs/for/main/t{faulty.count}")
        number = change_number(_propose(faulty))
        world.git("bob", "fetch", "-q", "origin", f"refs/changes/{number}/head").must()
        _kill_during(faulty, dice, "bob", f"FETCH_HEAD:refs/approve/{number}")
        open_ones.append(number)
    faulty.settle()
    for number in open_ones:
        if faulty.state_of(number) != "change-landed":
            world.approve("bob", number)
    faulty.settle()
    assert [number for number in open_ones if faulty.state_of(number) != "change-landed"] == []
    invariants.check(world)
    assert invariants.leftovers(world) == []


def _propose(faulty: Faulty):
    for _ in range(3):
        done = faulty.propose()
        if done.code == 0:
            return done
    return done.must()


def _kill_during(faulty: Faulty, dice: random.Random, who: str, refspec: str) -> None:
    """Push, and kill one process of the push after a random part of the time that a push takes."""
    world = faulty.world
    clone = world.person(who) / "site"
    push = subprocess.Popen(
        ["git", "push", "-q", "origin", refspec],
        cwd=clone,
        env=world.environment(who),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(dice.uniform(0.02, 0.9))
    victims = [one for one in _push_processes(world.folder, push.pid) if one.pid != os.getpid()]
    if victims:
        living.send(dice.choice(victims), signal.SIGKILL)
    try:
        push.wait(60)
    finally:
        push.kill()


def _push_processes(folder, client: int) -> list[living.Living]:
    """The client and all that it started, and on the server the forced command and all below it."""
    roots = [one.pid for one in living.list_living() if any(str(folder / "home") in word for word in one.argv)]
    found = {one.pid: one for root in (client, *roots) for one in living.descendants(root)}
    found |= {one.pid: one for one in living.list_living() if one.pid in (client, *roots)}
    # One that is just being started, or of another user, shows no words.
    return [one for one in found.values() if one.argv and "sshd" not in one.argv[0]]
