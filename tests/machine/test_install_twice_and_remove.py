"""The installation changes what it must, once; the removal closes access before anything else."""

from pathlib import Path

import pytest

from tests.machine.conftest import Installation
from tests.machine.machine import Machine
from tests.machine.server import CREDENTIALS, HOME, Server, install, listing
from tests.waiting import wait_until

PLACES = ("/etc", "/opt/gitops-hooks", "/usr/local/bin", HOME)


def test_a_second_installation_changes_nothing(machine: Machine) -> None:
    before = listing(machine, *PLACES)
    said = install(machine).must().out.splitlines()
    assert listing(machine, *PLACES) == before
    acts = [
        line
        for line in said[: said.index("")]
        if not line.startswith(f"install: laying the hooks of this release in {HOME}")
    ]
    assert acts == [
        "install: no SSH server runs here; start it, for example with:  /usr/sbin/sshd",
        "install: neither systemd nor cron runs here; every push starts the reconciler, or you do:"
        f"  {HOME}/bin/gitops-reconcile --ensure",
    ]


def test_the_machine_itself_stays_as_it_was(installation: Installation) -> None:
    assert "useradd" in installation.said
    assert Path("/etc/passwd").read_text() == installation.people_before


def test_a_running_sshd_is_told_and_keeps_no_key_after_removal(server: Server) -> None:
    assert server.ssh("bob", "whoami").must().out.startswith("bob")
    said = install(server.on_it, "--remove").must().out.splitlines()
    assert said[0] == f"install: taking our keys out of {HOME}/authorized_keys"
    assert said[1] == "+ rm -f /etc/ssh/sshd_config.d/gitops-hooks.conf"
    assert server.ssh("bob", "whoami").code == 255
    gone = (
        "/etc/sudoers.d/gitops-hooks",
        "/etc/cron.d/gitops-hooks",
        "/usr/local/bin/gitops-hooks",
        "/opt/gitops-hooks",
    )
    assert [path for path in gone if server.on_it.run("test", "-e", path).code == 0] == []
    stays = (f"{HOME}/repositories/site.git/HEAD", f"{HOME}/users.toml", f"{HOME}/server_key", CREDENTIALS)
    assert [path for path in stays if server.on_it.run("test", "-e", path).code] == []
    assert "gitops-reconcile" not in server.on_it.run("ps", "-e", "-o", "args").out
    # And what was closed is opened again by installing it anew.
    install(server.on_it).must()
    assert server.ssh("bob", "whoami").must().out.startswith("bob")


@pytest.mark.parametrize(
    "stuck", ["/etc/sudoers.d/gitops-hooks", "/usr/local/bin/gitops-hooks", "/opt/gitops-hooks/releases"]
)
def test_a_removal_that_stops_half_way_has_closed_access_before(server: Server, stuck: str) -> None:
    # What is mounted upon cannot be removed.
    server.on_it.run("mount", "--bind", stuck, stuck).must()
    stopped = install(server.on_it, "--remove")
    assert stopped.code != 0
    assert server.ssh("bob", "whoami").code == 255
    assert server.run("bob", "git", "ls-remote", "host:site", where=server.person("bob")).code == 128


def test_under_systemd_the_unit_is_enabled_and_the_reconciler_of_this_release_started(machine: Machine) -> None:
    machine.run("mkdir", "-p", "/run/systemd/system").must()
    # systemd cannot run here; what it is asked is written down.
    machine.write("/usr/local/sbin/systemctl", '#!/bin/sh\necho "$@" >>/run/asked\n')
    machine.run("chmod", "+x", "/usr/local/sbin/systemctl").must()
    install(machine).must()
    assert machine.run("cat", "/run/asked").out.splitlines() == [
        "reload ssh.service",
        "daemon-reload",
        "enable --quiet gitops-hooks-reconcile.service",
        "restart gitops-hooks-reconcile.service",
    ]
    unit = machine.run("cat", "/etc/systemd/system/gitops-hooks-reconcile.service").must().out
    assert f"\nUser=git\nExecStart={HOME}/bin/gitops-reconcile\nRestart=always\n" in unit
    assert machine.run("test", "-e", "/etc/cron.d/gitops-hooks").code == 1
    install(machine, "--remove").must()
    assert machine.run("cat", "/run/asked").out.splitlines()[4:] == [
        "reload ssh.service",
        "disable --now --quiet gitops-hooks-reconcile.service",
    ]
    assert machine.run("test", "-e", "/etc/systemd/system/gitops-hooks-reconcile.service").code == 1


def test_a_user_of_the_same_name_with_another_home_stops_it_before_anything_is_changed(machine: Machine) -> None:
    machine.run("usermod", "--home", "/home/git", "git").must()
    before = listing(machine, *PLACES)
    refused = install(machine)
    assert refused.code == 2
    assert refused.err == (
        "install: there is a user git already, with another home (/home/git)\n"
        "install: Name another one:  GITOPS_HOOKS_USER=gitops GITOPS_HOOKS_DEPLOY_USER=gitops-deploy"
        " ./install.sh server\n"
    )
    assert listing(machine, *PLACES) == before


def test_cron_starts_the_reconciler_within_a_minute_and_doctor_is_content(server: Server) -> None:
    machine = server.on_it
    failed = [line for line in server.admin("doctor").out.splitlines() if line.startswith("FAIL")]
    unread = "starts it, but systemd does not run here", "starts it, but no cron runs here"
    assert failed == [
        f"FAIL  reconciler: /etc/systemd/system/gitops-hooks-reconcile.service {unread[0]}",
        f"FAIL  reconciler: /etc/cron.d/gitops-hooks {unread[1]}",
    ]
    machine.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "cron", seconds=300).must()
    machine.run("cron").must()
    wait_until(lambda: machine.run("test", "-e", f"{HOME}/run/reconcile.pid").code == 0)
    content = server.admin("doctor")
    assert content.code == 0, content.out
    assert "ok    reconciler: is kept alive by cron\n" in content.out
