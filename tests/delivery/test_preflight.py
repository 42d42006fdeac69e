"""The connections by which a run holds its hosts: they cost next to nothing while nothing is said."""

import time
from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Workplace
from gitops_hooks.model.policy import Environment
from gitops_hooks.plugins.ansible.preflight import check_hosts
from gitops_hooks.plugins.ansible.target import Target
from tests.delivery.conftest import run_name
from tests.delivery.test_fence import holder
from tests.waiting import wait_until

SECONDS = 3.0


def wakings(thread) -> int:
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def test_a_silent_connection_is_looked_at_now_and_then_and_ends_when_it_is_closed(world, tmp_path):
    host = world.hosts[0]
    environment = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inventory", None, "policy:1")
    deployment = Deployment("r1", environment, "c" * 40, 1, run_name(1), None)
    workplace = Workplace(tmp_path, tmp_path, Credentials(("web1",), world.key, world.known_hosts))
    target = Target("web1", host.sshd.address, host.sshd.port, world.user)

    (ready,), aside = check_hosts([target], deployment, workplace)
    thread = ready.client.get_transport()
    assert (aside, len(holder(host))) == ((), 1)
    before = wakings(thread)
    time.sleep(SECONDS)
    # Ten times a second is what paramiko does by itself, and each look is one waking or two.
    assert wakings(thread) - before < 5 * SECONDS

    ready.close()
    thread.join(10)
    assert not thread.is_alive()
    wait_until(lambda: holder(host) == [])
