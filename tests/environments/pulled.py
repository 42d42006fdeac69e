"""A server whose production is pulled: agents are keys and stock git at a desk, and report what the story says."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.agent_desk import AgentDesk
from tests.answers import Event, Result, change_number
from tests.waiting import wait_until
from tests.world import POLICY, Template, World

PLAY = """\
- hosts: web
  gather_facts: false
  tasks:
    - name: Page
      ansible.builtin.copy: {src: page, dest: /page, mode: "0644"}
"""


def policy(*lines: str) -> str:
    head = ("- name: production", "  branch: main", "  playbook: site.yml", "  inventory: hosts.yml", "  mode: pull")
    return POLICY + "environments:\n" + "".join(f"  {line}\n" for line in (*head, *(f"  {line}" for line in lines)))


def inventory(*names: str) -> str:
    return f"web:\n  hosts: {{{', '.join(f'{name}: ' for name in names)}}}\n"


@dataclass(slots=True)
class Pulled:
    """What people and agents do with it."""

    world: World
    agents: dict[str, AgentDesk] = field(default_factory=dict)

    def agent(self, name: str, *hosts: str) -> AgentDesk:
        self.agents[name] = AgentDesk.added(self.world, name, "production", *hosts)
        return self.agents[name]

    def land(self, files: Mapping[str, str | None]) -> Result:
        """alice proposes and bob approves, which lands it."""
        number = change_number(self.world.propose("alice", files).must())
        return self.world.approve("bob", number).must()

    def begin(self, *lines: str, hosts: Sequence[str] = ("web1", "web2", "web3")) -> Result:
        """The first landing: production comes into the policy, with these lines."""
        files = {"site.yml": PLAY, "page": "first\n", "hosts.yml": inventory(*hosts)}
        return self.land({**files, ".gitops/policy.yaml": policy(*lines)})

    def events(self) -> list[Event]:
        return self.world.events("refs/environments/production/log")

    def kinds(self) -> list[str]:
        return [event.fact("Event") or "" for event in self.events()]

    def newest(self, kind: str) -> Event:
        return next(event for event in reversed(self.events()) if event.fact("Event") == kind)

    def await_released(self, hosts: str, above: int = 0) -> Event:
        """The newest release, once it is of these hosts (`web1 web2`), and of a deployment later than `above`."""

        def is_there() -> bool:
            found = [event for event in self.events() if event.fact("Event") == "released"]
            return bool(found) and found[-1].fact("Hosts") == hosts and int(found[-1].fact("Generation") or 0) > above

        self.await_that(is_there)
        return self.newest("released")

    def tell(self, agent: AgentDesk, release: Event, alarm: str = "", **states: str) -> Result:
        """The agent reports these states (`web1="changed"`) of what was released."""
        generation, commit = int(release.fact("Generation") or 0), release.fact("Commit") or ""
        hosts = [
            HostReport(
                name, HostState(state.partition(" ")[0]), Sync.SYNCED, 1, state.partition(" ")[2], generation, commit
            )
            for name, state in states.items()
        ]
        return agent.push(agent.report(*hosts, generation=generation, commit=commit, alarm=alarm)).must()

    def facts(self) -> Any:  # JSON, as programs get it
        return json.loads(self.world.ssh("bob", "env show production --json").must().out)

    def show(self) -> list[str]:
        return self.world.ssh("bob", "env show production").must().out.splitlines()

    def await_state(self, state: str) -> Any:  # as above
        self.await_that(lambda: self.facts()["state"] == state)
        return self.facts()

    def await_end(self, state: str, above: int = 0) -> Event:
        """The newest end, once it is of this state and of a deployment later than `above`, and what it says is so."""

        def has_ended() -> bool:
            events = self.events()
            end = events[-1] if events and events[-1].fact("Event") == "finished" else None
            if end is None or end.fact("State") != state or int(end.fact("Generation") or 0) <= above:
                return False
            # The record comes first, and the ref that follows from it a moment later.
            return state != "successful" or self.ref("deployed") == end.fact("Commit")

        self.await_that(has_ended)
        return self.events()[-1]

    def await_that(self, holds: Callable[[], object]) -> None:
        wait_until(holds, words=lambda: "\n".join([*self.show(), *self.kinds()]))

    def limit(self, **limits: float) -> None:
        file = self.world.home.server_file
        text = file.read_text()
        for name, value in limits.items():
            text = re.sub(rf"(?m)^{name} = .*\n", "", text).replace("[limits]\n", f"[limits]\n{name} = {value}\n", 1)
        file.write_text(text)

    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def ref(self, name: str) -> str | None:
        return self.world.refs().get(f"refs/environments/production/{name}")


@contextmanager
def pulled(template: Template) -> Iterator[Pulled]:
    """Pushes do not wait for what follows, and nothing is retried by itself."""
    world = World.copied_from(template)
    try:
        site = Pulled(world)
        site.limit(follow_seconds=1, retry_seconds=600)
        yield site
    finally:
        world.close()
