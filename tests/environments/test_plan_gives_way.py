"""A plan is never in the way of a deployment, and a kill at any moment leaves it to be made again."""

import re
import signal
from collections.abc import Callable, Iterator

import pytest

from gitops_hooks.edge import living
from tests.environments.conftest import Site
from tests.environments.planned import BY_HAND, SLOW, STEPS, grant_plans, open_planned, planned, propose
from tests.waiting import so_far
from tests.world import Template

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    """Plans and deployments of this site wait while a file is there that the test lays."""
    with open_planned(staged, BY_HAND, STEPS + SLOW) as site:
        grant_plans(site)
        yield site


def running(site: Site) -> str:
    """The run id of a plan under way, or an empty string."""
    folder = next(site.world.home.path.glob("state/*/drift"), None)
    return so_far(folder / "staging.run") if folder else ""


def programs(run: str) -> list[living.Living]:
    return [one for one in living.list_living() if run in one.argv]


def starts(site: Site) -> bool:
    """Whether a program of the run is there: its id is noted a while before."""
    return bool(programs(running(site)))


def hangs(site: Site) -> bool:
    """Whether the run waits on both hosts."""
    return all((host.root / "hangs").exists() for host in site.hosts)


def begin(site: Site, page: str, far: Callable[[Site], bool] = hangs) -> int:
    """A plan that comes so far, and not to its end before it is let go."""
    for host in site.hosts:
        (host.root / "slow").touch()
        (host.root / "hangs").unlink(missing_ok=True)
    number = propose(site, {"page": page})
    site.world.approve("bob", number).must()
    before = running(site)
    site.world.verb("bob", "plan", number).must()
    site.await_that(lambda: running(site) not in ("", before) and far(site))
    return number


def let_go(site: Site) -> None:
    for host in site.hosts:
        (host.root / "slow").unlink()


def test_a_killed_reconciler_leaves_nothing_and_the_plan_is_made_again(site: Site) -> None:
    number = begin(site, "second\n")
    first = running(site)
    site.kill_reconciler()
    site.await_that(lambda: not programs(first))
    assert planned(site, number) == []
    told = site.world.ssh("bob", f"change plan {number}").must().out
    assert "a plan was asked for; it is made as soon as it may be\n" in told
    site.await_that(lambda: running(site) not in ("", first))
    let_go(site)
    site.await_that(lambda: len(planned(site, number)) == 1)
    assert "staging: 2 hosts change" in site.world.ssh("bob", f"change plan {number}").must().out
    site.world.verb("alice", "close", number).must()


@pytest.mark.parametrize("far", [starts, hangs])
def test_a_killed_run_is_told_as_unknown_and_ends(site: Site, far: Callable[[Site], bool]) -> None:
    number = begin(site, f"third, which {far.__name__}\n", far)
    sent = [living.send(one, signal.SIGKILL) for one in programs(running(site))]
    assert any(sent)
    site.await_that(lambda: len(planned(site, number)) == 1)
    # By its end; or by its last word, that it reached neither host where its way out was killed before itself.
    told = site.world.ssh("bob", f"change plan {number}").out
    assert re.search(r"^staging: 0 hosts change, 0 unchanged, [12] unknown$", told, re.M), told
    let_go(site)
    site.world.verb("alice", "close", number).must()


def test_a_deployment_that_is_due_goes_first_and_the_plan_is_made_afterwards(site: Site) -> None:
    # This one hangs on the deployer, so that the hosts are idle as soon as it is ended.
    number = propose(site, {"site.yml": STEPS + "    - ansible.builtin.pause: {seconds: 300}\n"})
    site.world.approve("bob", number).must()
    before = running(site)
    site.world.verb("bob", "plan", number).must()
    site.await_that(lambda: running(site) not in ("", before))
    first = running(site)
    other = propose(site, {"page": "now\n"})
    site.world.approve("bob", other).must()
    site.world.verb("alice", "land", other).must()
    site.await_that(lambda: site.ref("deployed") == site.tip() and site.pages() == ["now\n", "now\n"])
    assert not programs(first)
    site.await_that(lambda: starts(site))
    assert running(site) != first and planned(site, number) == []
    site.world.verb("alice", "close", number).must()
    run = running(site)
    site.await_that(lambda: not programs(run))


def test_what_nobody_wants_any_more_is_ended(site: Site) -> None:
    number = begin(site, "fifth\n")
    run = running(site)
    site.world.verb("bob", "withdraw", number).must()
    site.await_that(lambda: not programs(run))
    assert planned(site, number) == []
    let_go(site)
