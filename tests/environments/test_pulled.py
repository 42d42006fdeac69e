"""A pulled deployment from the landing to its end: released to agents, heard from them, and told like every other."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.environments.pulled import Pulled, pulled
from tests.plugins.receivers import web_hook
from tests.world import POLICY, Template

# The first test of a file pays for the server.
pytestmark = pytest.mark.timeout(300)


CLUSTER = """\
environments:
  - {name: production, branch: main, deployer: kubernetes, manifests: k8s, mode: pull}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\n"


@pytest.fixture
def site(without: Template) -> Iterator[Pulled]:
    with pulled(without) as found:
        yield found


def test_what_landed_is_released_and_ends_when_every_agent_has_told(site: Pulled):
    web, db = site.agent("web-agent", "web1", "web2"), site.agent("last-agent", "web3")
    site.limit(follow_seconds=5)
    shown = site.begin()
    release = site.await_released("web1 web2 web3")
    started = site.newest("started")
    assert started.fact("Run") == "-"
    assert release.fact("Generation") == started.fact("Number")
    assert (release.fact("Commit"), release.fact("Record")) == (site.tip(), started.fact("Record"))
    assert (site.ref("desired"), site.ref("attempted"), site.ref("deployed")) == (site.tip(), site.tip(), None)
    assert any(line.startswith("  production deploying ") for line in shown.remote_lines), shown.err
    facts = site.facts()
    assert (facts["state"], facts["health"], facts["mode"]) == ("running", "Progressing", "pull")
    assert "  running    web1 web2 web3 waiting for the agents of web1 web2 web3" in site.show()

    site.tell(web, release, web1="changed", web2="ok")
    site.await_that(lambda: "  running    web3 waiting for the agents of web3" in site.show())
    assert site.ref("deployed") is None
    site.tell(db, release, web3="changed")
    end = site.await_end("successful")
    assert end.fact("Hosts") == '[["web1", "changed", 1, ""], ["web2", "ok", 1, ""], ["web3", "changed", 1, ""]]'
    assert site.ref("deployed") == site.tip()
    assert site.kinds() == ["started", "released", "finished"]
    facts = site.facts()
    assert (facts["sync"], facts["health"], facts["state"]) == ("Synced", "Healthy", "successful")
    by_name = {agent["name"]: agent for agent in facts["agents"]}
    assert by_name["web-agent"]["hosts"][0] == {
        **{"name": "web1", "sync": "Synced", "state": "changed", "commit": site.tip(), "generation": 1},
        **{"changed": 1, "detail": ""},
    }
    assert by_name["last-agent"]["silent"] is False
    lines = [line for line in site.show() if "agent: last seen" in line]
    assert [line.partition("UTC; ")[2] for line in lines] == ["web1 web2 Synced", "web3 Synced"]
    log = site.world.ssh("bob", "env log production").must().out.splitlines()
    assert log[1].endswith(f"    1 released   {site.tip()[:7]} to the agents of web1 web2 web3")


def test_a_host_that_failed_is_told_with_its_reason_and_only_it_is_tried_again(site: Pulled):
    web = site.agent("web-agent", "web1", "web2", "web3")
    site.begin()
    first = site.await_released("web1 web2 web3")
    site.tell(web, first, web1="ok", web2="failed site.yml:4: Page: no space left", web3="ok")
    end = site.await_end("failed")
    assert end.fact("Detail") == '"failed: web2"'
    facts = site.facts()
    assert (facts["sync"], facts["health"], facts["state"]) == ("OutOfSync", "Degraded", "waiting")
    assert "             web2: failed: site.yml:4: Page: no space left" in site.show()
    site.limit(follow_seconds=5)
    assert "to web2" in site.world.ssh("bob", "env deploy production").err
    again = site.await_released("web2", above=1)
    site.tell(web, again, web1="ok", web2="changed", web3="ok")
    assert site.await_end("successful", above=1).fact("Left") == "2"
    assert site.ref("deployed") == site.tip()


