"""A commit that fails on its hosts is rolled back by the server itself, and a revert change waits for approvals."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.environments.conftest import ENVIRONMENT, Site, open_site
from tests.environments.test_from_push_to_host import seconds_away
from tests.hosts import inventory
from tests.waiting import wait_until
from tests.world import POLICY, Template, World

PLAYBOOK = """\
---
- name: Site
  hosts: web
  gather_facts: false
  tasks:
    - name: Page
      ansible.builtin.copy:
        src: page
        dest: "{{ root }}/page"
        mode: "0644"
    - name: Well
      ansible.builtin.command: grep -v bad {{ root }}/page
      changed_when: false
    - name: Stay
      ansible.builtin.shell: while test -e {{ root }}/stay; do sleep 0.1; done
      changed_when: false
    - name: Disk
      ansible.builtin.command: test ! -e {{ root }}/full
      changed_when: false
"""
# The server's own commits meet rules about who pushed, too.
STRICT = POLICY.replace("    checks:", "    commits: {author: pusher, committer: pusher}\n    checks:", 1)
BACK = ENVIRONMENT + "    batches: [2]\n    on_failure: rollback\n"

# A story of several deployments to three hosts.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    with open_site(staged, PLAYBOOK, ("web1", "web2", "web3"), STRICT + BACK, 55) as site:
        yield site


def until(site: Site, holds: Callable[[], bool]) -> None:
    """Several runs on three hosts each take their time on a busy machine."""
    wait_until(holds, 180, site.show)


def until_synced(site: Site) -> None:
    until(site, lambda: bool(facts(site)["sync"] == "Synced" and facts(site)["state"] == "successful"))


def until_back(site: Site, good: str) -> None:
    """At this commit again, since what the branch has failed."""
    until(site, lambda: bool(facts(site)["state"] == "rolled_back" and facts(site)["deployed"] == good))


def facts(site: Site) -> Any:  # JSON, as programs get it
    return json.loads(site.world.ssh("bob", "env show staging --json").must().out)


def log(site: Site) -> list[Any]:  # as above
    """Newest first."""
    return list(json.loads(site.world.ssh("bob", "env log staging --json").must().out))


def begun(site: Site, commit: str) -> list[Any]:  # as above
    return [event for event in log(site) if event["kind"] == "started" and event["commit"] == commit]


def rolled_back(site: Site) -> int:
    """How often, in all: `env log` tells the newest events only."""
    return sum(event.fact("Event") == "rolled-back" for event in site.world.events("refs/environments/staging/log"))


def test_what_failed_is_rolled_back_at_once_on_the_hosts_that_it_touched(site: Site) -> None:
    good = site.tip()
    shown = site.land({"page": "bad\n"}, "Another page")
    bad = site.tip()
    lines = [seconds_away(line) for line in shown.remote_lines if "…" not in line]
    assert lines[lines.index("  staging    ok 0, changed 0, failed 2, skipped 1 (N s)") :] == [
        "  staging    ok 0, changed 0, failed 2, skipped 1 (N s)",
        "             failed: web1 web2; stopped after batch 1 of 2: 2 of its 2 hosts failed, and max_failed",
        "             is 0; not begun: web3",
        "             web1: failed: site.yml:11: Well: non-zero return code",
        "             web2: failed: site.yml:11: Well: non-zero return code",
        "             web3: skipped: nothing was run on it: the rollout stopped after batch 1 of 2",
        f"             it is rolled back to {good[:7]} by the server",
        f"  staging    deploying {good[:7]} to web1 web2",
        "  staging    ok 2, changed 2, failed 0, 1 left alone (N s)",
    ]
    assert site.pages() == ["first\n"] * 3
    assert begun(site, good)[0]["limit"] == ["web1", "web2"]
    until(site, lambda: facts(site)["rolled_back"]["revert_change"])
    now = facts(site)
    number = now["rolled_back"]["revert_change"]
    assert (now["sync"], now["health"], now["state"]) == ("OutOfSync", "Degraded", "rolled_back")
    assert (now["desired"], now["deployed"], now["barred"]) == (good, good, True)
    assert now["hosts"] == {"web1": good, "web2": good, "web3": good}
    told = [line for line in site.show().splitlines() if "rollback" in line or "revert" in line]
    assert told[0].startswith(f"  rollback   to {good[:7]} by the server on ")
    assert f"revert change {number}" in site.show().replace("\n             ", " ")

    # Nothing brings it back: neither time, nor a look, nor a word on another matter.
    site.world.reconcile_once()
    resumed = site.world.ssh("bob", "env resume staging")
    assert (resumed.code, f"staging was rolled back by the server from {bad[:12]}" in resumed.err) == (1, True)
    assert len(begun(site, bad)) == 1
    site.follow_for(10)


def test_the_revert_change_is_an_ordinary_change_by_the_server(site: Site) -> None:
    number = facts(site)["rolled_back"]["revert_change"]
    bad, good = site.tip(), facts(site)["desired"]
    listed = site.world.ssh("bob", "change list").must().out
    assert 'Revert "Another page"' in listed
    text = site.world.show(f"refs/changes/{number}/head").split("diff --git")[0]
    assert f"- {bad[:7]} Another page (change {number - 1} of alice, landed by bob)" in text
    landing = site.world.verb("carol", "land", number)
    assert (landing.code, "0 of 1 approval by @senior. The author (server) does not count." in landing.remote) == (
        1,
        True,
    )
    assert site.world.verb("alice", "approve", number).code == 1
    shown = site.world.approve("bob", number).must()
    assert any("landing" in line for line in shown.remote_lines), shown.remote
    assert site.world.show("refs/heads/main:page") == "first\n"
    until_synced(site)
    now = facts(site)
    assert (now["health"], now["rolled_back"], now["barred"]) == ("Healthy", None, False)
    assert begun(site, site.tip())[0]["limit"] == []
    assert good != site.tip()
    reverts = [event for event in log(site) if event["kind"] == "reverted"]
    assert [event["change"] for event in reverts] == [number]


def test_the_same_tree_under_another_commit_is_left_out_until_a_person_asks_for_it(site: Site) -> None:
    good = site.tip()
    shown = site.land({"page": "bad\n"}, "Once more")
    bad = site.tip()
    site.world.reconcile_once()
    assert not begun(site, bad)
    now = facts(site)
    assert (now["sync"], now["health"], now["barred"], now["desired"]) == ("OutOfSync", "Degraded", True, good)
    words = f"{bad[:7]} has a tree that failed here, and is left out; to try it: env deploy staging"
    assert f"  rollback   {words}" in site.show().splitlines()
    assert shown.remote_lines[-1] == f"  staging    {words}"

    assert site.world.ssh("bob", "env deploy staging").code == 1
    until(site, lambda: len(begun(site, bad)) == 1)
    until_back(site, good)
    assert site.pages() == ["first\n"] * 3
    assert len(begun(site, bad)) == 1
    assert [event["actor"] for event in log(site) if event["kind"] == "requested"] == ["bob"]
    until(site, lambda: facts(site)["rolled_back"]["revert_change"])

    site.land({"page": "second\n"})
    until_synced(site)
    assert site.pages() == ["second\n"] * 3


def test_a_way_back_that_fails_is_tried_again_and_goes_no_further(site: Site) -> None:
    good = site.tip()
    (site.hosts[0].root / "full").touch()
    site.retry_after(1)
    site.land({"page": "a bad one\n"})
    until(site, lambda: len(begun(site, good)) > 3)
    assert facts(site)["desired"] == good
    assert rolled_back(site) == 3
    (site.hosts[0].root / "full").unlink()
    until_back(site, good)
    assert site.pages() == ["second\n"] * 3
    site.retry_after(600)


def test_neither_its_interval_nor_a_look_at_its_hosts_brings_a_bad_tree_back(site: Site) -> None:
    more = "    interval: 12s\n    drift: 1d\n    self_heal: true\n"
    site.land({".gitops/policy.yaml": STRICT + BACK + more, "page": "third\n"})
    until_synced(site)
    good = site.tip()
    site.land({"page": "as bad as that\n"})
    bad = site.tip()
    until(site, lambda: len(begun(site, bad)) == 1)
    until_back(site, good)
    until(site, lambda: begun(site, good)[0]["reason"] == "its interval is over")
    (site.hosts[2].root / "page").write_text("by hand\n")
    site.world.ssh("bob", "env drift staging --now", seconds=90)
    until(site, lambda: site.pages() == ["third\n"] * 3)
    assert (len(begun(site, bad)), facts(site)["desired"]) == (1, good)
    site.land({".gitops/policy.yaml": STRICT + BACK, "page": "fourth\n"})
    until_synced(site)


def test_what_was_good_there_and_fails_later_is_tried_again(site: Site) -> None:
    good, rolled = site.tip(), rolled_back(site)
    (site.hosts[0].root / "full").touch()
    assert site.world.ssh("bob", "env deploy staging").code == 1
    until(site, lambda: facts(site)["state"] == "waiting")
    now = facts(site)
    assert (now["desired"], now["last"]["state"], now["rolled_back"]) == (good, "failed", None)
    assert "rollback   none" not in site.show()
    (site.hosts[0].root / "full").unlink()
    site.world.ssh("bob", "env deploy staging")
    until_synced(site)
    assert rolled_back(site) == rolled


def test_while_what_landed_later_waits_hosts_are_not_left_with_what_failed(site: Site) -> None:
    site.land({".gitops/policy.yaml": STRICT + BACK + "    manual: true\n"})
    site.world.ssh("bob", "env deploy staging")
    until_synced(site)
    good = site.tip()
    site.follow_for(1)
    stay = site.hosts[0].root / "stay"
    stay.touch()
    (site.hosts[0].root / "full").touch()
    site.land({"page": "another\n"})
    failing = site.tip()
    site.world.ssh("bob", "env deploy staging")
    until(site, lambda: site.pages()[0] == "another\n")
    site.land({"page": "later\n"})
    later = site.tip()
    site.retry_after(1)
    stay.unlink()
    until(site, lambda: len(begun(site, good)) > 1)
    (site.hosts[0].root / "full").unlink()
    until(site, lambda: bool((facts(site)["waits"] or {}).get("gate") == "manual"))
    assert site.pages() == ["fourth\n"] * 3
    now = facts(site)
    assert (now["waits"]["gate"], now["desired"], now["state"]) == ("manual", later, "waiting")
    rolled = next(event for event in log(site) if event["kind"] == "rolled-back")
    assert (rolled["left"], rolled["commit"], rolled["skips"]) == (failing, good, ["manual"])
    site.world.ssh("bob", "env deploy staging")
    until_synced(site)
    assert site.pages() == ["later\n"] * 3
    site.retry_after(600)
    site.land({".gitops/policy.yaml": STRICT + BACK})
    until_synced(site)


def test_a_revert_visits_the_hosts_that_the_run_which_it_ended_may_have_touched(site: Site) -> None:
    site.follow_for(1)
    site.retry_after(1)
    stay, variables = site.hosts[0].root / "stay", "inventories/staging/host_vars/web1.yml"
    stay.touch()
    site.land({variables: "word: one\n"})
    ended = site.tip()
    until(site, lambda: bool(begun(site, ended)))
    assert begun(site, ended)[0]["limit"] == ["web1"]
    until(site, lambda: "Stay" in site.show())
    site.land({variables: None})
    revert = site.tip()
    until(site, lambda: any(event["kind"] == "canceled" for event in log(site)))
    stay.unlink()
    until_synced(site)
    canceled = next(event for event in log(site) if event["kind"] == "canceled")
    assert (canceled["actor"], canceled["commit"]) == ("server", ended)
    assert {tuple(event["limit"]) for event in begun(site, revert)} == {("web1",)}
    assert len(begun(site, ended)) == 1
    site.retry_after(600)


def test_nothing_is_rolled_back_for_hosts_that_are_not_there(site: Site) -> None:
    site.land({"page": "fifth\n"})
    until_synced(site)
    site.hosts[1].sshd.pause()
    site.land({"page": "sixth\n"})
    until(site, lambda: site.pages()[2] == "sixth\n" and facts(site)["state"] == "waiting")
    assert site.pages() == ["sixth\n", "fifth\n", "sixth\n"]
    now = facts(site)
    assert (now["state"], now["rolled_back"]) == ("waiting", None)
    assert now["hosts"]["web2"] != now["hosts"]["web1"]
    lines = site.show().splitlines()
    assert f"  hosts      web1 web3 at {site.tip()[:7]}, web2 at {now['hosts']['web2'][:7]}" in lines


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(staged: Template) -> None:
    world = World.copied_from(staged)
    try:
        first = Site(world, world.add_hosts("web1"))
        first.retry_after(600)
        first.follow_for(55)
        files = {"site.yml": PLAYBOOK, "page": "bad\n", "inventories/staging/hosts.yml": inventory(first.hosts)}
        shown = first.land({**files, ".gitops/policy.yaml": STRICT + BACK})
        again = "             it is tried again by itself; at once:  ssh <host> env deploy staging"
        assert shown.remote_lines[-1] == again
        line = "  rollback   none: no commit ended well here before; it is tried again"
        assert line in first.show().splitlines()
        now = facts(first)
        assert (now["health"], now["rolled_back"], now["hosts"]) == ("Degraded", None, {"web1": None})
        assert now["retry_at"]
        first.land({"page": "good\n"})
        until_synced(first)
    finally:
        world.close()
