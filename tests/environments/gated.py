"""A server with staging and production, a host each, whose gates the tests open and close; one for all of a file."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.answers import Result, change_number
from tests.hosts import DeployedHost, inventory
from tests.waiting import wait_until
from tests.world import POLICY, Template, World

PLAY = """\
---
- name: Site
  hosts: web
  gather_facts: false
  tasks:
    - name: Page
      ansible.builtin.copy:
        src: page
        dest: "{{ root }}/page"
        mode: "0644"
    - name: Stay
      ansible.builtin.shell: while test -e {{ root }}/stay; do sleep 0.1; done
      changed_when: false
    - name: Disk
      ansible.builtin.command: test ! -e {{ root }}/full
      changed_when: false
"""
HEAD = """\
environments:
  - name: staging
    branch: main
    playbook: site.yml
    inventory: inventories/staging
"""
PRODUCTION = """\
  - name: production
    branch: main
    playbook: site.yml
    inventory: inventories/production
"""


@dataclass(slots=True)
class Gated:
    """The server, and what people do with it."""

    world: World
    hosts: dict[str, DeployedHost]

    def land(self, files: Mapping[str, str | None]) -> Result:
        """alice proposes and bob approves, which lands it; answers what bob's push shows."""
        number = change_number(self.world.propose("alice", files).must())
        return self.world.approve("bob", number).must()

    def gates(self, staging: str = "", production: str = "", rule: str = "") -> None:
        """Bring a policy with these lines into force, unless it is."""
        text = whole(staging, production, rule)
        if text != self.world.show("refs/heads/main:.gitops/policy.yaml"):
            self.land({".gitops/policy.yaml": text})

    def page(self, environment: str) -> str | None:
        return self.hosts[environment].holds("page")

    def facts(self, environment: str) -> Any:  # JSON, as programs get it
        return json.loads(self.world.ssh("bob", f"env show {environment} --json").must().out)

    def show(self, environment: str) -> list[str]:
        return self.world.ssh("bob", f"env show {environment}").must().out.splitlines()

    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def ref(self, environment: str, name: str) -> str | None:
        return self.world.refs().get(f"refs/environments/{environment}/{name}")

    def kinds(self, environment: str) -> list[str]:
        return [event.fact("Event") for event in self.world.events(f"refs/environments/{environment}/log")]

    def await_that(self, holds: Callable[[], object]) -> None:
        wait_until(holds, words=lambda: (self.show("staging"), self.show("production")))

    def await_state(self, environment: str, state: str) -> Any:  # as above
        self.await_that(lambda: self.facts(environment)["state"] == state)
        return self.facts(environment)

    def await_page(self, environment: str, page: str) -> None:
        self.await_that(lambda: self.page(environment) == page and self.facts(environment)["state"] != "running")

    def staying(self, environment: str) -> "Staying":
        return Staying(self.hosts[environment])

    def limit(self, **seconds: float) -> None:
        """Set limits in the server's file."""
        file = self.world.home.server_file
        text = file.read_text()
        for name, value in seconds.items():
            text = re.sub(rf"(?m)^{name} = .*\n", "", text)
            text = text.replace("[limits]\n", f"[limits]\n{name} = {value}\n", 1)
        file.write_text(text)


@dataclass(slots=True)
class Staying:
    """Runs on this host do not end while this is entered."""

    host: DeployedHost

    def __enter__(self) -> None:
        (self.host.root / "stay").touch()

    def __exit__(self, *error: object) -> None:
        (self.host.root / "stay").unlink(missing_ok=True)


def whole(staging: str = "", production: str = "", rule: str = "") -> str:
    """The policy with these lines in its environments and in the rule of main."""
    policy = POLICY.replace("    checks:", f"{_deep(rule, 4)}    checks:", 1).replace("yaml, secrets", "yaml")
    return f"{policy}{HEAD}{_deep(staging, 4)}{PRODUCTION}{_deep(production, 4)}"


def _deep(lines: str, depth: int) -> str:
    return "".join(f"{' ' * depth}{line}\n" for line in lines.splitlines())


@contextmanager
def gated(**limits: float) -> Iterator[Gated]:
    """Both environments hold the first page; the reconciler runs, started by the pushes themselves."""
    template = Template.build(whole())
    world = World.copied_from(template)
    template.remove()
    try:
        hosts = {name: world.add_hosts(f"{name}1", environment=name)[0] for name in ("staging", "production")}
        found = Gated(world, hosts)
        found.limit(retry_seconds=600, follow_seconds=30, **limits)
        files = {f"inventories/{name}/hosts.yml": inventory([host]) for name, host in hosts.items()}
        found.land({"site.yml": PLAY, "page": "first\n", **files})
        for name in hosts:
            found.await_page(name, "first\n")
        yield found
    finally:
        world.close()
