"""Processes killed, hosts stalled and gone, and people who cancel, pause and roll back, in the middle of rollouts.

Whatever happens: all converges by itself, no two runs meet on a host, what a host has applied never gets older, and
nothing stays "running".
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from gitops_hooks.edge import living
from tests.environments.conftest import ENVIRONMENT, Site
from tests.faults.test_reconciler_kills import run_processes
from tests.hosts import DeployedHost, inventory
from tests.world import POLICY, Template, World

SEED = 20261126
# Each task says when it begins and ends on a host, and in which generation that was.
STAMPS = """\
---
- name: Stamps
  hosts: web
  gather_facts: false
  tasks:
    - name: One
      ansible.builtin.shell: &stamp >-
        n=$(cat ~/.gitops-hooks/*/generation-* | cut -d' ' -f1); echo start $n >> {{{{ root }}}}/stamps;
        sleep 0.4; echo end $n >> {{{{ root }}}}/stamps
    - name: Two
      ansible.builtin.shell: *stamp
    - name: Page
      ansible.builtin.copy: {{content: "{page}\\n", dest: "{{{{ root }}}}/page", mode: "0644"}}
"""


@dataclass(slots=True)
class Storm:
    """The site, and what may befall it."""

    site: Site
    dice: random.Random
    also: str

    def within_a_run(self) -> None:
        time.sleep(self.dice.uniform(0.3, 4.0))

    def host(self) -> DeployedHost:
        return self.dice.choice(self.site.hosts)

    @property
    def troubles(self) -> list[Callable[[], None]]:
        """All of them, in an order of chance; of what people say one that is `also` said."""
        said: Callable[[], None] = getattr(self, self.also)
        found = [self.kill_on_the_server, self.kill_on_a_host, self.stall, self.take_down, self.roll_back, said]
        self.dice.shuffle(found)
        return found

    def kill_on_the_server(self) -> None:
        """The reconciler, or any process of its runs."""
        _kill_one(self.dice, run_processes(self.site.world))

    def kill_on_a_host(self) -> None:
        """A session, the fence, or what a task runs."""
        _kill_one(self.dice, _sessions(self.host()))

    def stall(self) -> None:
        host = self.host()
        stopped = [one for one in (*_sessions(host), *_servers(host)) if living.send(one, signal.SIGSTOP)]
        time.sleep(self.dice.uniform(0.5, 9.0))
        for one in stopped:
            living.send(one, signal.SIGCONT)

    def take_down(self) -> None:
        """Its sessions and their programs end with it, as when the power fails."""
        host = self.host()
        host.sshd.pause()
        time.sleep(self.dice.uniform(0.1, 3.0))
        host.sshd.start_again()

    def cancel(self) -> None:
        self.say("env cancel staging")
        self.say("env deploy staging")

    def pause(self) -> None:
        self.say("env pause staging")
        self.within_a_run()
        self.say("env resume staging")

    def roll_back(self) -> None:
        self.say("env rollback staging")
        self.within_a_run()
        self.say("env resume staging")

    def say(self, words: str) -> None:
        """Said at any moment, it may as well be refused: there may be nothing to cancel."""
        self.site.world.ssh("bob", words)


@pytest.fixture(params=[("linear", "cancel"), ("mitogen", "pause")])
def storm(request: pytest.FixtureRequest) -> Iterator[Storm]:
    strategy, also = request.param
    more = f"    strategy: {strategy}\n    batches: [1, 100%]\n    limit: all\n"
    template = Template.build(POLICY + ENVIRONMENT + more)
    world = World.copied_from(template)
    template.remove()
    try:
        server = world.home.server_file
        limits = "[limits]\nfollow_seconds = 0.5\nretry_seconds = 1\nretry_most_seconds = 2\nconnect_seconds = 3\n"
        # Ansible with Mitogen waits without end for a process of its own that was killed: silence ends such a run.
        limits += "idle_seconds = 45\n"
        server.write_text(server.read_text().replace("[limits]\n", limits, 1))
        yield Storm(Site(world, world.add_hosts("web1", "web2", "web3")), random.Random(SEED), also)
    finally:
        world.close()


@pytest.mark.timeout(1200)
def test_after_any_storm_all_is_as_desired_and_no_two_runs_have_met(storm: Storm) -> None:
    site = storm.site
    site.land({"site.yml": STAMPS.format(page=0), "inventories/staging/hosts.yml": inventory(site.hosts)})
    _calm(site, 0)
    troubles = storm.troubles
    for number, (first, second) in enumerate(zip(troubles[::2], troubles[1::2], strict=True), 1):
        site.land({"site.yml": STAMPS.format(page=number)})
        storm.within_a_run()
        first()
        storm.within_a_run()
        second()
        _calm(site, number)
    for host in site.hosts:
        _never_met(host)
    log = [event.fact("Event") for event in site.world.events("refs/environments/staging/log")]
    assert log.count("started") == log.count("finished")


def _calm(site: Site, number: int) -> None:
    """All hosts have this page by themselves, and the environment says so."""
    deadline = time.monotonic() + 200
    while site.ref("deployed") != site.tip() or not site.show().startswith("staging: Synced, Healthy\n"):
        assert time.monotonic() < deadline, site.show() + site.world.ssh("bob", "env log staging").out
        # As cron does.
        site.world.admin("reconcile", "--ensure")
        time.sleep(0.5)
    assert site.pages() == [f"{number}\n"] * len(site.hosts)


def _never_met(host: DeployedHost) -> None:
    """What began in one generation ended before anything of a later one began; a killed task has no end."""
    lines = [line.split(" ") for line in (host.holds("stamps") or "").splitlines()]
    numbers = [int(number) for _, number in lines]
    assert numbers == sorted(numbers), lines
    for (before, its), (word, number) in pairwise(lines):
        assert word == "start" or (before, its) == ("start", number), lines


def _kill_one(dice: random.Random, found: list[living.Living]) -> None:
    if found:
        living.send(dice.choice(found), signal.SIGKILL)


def _servers(host: DeployedHost) -> list[living.Living]:
    mark = str(host.sshd.folder)
    return [one for one in living.list_living() if any(mark in word for word in one.argv)]


def _sessions(host: DeployedHost) -> list[living.Living]:
    return [below for server in _servers(host) for below in living.descendants(server.pid)]
