"""One word stops every deployment of the server, and one brings an environment back to what was good."""

from collections.abc import Iterator

import pytest

from tests.environments.gated import Gated, gated

# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        yield found


def test_a_stopped_server_ends_what_runs_and_begins_nothing_until_it_is_started(site: Gated):
    site.limit(follow_seconds=1)
    with site.staying("staging"):
        site.land({"page": "second\n"})
        site.await_state("staging", "running")
        site.await_that(lambda: site.page("staging") == "second\n")
        stopped = site.world.admin("env", "stop", "--reason", "the key leaked").must()
        assert stopped.out == (
            "all deployments are stopped, and those that ran are ended; again:  gitops-hooks env start\n"
        )
        facts = site.await_state("staging", "waiting")
    assert facts["last"]["state"] == "canceled"
    assert facts["last"]["detail"].startswith("all deployments are stopped by the administrator since ")
    assert facts["waits"]["gate"] == "stopped"
    assert facts["stopped"].endswith(" UTC: the key leaked")
    doctor = site.world.admin("doctor")
    assert "FAIL  stop: all deployments are stopped by the administrator since " in doctor.out
    for word in ("deploy", "rollback"):
        refused = site.world.ssh("bob", f"env {word} staging")
        assert (refused.code, "All deployments are stopped by the administrator" in refused.err) == (1, True)
    shown = site.land({"page": "third\n"})
    assert any("staging    all deployments are stopped: by the admin" in line for line in shown.remote_lines)
    site.world.admin("reconcile", "--stop")
    assert site.world.reconcile_once().code == 1
    assert (site.page("staging"), site.facts("staging")["state"]) == ("second\n", "waiting")

    # Whatever else it says, that it is there is what counts.
    site.world.home.stop_file.write_bytes(b"\xff{")
    assert site.world.reconcile_once().code == 1
    assert site.facts("staging")["stopped"] == "by the administrator"
    site.world.home.stop_file.unlink()
    site.world.home.stop_file.mkdir()
    assert site.world.reconcile_once().code == 1
    site.world.home.stop_file.rmdir()
    site.world.home.stop_file.write_text("")
    assert site.world.admin("env", "start").must().out == "deployments begin again\n"
    assert site.world.admin("env", "start").must().out == "nothing was stopped\n"
    site.await_page("staging", "third\n")
    site.await_page("production", "third\n")
    site.limit(follow_seconds=30)


def test_the_words_for_all_repositories_are_the_administrators(site: Gated):
    for word in ("stop", "start"):
        refused = site.world.ssh("bob", f"env {word}")
        assert (refused.code, refused.err) == (
            1,
            f"gitops: 'env {word}' is for the administrator, on the server's own shell\n",
        )


def test_a_rollback_brings_the_last_good_commit_at_once_and_pins_it_until_the_branch_moves_on(site: Gated):
    good = site.tip()
    site.gates(staging="manual: true")
    site.world.ssh("bob", "env deploy staging").must()
    policy = site.tip()
    site.land({"page": "broken\n"})
    site.world.ssh("bob", "env deploy staging").must()
    broken = site.tip()
    assert site.page("staging") == "broken\n"

    said = site.world.ssh("bob", "env rollback staging --reason page-is-broken").must()
    assert f"gitops: staging rolled back to {policy[:7]} by bob, past its gates (manual)" in said.err
    assert site.page("staging") == "third\n"
    facts = site.facts("staging")
    assert (facts["sync"], facts["health"], facts["state"]) == ("OutOfSync", "Healthy", "rolled_back")
    assert (facts["desired"], facts["deployed"]) == (policy, policy)
    assert (facts["rolled_back"]["left"], facts["rolled_back"]["skips"]) == (broken, ["manual"])
    assert any(line.startswith(f"  rollback   to {policy[:7]} by bob on ") for line in site.show("staging"))
    site.world.reconcile_once()
    assert site.page("staging") == "third\n"

    back = site.world.git("bob", "push", "-o", "m=further", "origin", f"{good}:refs/rollback/staging").must()
    assert back.remote_lines[0] == f"gitops: staging rolled back to {good[:7]} by bob, past its gates (manual)"
    site.await_that(lambda: site.facts("staging")["deployed"] == good)
    bad = site.world.ssh("bob", f"env rollback staging {policy}")
    assert (bad.code, f"staging was rolled back from {policy[:12]}, and it did not" in bad.err) == (1, True)
    tip = site.world.ssh("bob", f"env rollback staging {broken}")
    assert (tip.code, f"{broken[:12]} is the tip of refs/heads/main." in tip.err) == (1, True)

    site.land({"page": "mended\n"})
    assert site.facts("staging")["rolled_back"] is None
    assert site.facts("staging")["waits"]["gate"] == "manual"
    site.world.ssh("bob", "env deploy staging").must()
    assert site.page("staging") == "mended\n"


