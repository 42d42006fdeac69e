"""Whoever follows a deployment in a push's output is in nobody's way, and may leave at any time."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.faults.conftest import FAULTY_POLICY, faulty
from tests.faults.failpoints import Failpoint, no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.push.desk import HOST
from tests.world import Template

ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    playbook: site.yml
    inventory: hosts.yml
"""
_SECONDS = 120.0


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    template = Template.build(
        FAULTY_POLICY + ENVIRONMENT,
        {"site.yml": "---\n- hosts: all\n  tasks: []\n", "hosts.yml": "---\nall:\n  hosts:\n    web1:\n"},
    )
    with faulty(template) as scene:
        yield scene
    template.remove()


@contextmanager
def following(scene: Scene) -> Iterator[subprocess.Popen[bytes]]:
    """bob's push has landed and waits for a deployment that nobody begins."""
    number, _, head = scene.proposed()
    push = subprocess.Popen(
        ["git", "push", HOST, f"{head}:refs/approve/{number}"],
        cwd=scene.desk.clone,
        env=scene.world.environment("bob"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + _SECONDS
        while scene.desk.tip(MAIN) != head or "post_receive" not in scene.hooks_at_work():
            assert push.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield push
    finally:
        with suppress(ProcessLookupError):
            os.killpg(push.pid, signal.SIGKILL)
        push.wait(_SECONDS)


def test_the_next_good_push_sweeps_a_dead_lock_while_somebody_follows(scene):
    with no_reconciler(scene.world), following(scene) as push:
        number, _, head = scene.proposed()
        scene.faults.arm(Failpoint("inside", "refs/changes/*/meta", ends="session"))
        scene.push("carol", f"{head}:refs/reject/{number}")
        assert scene.faults.fired()
        scene.push("carol", f"{head}:refs/reject/{number}").must()
        assert push.poll() is None, "nobody followed any more"
    scene.settle_refs()
    scene.check(settled=True)


def test_a_follower_who_leaves_takes_nothing_along_and_leaves_nothing_behind(scene):
    with no_reconciler(scene.world), following(scene) as push:
        os.killpg(push.pid, signal.SIGKILL)
        scene.check(settled=False)
    scene.settle_refs()
    scene.check(settled=True)
