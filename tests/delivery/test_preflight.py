"""The connections by which a run holds its hosts: they cost next to nothing while nothing is said."""

import os
import signal
import socket
import time
from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Workplace
from gitops_hooks.model.policy import Environment
from gitops_hooks.plugins.ansible import fence, preflight
from gitops_hooks.plugins.ansible.preflight import check_hosts
from gitops_hooks.plugins.ansible.target import Target
from tests.delivery.conftest import run_name
from tests.delivery.test_fence import holder
from tests.waiting import wait_until

SECONDS = 3.0


def wakings(thread) -> int:
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def ready_hosts(world, folder, *hosts):
    """Those that are ready, and a run's own until they are closed; and those that are not."""
    environment = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inventory", None, "policy:1")
    deployment = Deployment("r1", environment, "c" * 40, 1, run_name(1), None)
    workplace = Workplace(folder, folder, Credentials(("web1",), world.key, world.known_hosts))
    targets = [Target(host.name, host.sshd.address, host.sshd.port, world.user) for host in hosts]
    return check_hosts(targets, deployment, workplace)


def test_a_line_that_breaks_keeps_no_other_host_from_hearing_of_the_run(world, tmp_path, monkeypatch):
    monkeypatch.setattr(fence, "_LIFE_SECONDS", 0.05)
    (broken, well), _ = ready_hosts(world, tmp_path, *world.hosts[:2])
    (program,) = holder(world.hosts[0])
    session = int(Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(session, signal.SIGSTOP)
    try:
        # Nothing can be sent there any more, and nothing says so.
        broken.client.get_transport().sock.shutdown(socket.SHUT_WR)
        channel = well.taken.channel
        with fence.Life((broken.taken, well.taken)):
            before = channel.out_window_size
            wait_until(lambda: channel.out_window_size <= before - 3, seconds=10)
    finally:
        broken.close()
        well.close()
        os.kill(session, signal.SIGCONT)


def test_hosts_that_begin_to_change_keys_and_never_end_keep_no_other_from_hearing_of_the_run(
    world, tmp_path, monkeypatch
):
    monkeypatch.setattr(fence, "_LIFE_SECONDS", 0.05)
    monkeypatch.setattr(preflight, "LINE_SECONDS", 1.0)
    (*stalled, well), _ = ready_hosts(world, tmp_path, *world.hosts)
    sessions = []
    try:
        for host, one in zip(world.hosts, stalled, strict=False):
            (program,) = holder(host)
            sessions.append(int(Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[1]))
            os.kill(sessions[-1], signal.SIGSTOP)
            # As where the host's side begins it: until both have new keys nothing else may be said.
            one.client.get_transport()._send_kex_init()
        channel = well.taken.channel
        with fence.Life(tuple(one.taken for one in (*stalled, well))):
            before = channel.out_window_size
            # One second at most for each round, and no thirty for each host.
            wait_until(lambda: channel.out_window_size <= before - 3, seconds=15)
    finally:
        for session in sessions:
            os.kill(session, signal.SIGCONT)
        for one in (*stalled, well):
            one.close()


def test_a_silent_connection_is_looked_at_now_and_then_and_ends_when_it_is_closed(world, tmp_path):
    host = world.hosts[0]
    (ready,), aside = ready_hosts(world, tmp_path, host)
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
