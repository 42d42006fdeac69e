"""An agent on a host in a network of its own, which the server does not reach; the cable is out for a while."""

import getpass
import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.agent.conftest import ENVIRONMENT, SITE, Site
from tests.agent.pulling import Agent, end, follow_for, inventory, lay_agent
from tests.machine.networks import HOST, SERVER, NetworkedWorld
from tests.world import POLICY, REPOSITORY, Template

SILENT = POLICY + ENVIRONMENT + "    agents: {silent: 5s}\n"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def site() -> Iterator[Site]:
    """web1 stands at the other end of a cable."""
    template = Template.build(SILENT)
    world = NetworkedWorld.copied_from(template)
    template.remove()
    assert isinstance(world, NetworkedWorld) and world.far
    agent = Agent(world, world.folder / "web1", within=world.far.inside)
    try:
        lay_agent(agent)
        agent.set(url=f'"ssh://{getpass.getuser()}@{SERVER}/{REPOSITORY}"')
        (agent.folder / "known_hosts").write_text(world.sshd.known_hosts_line(SERVER) + "\n")
        follow_for(world, 1)
        yield Site(world, agent)
    finally:
        for process in agent.running:
            end(process)
        world.close()


def shown(site: Site) -> tuple[str, str, str]:
    facts = json.loads(site.world.ssh("bob", "env show staging --json").must().out)
    (agent,) = facts["agents"]
    return facts["sync"], facts["health"], agent["hosts"][0]["sync"]


def test_it_polls_applies_and_reports_and_goes_on_after_the_cable_was_out(site: Site) -> None:
    agent, world = site.agent, site.world
    assert isinstance(world, NetworkedWorld)
    reached = subprocess.run(world.on_server(["bash", "-c", f"echo >/dev/tcp/{HOST}/22"]), capture_output=True)
    assert b"Connection refused" in reached.stderr
    agent.start()
    site.land({"site.yml": SITE, "page": "first\n", "inventories/staging/hosts.yml": inventory(agent)})
    site.await_that(lambda: agent.page() == "first\n", 120)
    site.await_that(lambda: shown(site) == ("Synced", "Healthy", "Synced"), 120)

    world.cut()
    second = site.land({"page": "second\n"})
    # The second where the cable was cut in the middle of a question.
    cut = ("ssh: connect to host 10.77.0.1 port 22", "the connection broke off")
    site.await_that(lambda: any(f"the server cannot be asked: {why}" in agent.log() for why in cut), 120)
    assert agent.run("status").code == 3
    site.await_that(lambda: shown(site)[2] == "Unknown", 120)
    silent = "unreachable: its agent web-agent is silent"
    site.await_that(lambda: silent in world.ssh("bob", "env show staging").out, 120)
    assert agent.page() == "first\n"

    world.mend()
    site.await_that(lambda: agent.page() == "second\n", 180)
    site.await_that(lambda: shown(site) == ("Synced", "Healthy", "Synced"), 180)
    assert world.refs()["refs/environments/staging/deployed"] == second
    # It is written down once the server has it.
    site.await_that(lambda: agent.status()["code"] == 0)

    # And when it is out while the host is in the middle of a run, the run goes to its end and is told later.
    third = site.land({"page": "third\n", "host_vars/web1.yml": "page_is_slow: true\n"})
    site.await_that(lambda: agent.page() == "third\n", 120)
    applied = agent.log().count("applied generation")
    world.cut()
    site.await_that(lambda: agent.log().count("applied generation") > applied, 120)
    assert agent.standing()["commit"] == third
    assert agent.report()["hosts"][0]["commit"] == second
    world.mend()
    site.await_that(lambda: agent.report()["hosts"][0]["commit"] == third, 180)
    site.await_that(lambda: world.refs()["refs/environments/staging/deployed"] == third, 180)
