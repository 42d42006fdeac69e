"""`mode: both` with the real agent: what cannot be reached brings itself there, and nothing runs twice at once."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.agent.pulling import Agent, end, lay_agent
from tests.answers import Event, change_number
from tests.environments.conftest import ENVIRONMENT as PUSHED
from tests.hosts import DeployedHost, inventory
from tests.waiting import so_far, wait_until
from tests.world import POLICY, Template, World

ENVIRONMENT = f"{PUSHED}    mode: both\n"
# A run stays in the middle for as long as `hold` is there, and each leaves a begin and an end.
SITE = """\
---
- name: Site
  hosts: web
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.shell: echo begun >> {{ root }}/stamps
    - name: Page
      ansible.builtin.copy:
        src: page
        dest: "{{ root }}/page"
        mode: "0644"
    - name: Middle
      ansible.builtin.shell: while test -e {{ root }}/hold; do sleep 0.1; done
    - name: End
      ansible.builtin.shell: echo ended >> {{ root }}/stamps
"""
ASIDE = re.compile("run [0-9a-f]+ works on web2; it is caught up when that run is over")

pytestmark = pytest.mark.timeout(600)


@dataclass(slots=True)
class Both:
    """Two hosts that the server goes to; web2 has an agent besides."""

    world: World
    web1: DeployedHost
    web2: DeployedHost
    agent: Agent

    def land(self, page: str) -> str:
        number = change_number(self.world.propose("alice", {"page": page}).must())
        self.world.approve("bob", number).must()
        return self.world.refs()["refs/heads/main"]

    def events(self) -> list[Event]:
        return self.world.events("refs/environments/staging/log")

    def count(self, kind: str) -> int:
        return sum(event.fact("Event") == kind for event in self.events())

    def newest(self, kind: str) -> Event:
        return next(event for event in reversed(self.events()) if event.fact("Event") == kind)

    def stamps(self, host: DeployedHost) -> list[str]:
        return (host.holds("stamps") or "").splitlines()

    def are_deployed(self, commit: str) -> None:
        self.await_that(lambda: self.world.refs().get("refs/environments/staging/deployed") == commit)

    def await_that(self, holds: Callable[[], object]) -> None:
        wait_until(holds, words=self.told)

    def told(self) -> str:
        return self.world.ssh("bob", "env log staging").out + so_far(self.agent.folder / "agent.log")

    def no_run_overlaps(self) -> None:
        """Each begin is followed by its own end, on each host."""
        for host in (self.web1, self.web2):
            stamps = self.stamps(host)
            assert stamps == ["begun", "ended"] * (len(stamps) // 2), stamps


@pytest.fixture
def both() -> Iterator[Both]:
    template = Template.build(POLICY)
    world = World.copied_from(template)
    template.remove()
    try:
        web1, web2 = world.start_hosts("web1", "web2")
        world.grant_hosts([web1, web2])
        limits = "[limits]\nfollow_seconds = 1\nretry_seconds = 600\n"
        file = world.home.server_file
        text = re.sub(r"(?m)^(follow|retry)_seconds = .*\n", "", file.read_text())
        file.write_text(text.replace("[limits]\n", limits, 1))
        # The machine of web2: its agent has its home, its root and its host key.
        both = Both(world, web1, web2, Agent(world, web2.folder, host="web2"))
        lay_agent(both.agent)
        both.agent.set(host_key='"sshd/host_key"')
        files = {"site.yml": SITE, "page": "first\n", "inventories/staging/hosts.yml": inventory([web1, web2])}
        number = change_number(world.propose("alice", {**files, ".gitops/policy.yaml": POLICY + ENVIRONMENT}).must())
        world.approve("bob", number).must()
        both.are_deployed(world.refs()["refs/heads/main"])
        yield both
    finally:
        for host in world.hosts.values():
            (host.root / "hold").unlink(missing_ok=True)
        for process in both.agent.running:
            end(process)
        world.close()


def test_a_push_reaches_who_answers_and_the_agent_of_the_other_brings_it_there(both: Both) -> None:
    both.agent.start()
    both.web2.sshd.pause()
    second = both.land("second\n")
    both.await_that(lambda: both.web2.holds("page") == "second\n")
    assert both.web1.holds("page") == "second\n"
    release = both.newest("released")
    assert release.fact("Hosts") == "web2" and release.fact("Commit") == second
    both.are_deployed(second)
    assert both.stamps(both.web2) == ["begun", "ended"] * 2
    told = both.agent.report()["hosts"]
    assert [(one["name"], one["commit"], one["sync"]) for one in told] == [("web2", second, "synced")]

    # Its sshd is back: nothing is left to do, for whoever looks.
    before = (len(both.stamps(both.web1)), len(both.stamps(both.web2)), both.count("started"))
    both.web2.sshd.start_again()
    both.world.admin("reconcile", "--ensure").must()
    time.sleep(8)
    assert (len(both.stamps(both.web1)), len(both.stamps(both.web2)), both.count("started")) == before
    assert both.agent.run("status").out.splitlines()[0].startswith("staging: 1 of 1 hosts synced")

    # What lands next is pushed to both, and the agent leaves its host to the server again.
    third = both.land("third\n")
    both.are_deployed(third)
    assert (both.web1.holds("page"), both.web2.holds("page")) == ("third\n", "third\n")
    both.await_that(lambda: both.agent.run("status").out.startswith("staging: nothing is released to its hosts"))
    assert len(both.stamps(both.web2)) == before[1] + 2
    both.no_run_overlaps()


def test_a_push_finds_the_agent_at_work_sets_the_host_aside_and_the_agent_goes_on(both: Both) -> None:
    both.agent.start()
    both.web2.sshd.pause()
    (both.web2.root / "hold").touch()
    second = both.land("second\n")
    both.await_that(lambda: both.web2.holds("page") == "second\n")
    both.web2.sshd.start_again()

    # The server goes to both while the agent is in the middle of its run.
    both.world.ssh("bob", "env deploy staging")
    both.await_that(lambda: any(ASIDE.search(event.fact("Hosts") or "") for event in both.events()))
    # What is released anew is fetched by the agent while it still works, and brought there after that.
    both.await_that(lambda: both.count("released") == 2)
    log = both.world.refs()["refs/environments/staging/log"]
    both.await_that(lambda: both.agent.mirrored("refs/environments/staging/log") == log)
    assert both.stamps(both.web2)[-1] == "begun"
    (both.web2.root / "hold").unlink()
    both.are_deployed(second)
    both.no_run_overlaps()


def test_an_agent_finds_the_server_at_work_waits_and_does_not_bring_back_what_is_older(both: Both) -> None:
    both.web2.sshd.pause()
    both.land("second\n")
    both.await_that(lambda: both.count("released"))
    both.web2.sshd.start_again()
    (both.web2.root / "hold").touch()
    third = both.land("third\n")
    both.await_that(lambda: both.web2.holds("page") == "third\n")
    code, words = both.agent.once()
    assert code == 1 and ASIDE.search(words), words
    assert both.web2.holds("page") == "third\n"
    (both.web2.root / "hold").unlink()
    both.are_deployed(third)
    assert both.agent.once() == (0, "nothing is released to its hosts: the server has brought them there itself")
    assert both.web2.holds("page") == "third\n"
    both.no_run_overlaps()
