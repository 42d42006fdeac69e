"""A deployment visits the hosts that its commit concerns, and those that missed something; others are left alone."""

import json
from collections.abc import Iterator

import pytest

from tests.answers import Result
from tests.environments.conftest import ENVIRONMENT, Site, open_site
from tests.environments.test_from_push_to_host import seconds_away
from tests.world import POLICY, Template

STEPS = """\
- hosts: web
  gather_facts: false
  tasks:
    - name: Word
      ansible.builtin.copy:
        content: "{{ word | default('none') }}"
        dest: "{{ root }}/word"
        mode: "0644"
    - name: Page
      ansible.builtin.copy: {src: page, dest: "{{ root }}/page", mode: "0644"}
"""
VARIABLES = "inventories/staging/host_vars/web1.yml"

# Each is a story of several deployments to two hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    """Two hosts for all stories of this file; each story leaves them as main says."""
    with open_site(staged, STEPS) as site:
        assert words(site) == ["none", "none"]
        yield site


def told(result: Result) -> list[str]:
    """What the pusher is told of the deployment, without what comes and goes."""
    lines = [seconds_away(line) for line in result.remote_lines if "…" not in line]
    return lines[next(number for number, line in enumerate(lines) if line.startswith("  staging")) :]


def words(site: Site) -> list[str | None]:
    return [host.holds("word") for host in site.hosts]


def runs(site: Site) -> list[tuple[object, ...]]:
    """Of each deployment, newest first, whom it was to visit (None: all) and how it ended."""
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    ends = {event["generation"]: event for event in log if event["kind"] == "finished"}
    starts = [event for event in log if event["kind"] == "started"]
    return [(each["limit"], ends[each["number"]]["state"], ends[each["number"]]["left"]) for each in starts]


def test_only_the_hosts_that_a_commit_concerns_are_visited(site: Site) -> None:
    one = site.land({VARIABLES: "word: one\n"})
    assert told(one) == [
        f"  staging    deploying {site.tip()[:7]} to web1",
        "  staging    ok 1, changed 1, failed 0, 1 left alone (N s)",
    ]
    assert words(site) == ["one", "none"]
    (site.hosts[1].root / "page").unlink()
    nobody = site.land({"README.md": "words\n"})
    assert told(nobody) == ["  staging    successful, 2 left alone (N s)", "             nothing concerns its hosts"]
    assert site.ref("deployed") == site.tip()
    assert site.pages() == ["first\n", None]
    assert runs(site)[:2] == [([], "successful", 2), (["web1"], "successful", 1)]
    shown = site.world.ssh("bob", "env log staging").must().out
    assert " attempt 1 for nobody\n" in shown and " attempt 1 for web1\n" in shown and " for all hosts\n" in shown

    asked = site.world.ssh("bob", "env deploy staging").must()
    assert "ok 2, changed 1, failed 0 (" in asked.out + asked.err
    assert site.pages() == ["first\n", "first\n"]


def test_who_missed_a_commit_is_brought_up_with_the_next_and_a_retry_visits_nobody_else(site: Site) -> None:
    web2 = site.hosts[1]
    web2.sshd.pause()
    site.land({"page": "second\n"})
    assert runs(site)[0] == (None, "failed", 0)
    both = site.land({VARIABLES: "word: two\n"})
    assert f"  staging    deploying {site.tip()[:7]} to web1 web2" in told(both)
    assert (site.hosts[0].holds("page"), site.hosts[0].holds("word")) == ("second\n", "two")
    assert site.ref("deployed") != site.tip()

    site.retry_after(1)
    web2.sshd.start_again()
    site.await_that(lambda: site.ref("deployed") == site.tip())
    assert site.pages() == ["second\n", "second\n"]
    assert runs(site)[0] == (["web2"], "successful", 1)


def test_hosts_that_see_each_other_are_visited_together(site: Site) -> None:
    site.land({"site.yml": STEPS.replace("none')", "none') ~ hostvars | length")})
    seen = site.land({VARIABLES: "word: three\n"})
    assert told(seen)[-1] == "  staging    ok 2, changed 1, failed 0 (N s)"
    assert runs(site)[0] == (None, "successful", 0)
    site.land({"site.yml": STEPS})


def test_an_environment_may_ask_for_all_hosts_and_for_all_of_them_again_after_a_while(site: Site) -> None:
    site.land({".gitops/policy.yaml": POLICY + ENVIRONMENT + "    limit: all\n"})
    site.land({"README.md": "more words\n"})
    assert runs(site)[0] == (None, "successful", 0)
    site.land({".gitops/policy.yaml": POLICY + ENVIRONMENT + "    interval: 10s\n"})
    (site.hosts[1].root / "page").unlink()
    site.await_that(lambda: site.hosts[1].holds("page") is not None)
    log = json.loads(site.world.ssh("bob", "env log staging --json").must().out)
    assert next(event["reason"] for event in log if event["kind"] == "started") == "its interval is over"
