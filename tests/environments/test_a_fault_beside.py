"""An environment of which something is wrong on the server keeps no other one from its deployments."""

from collections.abc import Iterator

import pytest

from tests.environments.gated import Gated, gated, whole

# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)
LAST = """\
  - name: last
    branch: main
    playbook: site.yml
    inventory: inventories/production
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        yield found


def test_a_run_that_began_beside_a_fault_goes_on_to_its_end(site: Gated):
    # Where this ref stands, the environment's own cannot be written.
    site.world.server_git("update-ref", "refs/environments/last/desired/in-the-way", site.tip())
    before = {name: site.kinds(name) for name in ("staging", "production")}
    site.limit(follow_seconds=1, reconcile_seconds=1)
    site.land({".gitops/policy.yaml": whole() + LAST, "page": "second\n"})
    for name, kinds in before.items():
        site.await_page(name, "second\n")
        assert site.kinds(name) == [*kinds, "started", "finished"]
        assert site.facts(name)["state"] == "successful"
    site.world.stop_reconciler()
    told = site.world.reconcile_once()
    assert told.code == 1 and "refs/environments/last/desired" in told.out + told.err
    site.world.server_git("update-ref", "-d", "refs/environments/last/desired/in-the-way")