def test_hosts_of_nobody_are_told_and_keep_no_batch_waiting(site: Pulled):
    web = site.agent("web-agent", "web1", "web2")
    site.begin()
    release = site.await_released("web1 web2")
    site.tell(web, release, web1="ok", web2="ok")
    assert site.await_end("failed").fact("Detail") == '"unreachable: web3"'
    assert "             web3: unreachable: no agent answers for it" in site.show()


def test_a_change_that_concerns_one_host_is_released_to_its_agent_alone(site: Pulled):
    web, last = site.agent("web-agent", "web1", "web2"), site.agent("last-agent", "web3")
    site.begin()
    release = site.await_released("web1 web2 web3")
    site.tell(web, release, web1="ok", web2="ok")
    site.tell(last, release, web3="ok")
    site.await_end("successful")
    site.land({"host_vars/web3.yml": "colour: red\n"})
    later = site.await_released("web3", above=1)
    site.tell(last, later, web3="changed")
    assert site.await_end("successful", above=1).fact("Left") == "2"
    facts = site.facts()
    assert {host["sync"] for agent in facts["agents"] for host in agent["hosts"]} == {"Synced"}


def test_an_agent_for_every_host_tells_which_there_are_where_nobody_can_count_them(site: Pulled):
    everything = site.agent("all-agent", "*")
    site.land({".gitops/policy.yaml": POLICY + CLUSTER, "k8s/page.yaml": MAP})
    release = site.await_released("none")
    site.await_that(lambda: "  running    all-agent waiting for the agents of all-agent" in site.show())
    site.tell(everything, release, k8s="changed")
    assert site.await_end("successful").fact("Hosts") == '[["k8s", "changed", 1, ""]]'


def test_what_an_agent_says_of_another_deployment_ends_nothing(site: Pulled):
    web = site.agent("web-agent", "web1", "web2", "web3")
    site.begin()
    release = site.await_released("web1 web2 web3")
    web.push(web.report()).must()
    older = HostReport("web1", HostState.OK, Sync.SYNCED, 0, "", 0, "")
    web.push(web.report(older, replace(older, name="web2"), replace(older, name="web3"))).must()
    site.world.admin("reconcile", "--stop")
    assert site.world.reconcile_once().code == 1
    assert site.facts()["state"] == "running"
    wrong = [HostReport(f"web{number}", HostState.OK, Sync.SYNCED, 0, "", 1, "c" * 40) for number in (1, 2, 3)]
    web.push(web.report(*wrong, generation=1, commit="c" * 40)).must()
    assert site.await_end("failed").fact("Commit") == release.fact("Commit")
    assert "             web1: failed: its agent reports ccccccc as deployment 1" in site.show()


def test_nothing_waits_on_the_server_for_a_plan_or_a_look(site: Pulled):
    web = site.agent("web-agent", "web1", "web2", "web3")
    site.begin()
    site.tell(web, site.await_released("web1 web2 web3"), web1="ok", web2="ok", web3="ok")
    site.await_end("successful")
    look = site.world.ssh("bob", "env drift production --now")
    assert (look.code, "production is pulled: its agents look at its hosts, by themselves." in look.err) == (1, True)


NOTIFY = """
[[notify]]
name = "chat"
plugin = "gitops_hooks.plugins.notify_webhook"
[notify.settings]
url = "{url}"
secret_file = "{secret}"
"""


def test_its_end_is_told_to_others_as_that_of_every_deployment(site: Pulled):
    secret = site.world.folder / "secret"
    secret.write_text("correct horse battery staple\n")
    secret.chmod(0o600)
    web = site.agent("web-agent", "web1", "web2")
    with web_hook() as hook:
        with site.world.home.server_file.open("a") as server:
            server.write(NOTIFY.format(url=hook.url, secret=secret))
        site.begin(hosts=("web1", "web2"))
        site.tell(web, site.await_released("web1 web2"), web1="ok", web2="failed")
        told = hook.await_posts(1)[0].facts
    assert (told["news"], told["state"]) == ("degraded", "failed")
    what = f"deployment 1 of {site.tip()[:12]} failed on web2 (ok 1, failed 1)"
    assert told["text"] == f"site: production degraded: {what}"
