"""Pause keeps what is due from beginning, cancel ends what runs, and both are people's recorded words."""

from collections.abc import Iterator

import pytest

from tests.environments.gated import Gated, gated

# The first test of a file pays for the server and its hosts.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site() -> Iterator[Gated]:
    with gated() as found:
        yield found


def test_nothing_begins_while_somebody_has_paused_it_and_the_push_that_lands_says_why(site: Gated):
    said = site.world.ssh("bob", "env pause staging --stdin", text="the disk is replaced").must()
    assert said.err == "gitops: staging paused by bob; what runs goes on\n"
    shown = site.land({"page": "second\n"})
    assert "  staging    paused by bob: the disk is replaced" in shown.remote_lines
    assert site.page("staging") == "first\n"
    facts = site.facts("staging")
    assert (facts["sync"], facts["health"], facts["state"]) == ("OutOfSync", "Healthy", "waiting")
    assert facts["waits"] == {"gate": "paused", "reason": "paused by bob: the disk is replaced", "until": None}
    assert any(line.startswith("  paused     by bob on ") for line in site.show("staging"))
    listed = site.world.ssh("bob", "env list").must().out.splitlines()
    assert listed[0].endswith("main  paused by bob: the disk is replaced")
    deploy = site.world.ssh("bob", "env deploy staging")
    assert (deploy.code, "staging is paused by bob." in deploy.err) == (1, True)

    site.world.ssh("bob", "env resume staging").must()
    site.await_page("staging", "second\n")
    again = site.world.ssh("bob", "env resume staging")
    assert (again.code, "staging is neither paused nor rolled back." in again.err) == (1, True)
    site.await_page("production", "second\n")


def test_the_verbs_can_be_pushed_without_any_commit_and_with_a_wrong_one_they_are_refused(site: Gated):
    push = site.world.git("bob", "push", "-o", "m=away", "origin", ":refs/pause/staging").must()
    assert push.remote_lines == ["gitops: staging paused by bob; what runs goes on"]
    assert site.facts("staging")["paused"]["message"] == "away"
    site.world.start_over("bob")
    first = site.world.git("bob", "rev-list", "--max-parents=0", "HEAD").must().out.strip()
    refused = site.world.git("bob", "push", "origin", f"{first}:refs/resume/staging")
    assert refused.remote_lines[:3] == ["gitops: refused refs/resume/staging", "", "  commit"]
    site.world.git("bob", "push", "origin", f"{site.tip()}:refs/resume/staging").must()
    assert site.facts("staging")["paused"] is None


@pytest.mark.parametrize("verb", ["deploy", "rollback", "pause", "resume", "cancel"])
def test_only_who_may_operate_the_environment_says_anything_to_it(site: Gated, verb: str):
    before = site.kinds("staging")
    word = site.world.ssh("dave", f"env {verb} staging")
    assert (word.code, "dave may not operate staging." in word.err) == (1, True)
    push = site.world.git("bob", "push", "origin", f":refs/{verb}/nowhere")
    assert "There is no environment 'nowhere'; the policy has: staging production" in push.err
    assert site.kinds("staging") == before


def test_a_run_that_is_canceled_ends_and_is_not_begun_again_by_itself(site: Gated):
    site.limit(follow_seconds=1, retry_seconds=1)
    with site.staying("staging"):
        site.land({"page": "third\n"})
        site.await_state("staging", "running")
        site.limit(follow_seconds=30)
        said = site.world.ssh("bob", "env cancel staging --reason wrong-page").must()
    assert "canceled by bob: wrong-page" in said.err
    facts = site.await_state("staging", "waiting")
    assert facts["last"]["state"] == "canceled"
    assert facts["waits"]["reason"] == "canceled by bob: wrong-page"
    begun = site.kinds("staging").count("started")
    site.world.admin("reconcile", "--stop")
    site.world.reconcile_once()
    assert site.kinds("staging").count("started") == begun
    assert site.world.ssh("bob", "env cancel staging").code == 1

    again = site.world.ssh("bob", "env deploy staging").must()
    assert "ok 1, " in again.err
    assert site.facts("staging")["state"] == "successful"
    assert site.page("staging") == "third\n"


def test_something_new_is_begun_after_a_cancel(site: Gated):
    site.world.ssh("bob", "env pause staging").must()
    site.land({"page": "fourth\n"})
    site.world.ssh("bob", "env cancel staging").must()
    site.world.ssh("bob", "env resume staging").must()
    assert site.await_state("staging", "waiting")["waits"]["gate"] == "canceled"
    site.land({"page": "fifth\n"})
    site.await_page("staging", "fifth\n")
