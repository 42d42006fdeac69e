"""doctor says of agents who answers for nothing, which hosts nobody brings anywhere, and who is silent."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.environments.pulled import Pulled, policy, pulled
from tests.world import Template

# The first test of the file pays for the server.
pytestmark = pytest.mark.timeout(300)
NAME = "agents of site"
ADD = "gitops-hooks user add NAME KEY --agent production --hosts … -R site"
ACCOUNT = "gitops-hooks user remove NAME, then user add NAME KEY --agent ENVIRONMENT --hosts …"


@pytest.fixture(scope="module")
def site(without: Template) -> Iterator[Pulled]:
    """The stories of this file follow each other."""
    with pulled(without) as found:
        yield found


def told(site: Pulled, name: str = NAME) -> list[tuple[str, str, str]]:
    """State, words and cure of each line about agents."""
    lines = json.loads(site.world.admin("doctor", "--json").out)
    return [(line["state"], line["words"], line["cure"]) for line in lines if line["name"] == name]


def last_seen(site: Pulled, agent: str, at: float) -> None:
    os.utime(site.world.home.state(site.agents[agent].repository_id()) / "agents" / f"{agent}.seen", (at, at))


def test_an_agent_of_an_environment_that_the_policy_does_not_have(site: Pulled):
    site.agent("web-agent", "web1", "web2")
    words = "the policy has no environment production, and these agents answer for hosts of it: web-agent"
    assert told(site) == [("note", words, f"add it to the policy; or {ACCOUNT}")]


def test_hosts_without_an_agent_fail_and_an_agent_that_never_came_is_noted(site: Pulled):
    site.begin()
    fail = ("FAIL", "production: no agent answers for web3; nothing brings them anywhere", ADD)
    never = "production: these agents were never seen: web-agent"
    assert told(site) == [fail, ("note", never, "on its host: gitops-hooks-agent --check")]
    assert site.world.admin("doctor").code == 1


def test_with_an_agent_for_each_host_all_is_well(site: Pulled):
    site.agents["web-agent"].poll()
    site.agent("db-agent", "web3").poll()
    assert told(site) == [("ok", "production: each host has its agent, and none of 2 is silent", "")]


def test_who_was_not_seen_for_longer_than_silent_is_noted_with_the_time(site: Pulled):
    last_seen(site, "db-agent", 1_700_000_000)
    words = "production: db-agent is silent: last seen 2023-11-14 22:13:20 UTC"
    assert told(site) == [("note", words, "on its host: gitops-hooks-agent status")]
    site.agents["db-agent"].poll()


def test_a_host_that_left_the_inventory_is_noted_with_its_agents(site: Pulled):
    site.land({"hosts.yml": "web:\n  hosts: {web1: , web3: }\n"})
    words = "production: agents answer for hosts that its inventory does not have: web2"
    assert told(site) == [("note", words, f"add them to hosts.yml; or {ACCOUNT}")]


def test_two_agents_for_one_host_are_a_fault_of_users_toml(site: Pulled):
    users = site.world.home.users_file
    kept = users.read_text()
    users.write_text(kept.replace('hosts = ["web3"]', 'hosts = ["web1", "web3"]'))
    try:
        (line,) = told(site, "users.toml")
    finally:
        users.write_text(kept)
    state, words, _ = line
    assert state == "FAIL" and words.endswith(": 'web-agent' answers for web1 of production already"), words


def test_where_the_server_goes_too_it_is_a_note_and_where_it_goes_alone_agents_wait_in_vain(site: Pulled):
    site.land({"hosts.yml": "web:\n  hosts: {web1: , web2: , web4: }\n", ".gitops/policy.yaml": both()})
    words = "production: no agent answers for web4; the server alone goes there"
    assert ("note", words, ADD) in told(site)
    site.land({".gitops/policy.yaml": both().replace("    mode: both\n", "")})
    words = "production is brought by the server alone, and these agents wait for its hosts: "
    cure = f"say mode: pull, or both, for production in the policy; or {ACCOUNT}"
    assert told(site) == [("note", f"{words}web-agent db-agent", cure)]


def both() -> str:
    return policy().replace("mode: pull", "mode: both")


def test_an_agent_of_a_repository_that_is_gone(site: Pulled):
    users = site.world.home.users_file
    kept = users.read_text()
    identity = site.agents["web-agent"].repository_id()
    users.write_text(kept.replace(f'repository = "{identity}"', f'repository = "{identity[::-1]}"'))
    try:
        found = told(site, "agents")
    finally:
        users.write_text(kept)
    words = f"is an agent of a repository that server.toml does not have: {identity[::-1]}"
    assert found == [
        ("note", f"{name} {words}", f"gitops-hooks user remove {name}") for name in ("web-agent", "db-agent")
    ]