def test_a_rollback_goes_through_a_pause_and_leaves_it_and_a_resume_ends_both(site: Gated):
    site.gates()
    site.land({"page": "worse\n"})
    site.await_state("staging", "successful")
    site.world.ssh("bob", "env pause staging").must()
    site.world.git("bob", "push", "origin", ":refs/rollback/staging").must()
    site.await_state("staging", "rolled_back")
    assert site.page("staging") == "mended\n"
    facts = site.facts("staging")
    assert facts["paused"]["actor"] == "bob"
    site.world.ssh("bob", "env resume staging").must()
    site.await_page("staging", "worse\n")
    assert site.facts("staging")["paused"] is None
    assert site.facts("staging")["sync"] == "Synced"


def test_once_a_rollback_is_there_a_pause_holds_all_that_follows_by_itself(site: Gated):
    site.gates(staging="drift: 1h\nself_heal: true")
    site.await_state("staging", "successful")
    good = site.page("staging")
    site.land({"page": "worst\n"})
    site.world.ssh("bob", "env rollback staging").must()
    site.await_state("staging", "rolled_back")
    assert site.page("staging") == good
    site.world.ssh("bob", "env pause staging").must()
    begun = site.kinds("staging").count("started")
    (site.hosts["staging"].root / "page").write_text("by hand\n")
    site.world.ssh("bob", "env drift staging --now").must()
    site.world.stop_reconciler()
    site.world.reconcile_once()
    assert (site.page("staging"), site.kinds("staging").count("started")) == ("by hand\n", begun)
    site.world.ssh("bob", "env resume staging").must()
    site.await_page("staging", "worst\n")


def test_only_what_was_good_there_can_be_gone_back_to(site: Gated):
    site.world.start_over("bob")
    commits = site.world.git("bob", "rev-list", "HEAD").must().out.split()
    never = site.world.ssh("bob", f"env rollback staging {commits[-1]}")
    words = f"{commits[-1][:12]} was never a tip of refs/heads/main that ended well in staging."
    assert (never.code, words in " ".join(never.err.split())) == (1, True)
    now = site.world.ssh("bob", f"env rollback staging {site.tip()}")
    assert (now.code, f"staging is meant to be at {site.tip()[:12]} already." in now.err) == (1, True)


def test_words_by_push_are_followed_like_a_landing(site: Gated):
    site.gates()
    site.await_that(lambda: site.facts("production")["sync"] == "Synced")
    back = site.world.git("bob", "push", "origin", ":refs/rollback/production").must()
    lines = back.remote_lines
    to = site.facts("production")["desired"]
    assert lines[0] == f"gitops: production rolled back to {to[:7]} by bob"
    assert any(line.startswith(f"  production deploying {to[:7]}") for line in lines), lines
    assert any(line.startswith("  production ok ") for line in lines), lines
    again = site.world.git("bob", "push", "origin", ":refs/deploy/production").must()
    assert again.remote_lines[0] == f"gitops: deployment of {site.tip()[:7]} to production requested by bob"
    assert again.remote_lines[-1].startswith("  production ok ")
    site.limit(follow_seconds=2)
    with site.staying("production"):
        bounded = site.world.git("bob", "push", "origin", f"{site.tip()}:refs/deploy/production").must()
        words = "  production not at its end yet; follow it:  ssh <host> env show production"
        assert bounded.remote_lines[-1] == words
        site.limit(follow_seconds=30)
        ended = site.world.git("bob", "push", "origin", ":refs/cancel/production").must()
        assert any("canceled by bob" in line for line in ended.remote_lines[1:]), ended.remote
