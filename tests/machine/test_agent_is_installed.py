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


def test_killed_while_its_key_is_made_it_has_a_whole_one_the_next_time(machine: Machine) -> None:
    keygen = '#!/bin/sh\n/usr/bin/ssh-keygen "$@"\nfor file; do :; done\nrm "$file.pub"\nkill -9 "$PPID"\n'
    machine.write("/usr/local/sbin/ssh-keygen", keygen)
    machine.run("chmod", "+x", "/usr/local/sbin/ssh-keygen").must()
    killed = machine.run(str(CHECKOUT / "install.sh"), "agent", seconds=600)
    assert killed.code not in (0, 1, 2), killed.err
    machine.run("rm", "/usr/local/sbin/ssh-keygen").must()
    install_agent(machine)
    private, public = "/etc/gitops-hooks/agent_key", machine.run("cat", "/etc/gitops-hooks/agent_key.pub").must().out
    assert machine.run("ssh-keygen", "-y", "-f", private).must().out.split()[:2] == public.split()[:2]
    assert machine.run("sh", "-c", f"ls {private}*").must().out.split() == [private, f"{private}.pub"]


TIMER = UNIT.replace(".service", ".timer")
ONCE = f"\nType=oneshot\nExecStart={AGENT} --once\n"


def asked(machine: Machine) -> list[str]:
    """What systemd was asked since it was read last."""
    lines = machine.run("cat", "/run/asked").out.splitlines()
    machine.run("rm", "-f", "/run/asked")
    return lines


def test_a_timer_takes_the_place_of_what_waits_and_gives_it_back(machine: Machine) -> None:
    assert install_agent(machine, "--timer").endswith(f"\n  {AGENT} --check\n  {AGENT} --once\n")
    machine.run("mkdir", "-p", "/run/systemd/system").must()
    machine.write("/usr/local/sbin/systemctl", '#!/bin/sh\necho "$@" >>/run/asked\n')
    machine.run("chmod", "+x", "/usr/local/sbin/systemctl").must()
    assert "\nOnUnitInactiveSec=60\nRandomizedDelaySec=6\n" in machine.run("cat", TIMER).must().out
    assert ONCE in machine.run("cat", UNIT).must().out

    # The seconds are those of its file, and whoever updates does not have to know which way was chosen.
    machine.run("sed", "-i", "1i interval = 305  # it sleeps", FILE).must()
    install_agent(machine)
    assert "\nOnUnitInactiveSec=305\nRandomizedDelaySec=31\n" in machine.run("cat", TIMER).must().out
    unit = "gitops-hooks-agent"
    assert asked(machine) == ["daemon-reload", f"enable --quiet {unit}.timer", f"restart {unit}.timer"]
    before = listing(machine, "/etc", "/usr/local/bin")
    install_agent(machine, "--timer")
    assert listing(machine, "/etc", "/usr/local/bin") == before
    asked(machine)

    # One way or the other: both at once would be two agents in one state folder.
    install_agent(machine, "--service")
    begun = ["daemon-reload", f"enable --quiet {unit}.service", f"restart {unit}.service"]
    assert asked(machine) == [f"disable --now --quiet {unit}.timer", *begun]
    assert machine.run("test", "-e", TIMER).code == 1
    assert f"\nExecStart={AGENT}\nRestart=always\n" in machine.run("cat", UNIT).must().out
    install_agent(machine, "--timer")
    begun = ["daemon-reload", f"enable --quiet {unit}.timer", f"restart {unit}.timer"]
    assert asked(machine) == [f"disable --now --quiet {unit}.service", *begun]
    assert ONCE in machine.run("cat", UNIT).must().out

    install_agent(machine, "--remove")
    assert asked(machine) == [f"disable --now --quiet {unit}.timer", f"disable --now --quiet {unit}.service"]
    assert [path for path in (AGENT, UNIT, TIMER) if machine.run("test", "-e", path).code == 0] == []


def test_a_timer_is_refused_where_it_cannot_be_meant(machine: Machine) -> None:
    install = str(CHECKOUT / "install.sh")
    both = machine.run(install, "agent", "--timer", "--service")
    assert (both.code, both.err) == (2, "install: --timer and --service exclude each other\n")
    removed = machine.run(install, "agent", "--remove", "--timer")
    words = "install: --remove takes away whatever keeps it running: leave --timer out\n"
    assert (removed.code, removed.err) == (2, words)
    mine = machine.run(
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "env",
        "HOME=/tmp/nobody",
        install,
        "agent",
        "--timer",
    )
    words = "install: a timer is the machine's: run this as root, or let cron run  "
    assert (mine.code, mine.err) == (2, f"{words}/tmp/nobody/.local/bin/gitops-hooks-agent --once\n")
