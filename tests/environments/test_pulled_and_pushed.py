"""`mode: both`: the server goes to the hosts, and leaves those that it cannot reach to their agents."""

from collections.abc import Iterator

import pytest

from tests.environments.conftest import SITE
from tests.environments.pulled import Pulled, policy, pulled
from tests.hosts import inventory
from tests.world import Template

# Each story has a server and hosts of its own.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        hosts = found.world.start_hosts("web1", "web2")
        found.world.grant_hosts(hosts, "production")
        files = {"site.yml": SITE, "page": "first\n", "hosts.yml": inventory(hosts)}
        found.land({**files, ".gitops/policy.yaml": policy().replace("mode: pull", "mode: both")})
        found.await_end("successful")
        yield found


def test_who_cannot_be_reached_is_left_to_the_agent_and_counts_when_that_has_told(site: Pulled):
    desk = site.agent("web-agent", "web1", "web2")
    assert site.kinds() == ["started", "finished"]
    web1, web2 = site.world.hosts.values()
    web2.sshd.pause()
    site.land({"page": "second\n"})
    release = site.await_released("web2", above=1)
    assert web1.holds("page") == "second\n"
    pushed = site.newest("finished")
    assert (pushed.fact("Generation"), pushed.fact("State")) == (release.fact("Generation"), "failed")
    site.tell(desk, release, web2="changed")
    end = site.await_end("successful", above=int(release.fact("Generation") or 0))
    # It is there already: nothing is released, and nothing run, once more.
    assert (site.newest("started").fact("Run"), site.kinds()[-2:]) == ("-", ["started", "finished"])
    assert end.fact("Hosts") == '[["web2", "ok", 0, ""]]'
    assert site.ref("deployed") == site.tip()
    assert web1.holds("page") == "second\n"
    facts = site.facts()
    assert (facts["mode"], facts["sync"], facts["health"]) == ("both", "Synced", "Healthy")


def test_without_an_agent_nothing_is_released_and_the_host_is_tried_again(site: Pulled):
    site.world.hosts["web2"].sshd.pause()
    site.land({"page": "second\n"})
    site.await_end("failed", above=1)
    site.world.admin("reconcile", "--stop")
    assert site.world.reconcile_once().code == 1
    assert "released" not in site.kinds()
    assert site.facts()["retry_at"] is not None
