"""Fifty pushes with a SIGKILL at a random moment into a random process of theirs, on one server."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from tests.faults.failpoints import no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.push.desk import HOST

SEED = 20261123
KILLS = 50
_TRIES = 3


@pytest.mark.timeout(600)
def test_fifty_random_kills_lose_nothing(scene):
    dice = random.Random(SEED)
    heads: dict[str, int] = {}
    with no_reconciler(scene.world):
        for _ in range(KILLS // 2):
            topic, head = scene.fresh()
            proposal = f"{head}:refs/for/main/{topic}"
            _kill_during(scene, dice, "alice", proposal)
            scene.check(settled=False)
            _push_until_it_works(scene, "alice", proposal)
            heads[head] = scene.changes_at(head)[-1]
            _kill_during(scene, dice, "bob", f"{head}:refs/approve/{heads[head]}")
            scene.check(settled=False)
    scene.settle()
    for head in [head for head in heads if head not in _landed(scene)]:
        scene.push("bob", f"{head}:refs/approve/{heads[head]}").must()
    scene.world.stop_reconciler()
    scene.settle()
    scene.check(settled=True)
    assert [head for head in heads if head not in _landed(scene)] == []
    assert [len(scene.changes_at(head)) for head in heads] == [1] * len(heads)


def _landed(scene: Scene) -> list[str]:
    return scene.desk.ask("rev-list", scene.desk.tip(MAIN)).split()


def _push_until_it_works(scene: Scene, who: str, refspec: str) -> None:
    """The first one may still meet the lock of a push whose client alone was killed."""
    for _ in range(_TRIES):
        if scene.push(who, refspec).code == 0:
            return
    scene.push(who, refspec).must()


def _kill_during(scene: Scene, dice: random.Random, who: str, refspec: str) -> None:
    """Push, and kill one process of the push after a random part of the time that a push takes."""
    push = subprocess.Popen(
        ["git", "push", "-q", HOST, refspec],
        cwd=scene.desk.clone,
        env=scene.world.environment(who),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(dice.uniform(0.02, 0.9))
    victims = [one for one in _push_processes(scene.world.folder, push.pid) if one.pid != os.getpid()]
    if victims:
        living.send(dice.choice(victims), signal.SIGKILL)
    try:
        push.wait(60)
    finally:
        push.kill()


def _push_processes(folder: Path, client: int) -> list[living.Living]:
    """The client and all that it started, and on the server the forced command and all below it."""
    roots = [one.pid for one in living.list_living() if any(str(folder / "home") in word for word in one.argv)]
    found = {one.pid: one for root in (client, *roots) for one in living.descendants(root)}
    found |= {one.pid: one for one in living.list_living() if one.pid in (client, *roots)}
    # One that is just being started, or of another user, shows no words.
    return [one for one in found.values() if one.argv and "sshd" not in one.argv[0]]
