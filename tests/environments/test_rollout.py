"""A rollout in batches from push to host: who was not reached is told so, and a retry visits only what is missing."""

import json
from collections.abc import Iterator

import pytest

from tests.environments.conftest import ENVIRONMENT, Site, open_site
from tests.environments.test_from_push_to_host import seconds_away
from tests.world import POLICY, Template

BATCHES = ENVIRONMENT + "    batches: [1, 50%]\n    health: [{command: test ! -e ~/sick, retries: 0}]\n"

# A story of several deployments to three hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    with open_site(staged, names=("web1", "web2", "web3"), policy=POLICY + BATCHES) as site:
        yield site


def waits(site: Site) -> str:
    """What the environment waits for, in words, or an empty string."""
    held = json.loads(site.world.ssh("bob", "env show staging --json").must().out)["waits"]
    return str(held["reason"]) if held else ""


def newest(site: Site) -> tuple[object, ...]:
    """Whom the newest deployment was to visit, and how it ended."""
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    start = next(event for event in log if event["kind"] == "started")
    end = next(event for event in log if event["kind"] == "finished")
    return start["limit"], end["state"], end["left"]


def test_a_rollout_stops_at_a_bad_host_and_goes_on_from_there(site: Site) -> None:
    (site.hosts[0].root / "full").touch()
    shown = site.land({"page": "second\n"})
    lines = [seconds_away(line) for line in shown.remote_lines if "…" not in line]
    assert lines[lines.index("  staging    ok 0, changed 0, failed 1, skipped 2 (N s)") :] == [
        "  staging    ok 0, changed 0, failed 1, skipped 2 (N s)",
        "             failed: web1; stopped after batch 1 of 2: 1 of its 1 hosts failed, and max_failed is 0;",
        "             not begun: web2 web3",
        "             web1: failed: site.yml:6: Disk: non-zero return code",
        "             web2: skipped: nothing was run on it: the rollout stopped after batch 1 of 2",
        "             web3: skipped: nothing was run on it: the rollout stopped after batch 1 of 2",
        "             it is tried again by itself; at once:  ssh <host> env deploy staging",
    ]
    assert site.pages() == ["first\n"] * 3
    assert site.show().startswith("staging: OutOfSync, Degraded\n")

    (site.hosts[0].root / "full").unlink()
    (site.hosts[2].root / "full").touch()
    site.world.ssh("bob", "env deploy staging")
    assert site.pages() == ["second\n", "second\n", "first\n"]
    assert newest(site) == (None, "failed", 0)

    (site.hosts[2].root / "full").unlink()
    site.world.ssh("bob", "env deploy staging").must()
    assert newest(site) == (["web3"], "successful", 2)
    assert site.pages() == ["second\n"] * 3
    assert site.ref("deployed") == site.tip()


def test_a_host_that_is_not_well_stops_it_too(site: Site) -> None:
    (site.hosts[0].folder / "home" / "sick").touch()
    shown = site.land({"page": "third\n"})
    assert "             web1: failed: health command test ! -e ~/sick: exit 1" in shown.remote_lines
    assert site.pages() == ["third\n", "second\n", "second\n"]
    generation = site.show().partition("deployment ")[2].split()[0]
    steps = site.world.ssh("alice", f"env log staging {generation}").must().out.splitlines()
    assert any("health command test ! -e ~/sick: exit 1" in step for step in steps)

    (site.hosts[0].folder / "home" / "sick").unlink()
    site.world.ssh("bob", "env deploy staging").must()
    assert site.pages() == ["third\n"] * 3


def test_a_change_that_reaches_many_hosts_waits_until_somebody_asks_for_it(site: Site) -> None:
    site.land({".gitops/policy.yaml": POLICY + BATCHES + "    max_changed: 50%\n"})
    site.land({"page": "fourth\n"})
    assert waits(site) == (
        "would visit all hosts (.gitops/policy.yaml says what environments are), and max_changed is 50%; "
        "somebody asks for it: env deploy staging"
    )
    assert site.pages() == ["third\n"] * 3
    site.world.ssh("bob", "env deploy staging").must()
    assert site.pages() == ["fourth\n"] * 3
    one = site.land({"inventories/staging/host_vars/web1.yml": "word: one\n"})
    assert f"  staging    deploying {site.tip()[:7]} to web1" in one.remote_lines
    assert newest(site) == (["web1"], "successful", 2)
