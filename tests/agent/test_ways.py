"""The other ways of an agent: from beside its hosts, only asking, and ended in the middle of a run."""

import json
import time

import pytest

from gitops_hooks.model.environment_event import Canceled
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.agent.conftest import SITE, Site, open_site
from tests.hosts import inventory as told_inventory
from tests.hosts import known_hosts
from tests.world import Template

# Nothing of it stays on the host when the run is ended.
SLOW = SITE.replace("command: sleep 20", "command: sleep 5").replace(
    "when: page_is_slow | default(false)", "loop: [1, 2, 3, 4, 5, 6]"
)

pytestmark = pytest.mark.timeout(600)


def test_from_beside_its_hosts_it_logs_in_with_its_own_credential(site: Site) -> None:
    (host,) = site.world.start_hosts("web1")
    folder = site.agent.folder
    (folder / "hosts_known").write_text(known_hosts([host]))
    (folder / "deploy_key").write_bytes((site.world.folder / "deploy_key").read_bytes())
    (folder / "deploy_key").chmod(0o600)
    site.agent.set(connection='"inventory"')
    with site.agent.config.open("a") as config:
        config.write('[credential]\nkey = "deploy_key"\nknown_hosts = "hosts_known"\n')
    site.land({"inventories/staging/hosts.yml": told_inventory([host])})
    site.release()
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert (host.holds("page"), site.agent.page()) == ("first\n", None)


def test_a_check_verifies_and_changes_nothing(site: Site) -> None:
    site.agent.set(prometheus='"agent.prom"')
    site.release()
    checked = site.agent.run("--check")
    assert checked.code == 1
    lines = [line.split(" ", 1)[1] for line in checked.out.splitlines()]
    words = "web1 waits for generation 1 (due)"
    assert lines == ["1 landings rest on the server's word for who approved them", words]
    assert site.agent.page() is None
    assert site.agent.run("status").out == "no round has ended yet; start it: gitops-hooks agent --once\n"
    assert "refs/agents/web-agent" not in site.world.refs()
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    about = '{agent="web-agent",environment="staging"'
    metrics = (site.agent.folder / "agent.prom").read_text().splitlines()
    for line in (f"gitops_agent_code{about}}} 0", f'gitops_agent_host_synced{about},host="web1"}} 1'):
        assert line in metrics


def test_it_says_what_is_wrong_with_its_file(site: Site) -> None:
    site.agent.set(interval="0", adoption='"short"')
    done = site.agent.run("--once")
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            "gitops: agent.toml:1: 'adoption' has a value that cannot be used: 'short'",
            "gitops: agent.toml:2: 'interval' must be seconds from 1 to 86400, not 0",
        ],
    )


def test_a_run_whose_generation_is_canceled_is_ended(pulled: Template) -> None:
    with open_site(pulled, SLOW) as site:
        generation = site.release()
        site.agent.start()
        site.await_that(lambda: site.agent.page() == "first\n")
        site.say(Canceled(Word("staging"), Oid(site.tip()), generation, Text("")))
        began = time.monotonic()
        site.await_that(lambda: "canceled on the server" in site.agent.log())
        assert time.monotonic() - began < 25
        site.await_that(lambda: json.loads(site.agent.run("status", "--json").out)["code"] == 1)
