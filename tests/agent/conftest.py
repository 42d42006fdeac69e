"""A server, and a host that nobody can log in to: its own agent brings it to what the server releases."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from gitops_hooks.edge.bell import reconcile_lock
from gitops_hooks.edge.index import passing_index
from gitops_hooks.edge.ledger import SERVER, Ledger
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.refs import RefWriter
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import Released
from gitops_hooks.model.event import Administered, Event, Finished, Started
from gitops_hooks.model.event_words import Hosts, Oid, Text, Word
from gitops_hooks.model.server import Limits
from tests.agent.pulling import Agent, end, follow_for, identity, inventory, lay_agent
from tests.answers import change_number
from tests.environments.conftest import ENVIRONMENT as PUSHED
from tests.environments.conftest import SITE as PUSHED_SITE
from tests.waiting import PATIENCE, wait_until
from tests.world import POLICY, REPOSITORY, Template, World

LOG = "refs/environments/staging/log"
ENVIRONMENT = f"{PUSHED}    mode: pull\n"
# `slow` on the host keeps a run there, and `full` ends it badly.
SITE = f"""\
{PUSHED_SITE}\
    - name: Slow
      ansible.builtin.command: sleep 20
      when: page_is_slow | default(false)
"""


@dataclass(slots=True)
class Site:
    """What people land, what the server releases, and the agent of web1."""

    world: World
    agent: Agent
    place: int | None = None

    def take_reconciler(self) -> None:
        """Nothing is deployed but by hand: the place of the reconciler is taken, and no push waits for it."""
        follow_for(self.world, 0.1)
        while (place := try_lock(reconcile_lock(self.world.home))) is None:
            self.world.stop_reconciler()
        self.place = place

    def let_reconciler(self) -> None:
        """From now on the server deploys by itself, and pushes wait to see it."""
        follow_for(self.world, 60)
        if self.place is not None:
            os.close(self.place)
            self.place = None

    def land(self, files: Mapping[str, str | None], message: str = "A change") -> str:
        """alice proposes and bob approves, which lands it; answers where main stands then."""
        number = change_number(self.world.propose("alice", files, message).must())
        self.world.approve("bob", number).must()
        return self.tip()

    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def release(self, commit: str = "", hosts: Sequence[str] = (), record: str = "") -> int:
        """As `mode: both` does it, after a run that reached nobody; answers the generation."""
        commit = Oid(commit or self.tip())
        record = Oid(record or self.record_of(commit))
        started = self.say(Started(Word("staging"), commit, record, Word(f"run{time.time_ns()}"), 1))
        number = started.stamp.number
        # A start without an end would be a run of the server's own, which it looks for and ends.
        self.finish(number, RunState.FAILED)
        self.say(Released(Word("staging"), number, commit, record, tuple(Word(host) for host in hosts)))
        return number

    def record_of(self, commit: str) -> str:
        """The event of the repository's log that recorded main at this commit."""
        events = self.sitting().record.events("refs/gitops/log")
        return next(event.oid for event in events if recorded(event, commit))

    def commit_by_hand(self, files: Mapping[str, str]) -> str:
        """On top of main, and main moved there past the hooks."""
        self.world.start_over("bob")
        commit = self.world.commit("bob", files)
        source = self.world.person("bob") / REPOSITORY
        self.world.server_git("fetch", "-q", str(source), f"+{commit}:refs/heads/main")
        return commit

    def administer(self, old: str, new: str) -> None:
        """main goes there by the administrator's recorded word."""
        body = Administered(Word("adopt"), Word("refs/heads/main"), Oid(old), Oid(new), Text("by hand"))
        self.ledger.log("refs/gitops/log", body, SERVER)
        self.world.server_git("update-ref", "refs/heads/main", new)

    def say(self, body: object) -> Event:
        """One event of the environment's log, signed by the server."""
        return self.ledger.log(LOG, body, SERVER)

    def finish(self, generation: int, state: RunState) -> None:
        self.say(Finished(Word("staging"), Oid(self.tip()), generation, 1, state, 1, Hosts(()), Text("")))

    @property
    def ledger(self) -> Ledger:
        """The server's own hand, also where nobody could be judged."""
        home = self.world.home
        repository, signer = open_repository(self.world.repository, Limits()), load_signer(home.signing_key)
        record = Record(repository, identity(self.world), signer.public, passing_index())
        writer = RefWriter(self.world.repository)
        return Ledger(record, ObjectWriter(repository.git2, signer), writer, lambda: datetime.now(UTC))

    def sitting(self) -> Sitting:
        return open_sitting(self.world.home, REPOSITORY)

    def await_that(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        wait_until(holds, seconds, lambda: self.agent.log() + self.world.ssh("bob", "env log staging").out)


def recorded(event: Event, commit: str) -> bool:
    """Whether this event of the repository's log recorded main at this commit."""
    return getattr(event.body, "new", "") == commit and hasattr(event.body, "tree")


@pytest.fixture(scope="session")
def pulled() -> Iterator[Template]:
    template = Template.build(POLICY + ENVIRONMENT)
    yield template
    template.remove()


@pytest.fixture
def site(pulled: Template) -> Iterator[Site]:
    with open_site(pulled) as site:
        yield site


@contextmanager
def open_site(pulled: Template, playbook: str = SITE, policy: str = "") -> Iterator[Site]:
    """main holds the first page, nothing is released, and the agent has never run."""
    world = World.copied_from(pulled)
    site = Site(world, Agent(world, world.folder / "web1"))
    try:
        site.take_reconciler()
        lay_agent(site.agent)
        files = {"site.yml": playbook, "page": "first\n", "inventories/staging/hosts.yml": inventory(site.agent)}
        site.land({**files, **({".gitops/policy.yaml": policy} if policy else {})})
        yield site
    finally:
        for process in site.agent.running:
            end(process)
        site.let_reconciler()
        world.close()
