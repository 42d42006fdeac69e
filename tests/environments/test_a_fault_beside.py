"""An environment of which something is wrong on the server keeps no other one from its deployments."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from gitops_hooks.edge.launch_box import MODULE
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


@contextmanager
def respawned(run: str) -> Iterator[None]:
    """A program of this run that comes back as often as it is ended, until this is left."""
    program = 'while :; do sh -c "sleep 1; :" "$PROGRAM" --run-id "$RUN" & sleep 0.02; done'
    env = {"PATH": os.environ["PATH"], "PROGRAM": MODULE, "RUN": run}
    with subprocess.Popen(["sh", "-c", program], env=env, start_new_session=True) as started:
        try:
            yield
        finally:
            os.killpg(started.pid, signal.SIGKILL)


def test_a_program_that_does_not_end_is_told_and_ends_no_other_run(site: Gated):
    site.limit(follow_seconds=1)
    before = {name: site.kinds(name) for name in ("staging", "production")}
    with ExitStack() as held, site.staying("production"):
        with site.staying("staging"):
            site.land({"page": "third\n"})
            run = site.world.events("refs/environments/staging/log")[-1].fact("Run")
            site.await_that(lambda: site.page("staging") == site.page("production") == "third\n")
            held.enter_context(respawned(run))
        site.await_that(lambda: site.kinds("staging")[-1] == "finished")
        found = site.facts("staging")["last"]
        assert found["state"] == "error" and "its programs do not end" in found["detail"], found
        assert site.facts("production")["state"] == "running"
    assert site.await_state("production", "successful")
    for name, kinds in before.items():
        assert site.kinds(name) == [*kinds, "started", "finished"]
