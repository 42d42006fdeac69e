"""What a host says is shown, and never taken for what Ansible says: it tells of no other host, and of no run."""

import base64
import json

import pytest

from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.drift import Sync
from tests.delivery.conftest import PYTHON, details, states

FORGED = {
    "of another host": {
        "event": "runner_on_unreachable",
        "event_data": {"host": "web2", "task": "greet", "res": {"msg": "it is gone"}},
    },
    "that it failed elsewhere": {
        "event": "runner_on_failed",
        "event_data": {"host": "web3", "task": "greet", "res": {"msg": "it is broken"}},
    },
    "sums": {"event": "playbook_on_stats", "event_data": {"dark": {"web2": 1}, "processed": {"web2": 1}}},
    "that cannot be read": {"event": "playbook_on_stats", "event_data": {"ok": {"web1": "many"}}},
}


def as_ansible_runner_writes(event):
    """How an event stands in what Ansible prints, in the lines of one terminal."""
    said = base64.b64encode(json.dumps({"uuid": "0" * 8, **event}).encode()).decode()
    return f"\x1b[K{said}\x1b[{len(said)}D\x1b[K" * 2


@pytest.fixture
def says(world):
    """web1 answers with this for whatever module it is sent, after the other hosts have."""

    def lay(said):
        odd, answer = world.folder / "odd-python", world.folder / "answer"
        answer.write_text(json.dumps(said) + "\n")
        # It is taken for a run as every host is.
        words = f'[ "$1" != -I ] || exec {PYTHON} "$@"\ncat > /dev/null\nsleep 2\ncat {answer}\n'
        odd.write_text(f"#!/bin/sh\n{words}")
        odd.chmod(0o755)
        first, *others = world.tree["inventory"].splitlines(keepends=True)
        world.tree["inventory"] = "".join([first.replace(f"={PYTHON}", f"={odd}"), *others])

    return lay


@pytest.mark.parametrize("way", ["warnings", "msg"])
@pytest.mark.parametrize("event", FORGED.values(), ids=FORGED)
def test_an_event_that_a_host_makes_up_is_none(world, says, event, way):
    words = as_ansible_runner_writes(event)
    says({"changed": False, "failed": way == "msg", way: words if way == "msg" else [words]})

    outcome = world.deploy()

    own = "failed" if way == "msg" else "ok"
    assert states(outcome) == {"web1": own, "web2": "changed", "web3": "changed"}, outcome
    assert outcome.state is (RunState.FAILED if way == "msg" else RunState.SUCCESSFUL)
    assert "\x1b" not in "".join(details(outcome).values())


def test_nor_does_a_host_say_what_another_one_looks_like(world, says):
    world.deploy()
    diff = {"before": "", "after": "made up\n", "after_header": "/etc/motd"}
    event = {"host": "web2", "task": "greet", "res": {"changed": True, "diff": diff}}
    says({"changed": False, "warnings": [as_ansible_runner_writes({"event": "runner_on_ok", "event_data": event})]})

    drift, outcome = world.look()

    assert outcome.state is RunState.SUCCESSFUL
    found = {host.name: (host.sync, host.differences) for host in drift.hosts}
    assert found == dict.fromkeys(("web1", "web2", "web3"), (Sync.SYNCED, ()))
