"""The agent lies beside whatever else is on the machine, begins when its file is filled in, and goes again."""

from tests.machine.machine import CHECKOUT, Machine
from tests.machine.server import listing

AGENT = "/usr/local/bin/gitops-hooks-agent"
FILE = "/etc/gitops-hooks/agent.toml"
UNIT = "/etc/systemd/system/gitops-hooks-agent.service"


def install_agent(machine: Machine, *words: str) -> str:
    return machine.run(str(CHECKOUT / "install.sh"), "agent", *words, seconds=600).must().out


def test_it_says_what_is_missing_starts_under_systemd_and_leaves_its_file_when_it_goes(machine: Machine) -> None:
    said = install_agent(machine)
    key = machine.run("cat", "/etc/gitops-hooks/agent_key.pub").must().out
    assert f"\nIts key, which the server's administrator adds for this host:\n  {key}" in said
    assert said.endswith(f"\n  {AGENT} --check\n  {AGENT}\n")
    assert machine.run("stat", "-c", "%a %U", FILE).out == "600 root\n"
    told = machine.run(AGENT, "--check")
    assert told.code == 2
    assert told.err.splitlines()[:3] == [
        "gitops: agent.toml:2: 'name' has a value that cannot be used: ''",
        "gitops: agent.toml:3: 'url' has a value that cannot be used: ''",
        "gitops: agent.toml:5: 'known_hosts': there is no file /etc/gitops-hooks/agent_known_hosts",
    ]
    machine.run("mkdir", "-p", "/run/systemd/system").must()
    # systemd cannot run here; what it is asked is written down.
    machine.write("/usr/local/sbin/systemctl", '#!/bin/sh\necho "$@" >>/run/asked\n')
    machine.run("chmod", "+x", "/usr/local/sbin/systemctl").must()
    before = listing(machine, "/etc", "/opt/gitops-hooks-agent", "/usr/local/bin")
    install_agent(machine)
    assert listing(machine, "/etc", "/opt/gitops-hooks-agent", "/usr/local/bin") == before
    assert machine.run("cat", "/run/asked").out.splitlines() == [
        "daemon-reload",
        "enable --quiet gitops-hooks-agent.service",
        "restart gitops-hooks-agent.service",
    ]
    assert f"\nExecStart={AGENT}\nRestart=always\n" in machine.run("cat", UNIT).must().out
    install_agent(machine, "--remove")
    assert machine.run("tail", "-n", "1", "/run/asked").out == "disable --now --quiet gitops-hooks-agent.service\n"
    gone = (AGENT, UNIT, "/opt/gitops-hooks-agent")
    assert [path for path in gone if machine.run("test", "-e", path).code == 0] == []
    stays = (FILE, "/etc/gitops-hooks/agent_key", "/opt/gitops-hooks/current")
    assert [path for path in stays if machine.run("test", "-e", path).code] == []
