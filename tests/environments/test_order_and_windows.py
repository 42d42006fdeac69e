"""Production comes after staging, in its window, and when somebody asks for it: as the policy says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.environments.gated import Gated, gated

# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        yield found


def around_now(hours: int) -> str:
    """A window (or freeze) that began so many hours ago and lasts for twice that."""
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=hours), now + timedelta(hours=hours)
    return f"{begins:%a %H:%M} - {ends:%a %H:%M}"


def test_what_comes_after_begins_once_the_other_is_healthy_with_the_same_commit(site: Gated):
    site.gates(production="after: staging")
    with site.staying("staging"):
        site.limit(follow_seconds=4)
        shown = site.land({"page": "second\n"})
        waits = f"waits for staging, which is being brought to {site.tip()[:7]}"
        assert f"  production {waits}" in shown.remote_lines
        assert site.facts("production")["waits"] == {"gate": "after", "reason": waits, "until": None}
        assert site.page("production") == "first\n"
        deploy = site.world.ssh("bob", "env deploy production")
        assert (deploy.code, f"production {waits}." in deploy.err) == (1, True)
    site.limit(follow_seconds=30)
    site.await_page("production", "second\n")
    assert site.await_state("production", "successful")["deployed"] == site.tip()


def test_what_fails_where_it_came_first_does_not_come_after(site: Gated):
    site.gates(production="after: staging")
    (site.hosts["staging"].root / "full").touch()
    shown = site.land({"page": "third\n"})
    words = f"production waits for staging, which is not Healthy: its deployment of {site.tip()[:7]} failed"
    assert f"  {words}" in shown.remote_lines
    (site.hosts["staging"].root / "full").unlink()
    site.world.ssh("bob", "env deploy staging").must()
    site.await_page("production", "third\n")


def test_it_soaks_and_goes_on_by_itself_when_that_is_over(site: Gated):
    site.gates(production="after: staging\nsoak: 6s")
    site.await_state("production", "successful")
    shown = site.land({"page": "fourth\n"})
    line = next(line for line in shown.remote_lines if "waits until staging was Healthy for 6s (" in line)
    assert line.startswith("  production waits until ")
    assert site.page("production") == "third\n"
    site.await_page("production", "fourth\n")
    begun, ended = (site.world.events(f"refs/environments/{name}/log") for name in ("production", "staging"))
    soaked = datetime.fromisoformat(begun[-2].fact("At")) - datetime.fromisoformat(ended[-1].fact("At"))
    assert timedelta(seconds=6) <= soaked < timedelta(seconds=20)


def test_outside_its_windows_nothing_begins_nor_can_be_asked_for(site: Gated):
    now = datetime.now(UTC)
    opens = now + timedelta(hours=30)
    window = f"{opens:%a %H}:00 - {opens + timedelta(hours=2):%a %H}:00"
    site.gates(production=f"windows: ['{window}']")
    shown = site.land({"page": "fifth\n"})
    assert f"  production waits for its window ({opens:%a %H}:00 UTC)" in shown.remote_lines
    facts = site.facts("production")
    assert facts["state"] == "waiting"
    assert datetime.fromisoformat(facts["waits"]["until"]) == opens.replace(minute=0, second=0, microsecond=0)
    deploy = site.world.ssh("bob", "env deploy production")
    assert (deploy.code, f"production waits for its window ({opens:%a %H}:00 UTC)." in deploy.err) == (1, True)

    site.gates(production=f"windows: ['{window}']\nmanual_sync: true")
    assert site.page("production") == "fourth\n"
    said = site.world.ssh("bob", "env deploy production").must()
    assert "requested by bob, outside its windows" in said.err
    assert site.page("production") == "fifth\n"
    asked = [event for event in site.world.events("refs/environments/production/log") if "requested" in event.subject]
    assert asked[-1].fact("Skips") == "windows"


def test_in_a_window_it_begins_and_in_a_freeze_it_does_not(site: Gated):
    window, freeze, before = around_now(5), around_now(3), site.page("production")
    site.gates(production=f"windows: ['{window}']\nfreeze: ['{freeze}']")
    shown = site.land({"page": "sixth\n"})
    assert any(line.startswith(f"  production is frozen ({freeze}) until ") for line in shown.remote_lines)
    assert site.page("production") == before
    site.gates(production=f"windows: ['{window}']")
    site.await_page("production", "sixth\n")


def test_a_manual_environment_waits_for_a_word_and_one_that_the_policy_pauses_takes_none(site: Gated):
    site.gates(production="manual: true")
    site.world.ssh("bob", "env deploy production").must()
    shown = site.land({"page": "seventh\n"})
    assert "  production waits for somebody to ask for it: env deploy production" in shown.remote_lines
    head = site.tip()
    wrong = site.world.git("bob", "push", "origin", f"{head}~1:refs/deploy/production")
    assert wrong.code != 0
    site.world.start_over("bob")
    site.world.git("bob", "push", "origin", f"{head}:refs/deploy/production").must()
    site.await_page("production", "seventh\n")

    site.gates(production="paused: until the audit is over")
    refused = site.world.ssh("bob", "env deploy production")
    assert (refused.code, "production is paused by the policy: until the audit is over (" in refused.err) == (1, True)
    assert site.facts("production")["waits"]["gate"] == "paused"
