"""However a run ends, everything of it on this machine ends with it."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.launch import end_leftovers, leftovers
from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import LIMITS, details, run_name, states
from tests.waiting import wait_until

SLOW = """\
- hosts: web1
  gather_facts: false
  tasks:
    - name: work
      shell: touch {{ root }}/here; sleep 60
"""


@pytest.fixture
def host(world):
    world.tree["site.yml"] = SLOW
    return world.hosts[0]


def everything_of(run_id):
    return [child for one in leftovers([run_id]) for child in (one, *living.descendants(one.pid))]


def started(world, host, **more):
    running = world.start(**more)
    wait_until(lambda: (host.root / "here").exists())
    return running


def test_terminate_ends_the_run_and_still_says_what_became_of_each_host(world, host):
    running = started(world, host)
    programs = everything_of(run_name(1))
    assert any("ansible-playbook" in " ".join(one.argv) for one in programs)

    began = time.monotonic()
    running.terminate()
    outcome = running.wait(15)

    assert time.monotonic() - began < 10
    assert (outcome.state, states(outcome)) == (RunState.CANCELED, {"web1": "skipped"})
    assert outcome.detail == "ended on request; deploy again to bring the hosts to one state"
    assert living.wait_gone(programs, 5) == ()


def test_kill_ends_the_run_at_once(world, host):
    running = started(world, host)
    programs = everything_of(run_name(1))

    running.kill()

    assert running.wait(5).state is RunState.CANCELED
    assert living.wait_gone(programs, 5) == ()


def test_a_run_over_its_time_is_a_failure(world, host):
    began = time.monotonic()
    outcome = world.deploy(limits=dataclasses.replace(LIMITS, deploy_seconds=4.0))

    assert time.monotonic() - began < 12
    assert outcome.state is RunState.FAILED
    assert outcome.detail.startswith("did not end within ")
    assert leftovers([run_name(1)]) == ()


LAUNCHER = """\
import json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gitops_hooks.edge.launch_box import box_command
from gitops_hooks.edge.launch_child import Child
from gitops_hooks.edge.launch_wire import Job, encode
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment
from gitops_hooks.model.policy import Environment

told = json.loads(sys.argv[2])
environment = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inventory", None, "policy:1")
deployment = Deployment("r1", environment, "c" * 40, 1, told["run"])
credentials = Credentials(("web1",), Path(told["key"]), Path(told["known_hosts"]))
command = box_command(told["run"], credentials)
laid = tuple(name for name, _ in credentials.files)
plugins = ("gitops_hooks.plugins.ansible.deployer",)
child = Child([*told["between"], *command])
job = Job(
    deployment, ("web1",), laid, credentials.network, door=False, plugins=plugins,
    connect_seconds=60.0, run_seconds=60.0, tree_bytes=1_000_000,
)
child.feed(encode(job), [(path, 0o100644, text.encode()) for path, text in told["tree"].items()])
time.sleep(60)
"""
# Stands where sudo stands: a program between, which lives on when its parent dies.
BETWEEN = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]


@pytest.mark.parametrize("between", [[], BETWEEN], ids=["alone", "with a program between"])
def test_when_the_reconciler_is_killed_nothing_survives(world, host, between):
    told = {
        "run": run_name(0),
        "key": str(world.key),
        "known_hosts": str(world.known_hosts),
        "tree": world.tree,
        "between": between,
    }
    package = str(Path(__file__).parents[2])
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, package, json.dumps(told)])
    try:
        wait_until(lambda: (host.root / "here").exists())
        programs = everything_of(run_name(0))
        assert any("ansible-playbook" in " ".join(one.argv) for one in programs)
    finally:
        launcher.kill()
        launcher.wait()

    assert living.wait_gone(programs, 5) == ()


def test_leftovers_are_found_by_their_run_id_and_ended_alone(world, host):
    started(world, host)
    world.tree["site.yml"] = SLOW.replace("web1", "web2")
    other = started(world, world.hosts[1])
    programs = everything_of(run_name(1))

    assert end_leftovers([run_name(1)]) == ()

    assert living.wait_gone(programs, 5) == ()
    assert leftovers([run_name(2)]) != ()
    assert other.read() is not None and other.outcome is None


def test_the_next_run_brings_the_host_on_after_all_this(world, host):
    started(world, host).kill()
    host.sshd.pause()  # what was left on the host ends too
    host.sshd.start_again()
    world.tree["site.yml"] = SLOW.replace("sleep 60", "true")

    outcome = world.deploy()

    assert (outcome.state, details(outcome)) == (RunState.SUCCESSFUL, {"web1": ""})
