"""The administrator stops everything: a host that only its own agent reaches is left alone, too."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.agent.conftest import ENVIRONMENT, SITE, Site, open_site
from tests.agent.pulling import end, follow_for
from tests.world import POLICY, Template

HEALING = POLICY + ENVIRONMENT + "    drift: 5m\n    self_heal: true\n"
# It takes long where the host has the file `slow`, and asks at the end of each second whether it still has.
STANDING = f"""\
{SITE}\
    - name: Stands still
      ansible.builtin.shell: for i in $(seq 60); do test -e {{{{ root }}}}/slow || exit 0; sleep 1; done
      changed_when: false
"""
STOPPED = r"all deployments are stopped by the administrator since [-0-9]+ [:0-9]+ UTC: the key leaked"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(pulled: Template) -> Iterator[Site]:
    """The server brings its host there by its agent; the stories of this file follow each other."""
    with open_site(pulled, STANDING, HEALING) as site:
        site.let_reconciler()
        follow_for(site.world, 0.1)
        shown(site)
        site.agent.start()
        site.await_that(lambda: (shown(site)["sync"], shown(site)["health"]) == ("Synced", "Healthy"), 120)
        assert site.agent.page() == "first\n"
        yield site


def shown(site: Site) -> dict[str, object]:
    return json.loads(site.world.ssh("bob", "env show staging --json").must().out)


def stop(site: Site) -> None:
    site.world.admin("env", "stop", "--reason", "the key leaked").must()


def start(site: Site) -> None:
    site.world.admin("env", "start").must()
    log = "refs/environments/staging/log"
    site.await_that(lambda: any(event.fact("Event") == "let-go" for event in site.world.events(log)))


def test_while_all_is_stopped_a_host_is_not_even_brought_back(site: Site) -> None:
    stop(site)
    site.await_that(lambda: re.search(rf" {STOPPED}; 1 of 1 hosts synced\n", site.agent.log()))
    assert end(site.agent.running[-1]) == 0
    (site.agent.root / "page").write_text("by hand\n")
    site.agent.let_pass(seconds=400)
    code, words = site.agent.once()
    assert code == 1 and re.fullmatch(rf"{STOPPED}; 1 of 1 hosts synced", words), words
    told = site.agent.run("status")
    assert told.code == 1 and re.match(rf"staging: {STOPPED}; 1 of 1 hosts synced \(last round ", told.out), told.out
    assert str(site.agent.status()["stopped"]).endswith("the key leaked")
    assert site.agent.page() == "by hand\n"


def test_neither_is_it_by_an_agent_that_has_lost_all_it_knew(site: Site) -> None:
    site.agent.wipe()
    code, words = site.agent.once()
    assert code == 1 and re.fullmatch(rf"{STOPPED}; web1 waits for generation \d+ \(stopped\)", words), words
    assert site.agent.page() == "by hand\n"


def test_once_it_is_let_go_the_host_is_brought_back(site: Site) -> None:
    start(site)
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert site.agent.page() == "first\n"


def test_a_run_under_way_on_the_host_is_ended_and_what_is_due_goes_on_afterwards(site: Site) -> None:
    (site.agent.root / "slow").touch()
    site.agent.start()
    second = site.land({"page": "second\n"})
    site.await_that(lambda: site.agent.page() == "second\n", 120)
    stop(site)
    site.await_that(lambda: re.search(rf"applied generation \d+ .*: canceled, .*: {STOPPED}\n", site.agent.log()))
    site.await_that(lambda: site.agent.status()["code"] == 1 and shown(site)["state"] == "waiting")
    (site.agent.root / "slow").unlink()
    site.world.admin("env", "start").must()
    site.await_that(lambda: site.world.refs()["refs/environments/staging/deployed"] == second, 120)
    site.await_that(lambda: site.agent.status()["code"] == 0)
