"""Hosts that differ from what was deployed are told, with what differs, and brought back where the policy says so."""

import json
import re
from collections.abc import Iterator

import pytest

from gitops_hooks.edge.bell import ring
from tests.environments.conftest import ENVIRONMENT, Site, open_site
from tests.waiting import so_far
from tests.world import POLICY, Template

STEPS = """\
- hosts: web
  gather_facts: false
  tasks:
    - name: Page
      ansible.builtin.copy: {src: page, dest: "{{ root }}/page", mode: "0644"}
    - name: Word
      ansible.builtin.copy: {content: "{{ word | default('none') }}", dest: "{{ root }}/word", mode: "0644"}
      no_log: true
"""
# Nothing of it stays on a host when it is ended: what does is another story, of hosts that are set aside.
SLOW = """\
    - name: Slow
      ansible.builtin.pause: {seconds: 300}
      when: ansible_check_mode
"""
ALWAYS = """\
    - name: Never the same
      ansible.builtin.file: {path: "{{ root }}/now", state: touch, mode: "0644"}
"""

# Each is a story of several runs on two hosts.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    """Two hosts for all stories of this file; each story leaves them as main says."""
    with open_site(staged, STEPS) as site:
        yield site


def look(site: Site, *words: str) -> str:
    """bob looks now; what he is shown, without the times."""
    shown = site.world.ssh("bob", " ".join(("env drift staging", *words, "--now"))).must().out
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", shown)


def facts(site: Site) -> dict[str, object]:
    return json.loads(site.world.ssh("bob", "env show staging --json").must().out)


def events(site: Site) -> list[dict[str, object]]:
    """What the log says of looks, newest first."""
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    return [event for event in log if event["kind"] == "drifted"]


def test_what_somebody_changed_on_a_host_is_told_with_the_difference_and_once(site: Site) -> None:
    assert f"staging at {site.tip()[:12]}, looked at TIME UTC\nweb1: Synced\nweb2: Synced\n" == look(site)
    assert events(site) == []
    (site.hosts[0].root / "page").write_text("by hand\n")
    shown = look(site)
    assert "web1: OutOfSync\n  site.yml:4: Page\n" in shown
    assert "    -by hand\n    +first\n" in shown and "web2: Synced\n" in shown
    assert site.pages()[0] == "by hand\n"
    shown = site.show()
    assert shown.startswith("staging: OutOfSync, Healthy\n")
    assert re.search(r"  drift      1 out of sync, looked at .*\n             web1: site.yml:4: Page\n", shown)
    assert facts(site)["drift"]["out_of_sync"] == ["web1"]
    look(site, "web1")
    assert [(event["hosts"], event["clean"], event["differences"]) for event in events(site)] == [(["web1"], 1, 1)]
    assert " drifted    1 out of sync, 1 in sync: web1\n" in site.world.ssh("bob", "env log staging").must().out

    site.world.ssh("bob", "env deploy staging").must()
    assert site.pages() == ["first\n", "first\n"]
    assert site.show().startswith("staging: Synced, Healthy\n")
    look(site)
    assert [event["hosts"] for event in events(site)] == [[], ["web1"]]


def test_what_may_carry_a_secret_is_withheld_and_who_cannot_be_reached_is_unknown(site: Site) -> None:
    (site.hosts[0].root / "word").write_text("a secret of the host")
    site.hosts[1].sshd.pause()
    shown = look(site)
    assert "web1: OutOfSync\n  1 not shown (no_log, too many, or too large)\n" in shown and "secret of" not in shown
    assert re.search(r"^web2: Unknown: web2 \(.*\) does not answer", shown, re.M)
    kept = [path.read_text() for path in site.world.home.path.glob("state/*/drift/*")]
    assert kept and not any("secret of" in text for text in kept)
    assert (events(site)[0]["hosts"], events(site)[0]["unknown"]) == (["web1"], ["web2"])
    site.hosts[1].sshd.start_again()
    site.world.ssh("bob", "env deploy staging").must()
    assert "OutOfSync" not in look(site)


def test_only_who_may_operate_has_hosts_looked_at_and_everybody_sees_what_was_found(site: Site) -> None:
    look(site)
    refused = site.world.ssh("robot", "env drift staging --now")
    assert refused.code == 1 and "robot may not operate staging." in refused.err
    assert "web1: Synced" in site.world.ssh("robot", "env drift staging").must().out


def test_a_look_begins_anew_after_a_kill_and_a_landing_meanwhile_goes_first(site: Site) -> None:
    site.land({"site.yml": STEPS + SLOW})
    notes = next(site.world.home.path.glob("state/*/drift"))
    (notes / "staging.asked").write_text("somebody")
    ring(site.world.home)
    site.await_that(lambda: so_far(notes / "staging.run"))
    first = so_far(notes / "staging.run")
    site.kill_reconciler()
    site.world.admin("reconcile", "--ensure").must()
    site.await_that(lambda: so_far(notes / "staging.run") not in ("", first))

    site.land({"page": "second\n", "site.yml": STEPS})
    assert site.pages() == ["second\n", "second\n"]
    # Whoever asked is answered by a look at what is deployed now.
    site.await_that(lambda: not (notes / "staging.asked").exists())
    assert facts(site)["drift"]["commit"] == site.tip()


def test_what_is_out_of_sync_is_brought_back(site: Site) -> None:
    site.retry_after(1)
    site.land({".gitops/policy.yaml": POLICY + ENVIRONMENT + "    drift: 1m\n    self_heal: true\n"})
    page = site.pages()[1]
    (site.hosts[1].root / "page").write_text("by hand\n")
    look(site)
    site.await_that(lambda: site.pages()[1] == page and events(site)[0]["hosts"] == [])
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    begun = next(event for event in log if event["kind"] == "started")
    assert (begun["limit"], begun["reason"]) == (["web2"], "it brings back what is out of sync")
    assert site.show().startswith("staging: Synced, Healthy\n")


def test_what_is_never_the_same_is_brought_back_three_times_and_the_environment_degraded(site: Site) -> None:
    site.retry_after(1)
    policy = POLICY + ENVIRONMENT + "    drift: 1m\n    self_heal: true\n"
    site.land({".gitops/policy.yaml": policy, "site.yml": STEPS + ALWAYS})
    look(site)
    while True:
        # Before it is asked: what is recorded after the answer is waited for no more.
        length = len(site.world.events("refs/environments/staging/log"))
        if facts(site)["drift"]["stuck"]:
            break
        # A run or a look at a time: each of them ends well within the time that is waited for.
        site.await_that(lambda before=length: len(site.world.events("refs/environments/staging/log")) > before)
    shown = " ".join(site.show().split())
    assert shown.startswith("staging: OutOfSync, Degraded ")
    assert "web1 web2: out of sync again after 3 tries to bring it back" in shown
    assert facts(site)["drift"]["stuck"] == ["web1", "web2"]
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    heals = [event for event in log if event["kind"] == "started" and event["commit"] == site.tip()]
    assert [event["reason"] == "it brings back what is out of sync" for event in heals] == [True, True, True, False]
