"""What a change would do to hosts is planned on request, once nothing else is missing, and operators alone read it."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.environments.conftest import Site
from tests.environments.planned import BY_HAND, ask, grant_plans, head, open_planned, planned, propose
from tests.world import Template

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    with open_planned(staged, BY_HAND) as site:
        yield site


def test_without_a_plan_credential_it_is_refused_with_the_cure(site: Site) -> None:
    number = propose(site, {"page": "second\n"})
    site.world.approve("bob", number).must()
    refused = site.world.verb("bob", "plan", number)
    assert refused.code == 1
    assert "The server has no plan credential for staging, and what deploys is not used for plans." in refused.err
    assert 'The administrator adds a [[credential]] with use = "plan" to server.toml.' in refused.err
    site.world.verb("alice", "close", number).must()


def test_it_tells_what_would_change_and_changes_nothing(site: Site) -> None:
    grant_plans(site)
    number = propose(site, {"page": "second\n"})
    early = site.world.verb("bob", "plan", number)
    assert early.code == 1 and "0 of 1 approval by @senior." in early.err and planned(site, number) == []
    assert site.world.verb("robot", "plan", number).code == 1
    site.world.approve("bob", number).must()
    stranger = ask(site, "carol", number)
    assert stranger.code == 1 and "carol may neither land it nor operate staging." in stranger.err

    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", ask(site, "bob", number).must().out)
    (digest,) = planned(site, number)
    difference = [
        "  site.yml:4: Page",
        "    --- /srv/page",
        "    +++ page",
        "    @@ -1 +1 @@",
        "    -first",
        "    +second",
    ]
    lines = [re.sub(r"--- .*/page", "--- /srv/page", line) for line in shown.splitlines()]
    assert lines == [
        f"plan {digest[:12]} of change {number} at {head(site, number)[:12]}, made TIME UTC",
        "staging: 2 hosts change, 0 unchanged",
        *("web1: changes", *difference),
        *("web2: changes", *difference),
    ]
    assert site.pages() == ["first\n", "first\n"]
    assert "  plan       staging: 2 hosts change, 0 unchanged\n" in site.world.ssh("carol", f"change show {number}").out


def test_who_does_not_operate_the_hosts_reads_the_sums_alone(site: Site) -> None:
    number = propose(site, {"page": "third\n"})
    site.world.approve("bob", number).must()
    asked = site.world.verb("alice", "plan", number).must()
    assert f"gitops: change {number}: alice asks for a plan of {head(site, number)[:7]}" in asked.err
    site.await_that(lambda: planned(site, number))
    told = site.world.ssh("alice", f"change plan {number}").must().out
    assert "  what was found is for those who operate staging\n" in told and "third" not in told
    facts = json.loads(site.world.ssh("alice", f"change plan {number} --json").must().out)
    assert (facts["environments"][0]["changes"], facts["found"]) == (2, {})
    refused = site.world.ssh("alice", f"env plan staging {number}")
    assert refused.code == 1 and "alice may not operate staging." in refused.err
    found = json.loads(site.world.ssh("bob", f"env plan staging {number} --json").must().out)["found"]["staging"]
    assert [host["prospect"] for host in found["hosts"]] == ["changes", "changes"]
    assert "+third" in found["hosts"][0]["differences"][0]["text"]
    # Nothing of it is in the repository.
    assert "third" not in site.world.server_git("log", f"refs/changes/{number}/meta")
    (kept,) = site.world.home.path.glob(f"state/*/plans/{number}.json")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_host_that_is_down_is_unknown_and_what_reaches_nobody_is_not_planned(site: Site) -> None:
    number = propose(site, {"page": "fourth\n"})
    site.world.approve("bob", number).must()
    site.hosts[1].sshd.pause()
    shown = ask(site, "bob", number).must().out
    site.hosts[1].sshd.start_again()
    assert "staging: 1 host changes, 0 unchanged, 1 unknown\n" in shown
    assert re.search(r"^web2: unknown: web2 \(.*\) does not answer", shown, re.M)

    number = propose(site, {"README.md": "Another\n"})
    site.world.approve("bob", number).must()
    refused = site.world.verb("bob", "plan", number)
    assert "It touches no environment whose hosts the server sees, so there is nothing to plan." in refused.err
