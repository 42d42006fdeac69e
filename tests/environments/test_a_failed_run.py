"""A run that fails stays visible, is tried again, and blocks nothing."""

import json
import re

from tests.answers import Result
from tests.environments.conftest import Site


def last_lines(result: Result) -> list[str]:
    """The pusher's lines from the end of the run on, without its seconds."""
    lines = result.remote_lines
    at = next(number for number, line in enumerate(lines) if "ok 1," in line)
    return [lines[at].split(" (")[0], *lines[at + 1 :]]


def test_it_is_shown_as_failed_and_a_word_over_ssh_tries_it_again_at_once(site: Site):
    (site.hosts[1].root / "full").touch()
    before = site.ref("deployed")
    shown = site.land({"page": "second\n"})
    assert last_lines(shown) == [
        "  staging    ok 1, changed 1, failed 1",
        "             failed: web2",
        "             web2: failed: site.yml:6: Disk: non-zero return code",
        "             it is tried again by itself; at once:  ssh <host> env deploy staging",
    ]
    assert site.ref("deployed") == before
    assert site.ref("attempted") == site.tip()
    state = site.show().splitlines()
    assert state[0] == "staging: OutOfSync, Degraded"
    assert state[-1].startswith("  retry      at ")
    assert state[-1].endswith(" UTC, attempt 2")
    assert site.pages() == ["second\n", "first\n"]

    (generation,) = re.findall(r"deployment (\d+) of", "\n".join(state))
    steps = site.world.ssh("alice", f"env log staging {generation}").must().out.splitlines()
    assert steps[0] == f"deployment {generation} of {site.tip()[:12]} to staging, attempt 1"
    seen = sorted(re.sub(r"^(.) +[\d.]+ s", r"\1", line) for line in steps[1:-1])
    assert seen == [
        "   web1             changed      site.yml:9: Page",
        "   web1             ok           site.yml:6: Disk",
        "!  web2             failed       site.yml:6: Disk: non-zero return code",
    ]
    assert steps[-1].startswith("failed: ok 1, changed 1, failed 1 (")
    facts = site.world.ssh("alice", f"env log staging {generation} --json").must().out.splitlines()
    assert {json.loads(line)["host"] for line in facts} == {"web1", "web2"}
    none = site.world.ssh("alice", "env log staging 1000")
    assert (none.code, none.err) == (1, "gitops: staging has no deployment 1000; see: env log staging\n")

    (site.hosts[1].root / "full").unlink()
    again = site.world.ssh("bob", "env deploy staging").must()
    assert site.pages() == ["second\n", "second\n"]
    assert "ok 1, changed 1, failed 0, 1 left alone" in again.out + again.err
    assert site.ref("deployed") == site.tip()
    assert site.show().startswith("staging: Synced, Healthy\n")


def test_only_who_may_operate_the_environment_deploys_it(site: Site):
    refused = site.world.ssh("dave", "env deploy staging")
    assert refused.code == 1
    assert "dave" in refused.err


def test_it_is_tried_again_by_itself_and_a_host_that_was_down_is_caught_up(site: Site):
    site.retry_after(1)
    web2 = site.hosts[1]
    web2.sshd.pause()
    shown = site.land({"page": "second\n"})
    assert "unreachable: web2" in shown.err
    assert site.pages() == ["second\n", "first\n"]
    assert site.show().startswith("staging: OutOfSync, ")

    web2.sshd.start_again()
    site.await_that(lambda: site.ref("deployed") == site.tip())
    assert site.pages() == ["second\n", "second\n"]
