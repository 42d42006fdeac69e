"""The reconciler dies in the middle of a rollout: the next one goes through it again, and ends it."""

import json
import signal

import pytest

from gitops_hooks.edge import living
from tests.environments.conftest import ENVIRONMENT, SITE, Site
from tests.faults.test_reconciler_kills import run_processes
from tests.hosts import inventory
from tests.world import POLICY, Template, World

# The host that is asked answers when its file is gone.
HEALTH = "    health: [{command: while test -e ~/hold; do sleep 0.1; done, timeout: 60s, retries: 0}]\n"


@pytest.mark.timeout(200)
def test_a_rollout_that_was_killed_between_batches_is_gone_through_again() -> None:
    template = Template.build(POLICY + ENVIRONMENT + "    batches: [1]\n" + HEALTH)
    world = World.copied_from(template)
    template.remove()
    try:
        site = Site(world, world.add_hosts("web1", "web2", "web3"))
        server = world.home.server_file
        server.write_text(server.read_text().replace("[limits]\n", "[limits]\nfollow_seconds = 1\n", 1))
        hold = site.hosts[1].folder / "home" / "hold"
        hold.touch()
        site.land({"site.yml": SITE, "page": "first\n", "inventories/staging/hosts.yml": inventory(site.hosts)})
        # The second batch has its page, and is asked for its health.
        site.await_that(lambda: site.pages() == ["first\n", "first\n", None] and "health command" in site.show())

        reconciler = next(one for one in run_processes(world) if "--tell" not in one.argv)
        assert living.send(reconciler, signal.SIGKILL)
        assert not living.wait_gone([reconciler], 10)
        hold.unlink()
        world.admin("reconcile", "--ensure")
        site.await_that(lambda: site.ref("deployed") == site.tip())
        assert site.pages() == ["first\n"] * 3
        log = json.loads(world.ssh("bob", "env log staging --json").must().out)
        ends = [event["state"] for event in log if event["kind"] == "finished"]
        assert ends[:2] == ["successful", "canceled"]
        assert len(ends) == sum(event["kind"] == "started" for event in log)
    finally:
        world.close()
