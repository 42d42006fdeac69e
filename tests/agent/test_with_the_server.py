"""The whole way: a push lands, the server releases, the agent brings its host there, and the server is told."""

import json
import re

import pytest

from tests.agent.conftest import ENVIRONMENT, SITE, Site, open_site
from tests.agent.pulling import inventory
from tests.world import POLICY, Template

WEB = {"site.yml": SITE, "page": "first\n"}
HEALING = POLICY + ENVIRONMENT + "    drift: 5m\n    self_heal: true\n"

pytestmark = pytest.mark.timeout(900)


def shown(site: Site) -> dict[str, object]:
    return json.loads(site.world.ssh("bob", "env show staging --json").must().out)


def test_from_push_to_host_and_back(pulled: Template) -> None:
    with open_site(pulled, policy=HEALING) as site:
        agent = site.agent
        agent.start()
        site.await_that(lambda: "nothing is released to its hosts yet" in agent.log())
        site.let_reconciler()
        shown(site)
        site.await_that(lambda: agent.page() == "first\n", 120)
        site.await_that(lambda: shown(site)["health"] == "Healthy" and shown(site)["sync"] == "Synced", 120)
        first = site.tip()

        second = site.land({"page": "second\n"})
        site.await_that(lambda: agent.page() == "second\n", 120)
        site.await_that(lambda: site.world.refs()["refs/environments/staging/deployed"] == second, 120)
        log = site.world.ssh("bob", "env log staging").must().out
        assert re.search(r" successful .* ok 1, changed 1, failed 0", log), log

        # What an operator takes back, the agent takes back.
        site.world.ssh("bob", f"env rollback staging {first}").must()
        site.await_that(lambda: agent.page() == "first\n", 120)
        site.await_that(lambda: site.world.refs()["refs/environments/staging/deployed"] == first, 120)

        # A run that fails is told, and gone on with by itself.
        (agent.root / "full").touch()
        third = site.land({"page": "third\n"})
        site.await_that(lambda: shown(site)["health"] == "Degraded", 120)
        (agent.root / "full").unlink()
        site.await_that(lambda: agent.page() == "third\n", 120)
        site.await_that(lambda: site.world.refs()["refs/environments/staging/deployed"] == third, 180)
        assert inventory(agent)
