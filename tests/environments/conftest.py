"""A server whose environment has two real hosts, brought by pushes alone to what main says."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from gitops_hooks.edge import living
from tests.answers import Result, change_number
from tests.hosts import DeployedHost, inventory
from tests.waiting import wait_until
from tests.world import POLICY, Template, World

ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    playbook: site.yml
    inventory: inventories/staging
"""
SITE = """\
---
- name: Site
  hosts: web
  gather_facts: false
  tasks:
    - name: Disk
      ansible.builtin.command: test ! -e {{ root }}/full
      changed_when: false
    - name: Page
      ansible.builtin.copy:
        src: page
        dest: "{{ root }}/page"
        mode: "0644"
"""


@dataclass(slots=True)
class Site:
    """What people do with it, and what the hosts hold."""

    world: World
    hosts: list[DeployedHost]

    def land(self, files: Mapping[str, str | None], message: str = "A change") -> Result:
        """alice proposes and bob approves, which lands it; answers what bob's push shows."""
        number = change_number(self.world.propose("alice", files, message).must())
        return self.world.approve("bob", number).must()

    def pages(self) -> list[str | None]:
        return [host.holds("page") for host in self.hosts]

    def show(self) -> str:
        return self.world.ssh("bob", "env show staging").must().out

    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def ref(self, name: str) -> str | None:
        return self.world.refs().get(f"refs/environments/staging/{name}")

    def kill_reconciler(self) -> None:
        """It has ended when this returns: who asks then for one gets another."""
        mine = f"{self.world.home.path}/bin/gitops-reconcile"
        found = [one for one in living.list_living() if any(mine in word for word in one.argv)]
        assert found and not living.end(found, gentle_seconds=0)

    def await_that(self, holds: Callable[[], bool]) -> None:
        wait_until(holds, words=self.show)

    def retry_after(self, seconds: int) -> None:
        self._limit("retry_seconds", seconds)

    def follow_for(self, seconds: int) -> None:
        self._limit("follow_seconds", seconds)

    def _limit(self, name: str, seconds: int) -> None:
        file = self.world.home.server_file
        text = re.sub(rf"{name} = \d+\n", "", file.read_text())
        file.write_text(text.replace("[limits]\n", f"[limits]\n{name} = {seconds}\n", 1))


@pytest.fixture(scope="session")
def staged() -> Iterator[Template]:
    template = Template.build(POLICY + ENVIRONMENT)
    yield template
    template.remove()


@pytest.fixture(scope="session")
def without() -> Iterator[Template]:
    """A server whose policy has no environment yet."""
    template = Template.build(POLICY)
    yield template
    template.remove()


@pytest.fixture
def site(staged: Template) -> Iterator[Site]:
    with open_site(staged) as site:
        yield site


@contextmanager
def open_site(
    staged: Template, playbook: str = SITE, names: Sequence[str] = ("web1", "web2"), policy: str = "", follow: int = 0
) -> Iterator[Site]:
    """These hosts hold the first page; the reconciler runs, started by the pushes themselves.

    `policy` comes with that page where it is given, and pushes show for `follow` seconds what follows.
    """
    world = World.copied_from(staged)
    try:
        site = Site(world, world.add_hosts(*names))
        site.retry_after(600)
        if follow:
            site.follow_for(follow)
        files = {"site.yml": playbook, "page": "first\n", "inventories/staging/hosts.yml": inventory(site.hosts)}
        site.land({**files, **({".gitops/policy.yaml": policy} if policy else {})})
        assert site.pages() == ["first\n"] * len(names)
        yield site
    finally:
        world.close()
