"""What the server gives and nobody authorised is not applied: it is told, and everything goes on once it is right."""

import json
import time
from collections.abc import Iterator

import pytest

from gitops_hooks.model.environment_event import Released, RolledBack
from gitops_hooks.model.event import Started
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.agent.conftest import LOG, Site, open_site
from tests.world import Template

MAIN, RECORD = "refs/heads/main", "refs/gitops/log"
NOBODY = ("-c", "user.name=x", "-c", "user.email=x@example.org")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(pulled: Template) -> Iterator[Site]:
    """web1 holds the first page, and has seen a second commit that is released to nobody; each story puts all back."""
    with open_site(pulled) as site:
        site.release()
        assert site.agent.once() == (0, "1 of 1 hosts synced")
        site.land({"page": "second\n"})
        assert site.agent.once() == (0, "1 of 1 hosts synced")
        yield site


def refused(site: Site, words: str) -> None:
    """The round says so, the host keeps what it had, and the server is told."""
    assert site.agent.once() == (4, f"refused what it was given: {words}")
    assert site.agent.page() == "first\n"
    await_report(site, words)
    assert site.agent.standing()["sync"] == "Synced"
    assert json.loads(site.agent.run("status", "--json").out)["alarm"] == words


def put_back(site: Site, refs: dict[str, str]) -> None:
    for ref, oid in refs.items():
        site.world.server_git("update-ref", ref, oid)
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    await_report(site, "")


def await_report(site: Site, alarm: str) -> None:
    """Stories follow faster upon each other than reports may: one that is put off is pushed by a later round."""
    deadline = time.monotonic() + 120
    while site.agent.report()["alarm"] != alarm:
        assert time.monotonic() < deadline, site.agent.report()
        time.sleep(0.5)
        site.agent.once()


def released(site: Site, commit: str, record: str, generation: int = 0) -> Released:
    events = site.sitting().record.events(LOG)
    started = next(event for event in events if isinstance(event.body, Started))
    number = generation or started.stamp.number
    return Released(Word("staging"), number, Oid(commit), Oid(record), ())


def test_an_event_that_the_server_did_not_sign(site: Site) -> None:
    tip = site.world.refs()[LOG]
    message = site.world.server_git("log", "-1", "--format=%B", LOG).strip()
    tree = site.world.server_git("rev-parse", f"{LOG}^{{tree}}").strip()
    forged = site.world.server_git(*NOBODY, "commit-tree", tree, "-p", tip, "-m", message).strip()
    site.world.server_git("update-ref", LOG, forged)
    refused(site, f"event {forged[:12]}: was not signed by this server")
    put_back(site, {LOG: tip})


def test_a_log_that_was_cut(site: Site) -> None:
    refs = site.world.refs()
    for ref in (LOG, RECORD):
        number = len(site.world.events(ref))
        site.world.server_git("update-ref", ref, f"{refs[ref]}~1")
        refused(site, f"{ref} ends at event {number - 1}, and was at event {number} before: it was cut")
        put_back(site, {ref: refs[ref]})


def test_two_logs_for_one_generation(site: Site) -> None:
    before = site.world.refs()[LOG]
    site.world.server_git("update-ref", LOG, f"{before}~1")
    generation = len(site.world.events(LOG)) - 1
    first = site.say(released(site, site.world.refs()[MAIN], before, generation))
    words = f"event {first.stamp.number} of {LOG} is {first.oid[:12]}, and was {before[:12]} before: it was rewritten"
    refused(site, words)
    put_back(site, {LOG: before})


def test_a_branch_that_was_moved_past_the_hooks(site: Site) -> None:
    tip = site.world.refs()[MAIN]
    tree = site.world.server_git("rev-parse", f"{MAIN}^{{tree}}").strip()
    moved = site.world.server_git(*NOBODY, "commit-tree", tree, "-p", tip, "-m", "By hand").strip()
    site.world.server_git("update-ref", MAIN, moved)
    words = f"{MAIN} stands at {moved[:12]}, the record says {tip[:12]}: no landing moved it there"
    refused(site, words)
    put_back(site, {MAIN: tip})


def test_a_branch_that_is_gone_and_nobody_recorded_it(site: Site) -> None:
    tip = site.world.refs()[MAIN]
    site.world.server_git("update-ref", "-d", MAIN)
    words = f"{MAIN} stands at {'0' * 12}, the record says {tip[:12]}: no landing moved it there"
    refused(site, words)
    put_back(site, {MAIN: tip})


def test_a_release_of_what_no_landing_recorded(site: Site) -> None:
    tip = site.world.refs()[LOG]
    site.world.propose("alice", {"page": "third\n"}).must()
    interior = site.world.refs()["refs/changes/3/head"]
    site.release(interior, record=site.world.refs()[RECORD])
    refused(site, f"web1 is released to {interior[:12]}, and {MAIN} was never recorded at it")
    put_back(site, {LOG: tip})


def test_a_release_of_what_did_not_begin(site: Site) -> None:
    tip = site.world.refs()[LOG]
    event = site.say(released(site, site.tip(), site.world.refs()[RECORD], 9))
    refused(site, f"event {event.stamp.number} releases generation 9, which is not what began last")
    put_back(site, {LOG: tip})


def test_a_way_back_that_nobody_asked_for_is_none_and_one_that_is_recorded_is_taken(site: Site) -> None:
    first = site.agent.standing()["commit"]
    second = site.tip()
    site.release()
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "second\n"
    tip = site.world.refs()[LOG]
    site.release(first)
    words = f"takes web1 back from {second[:12]} to {first[:12]}, and no rollback is recorded"
    code, said = site.agent.once()
    assert code == 4 and said.endswith(words), said
    assert site.agent.page() == "second\n"
    put_back(site, {LOG: tip})
    record = site.record_of(first)
    skips: tuple[Word, ...] = ()
    site.say(RolledBack(Word("staging"), Oid(first), Oid(record), Oid(second), Oid(second), skips, Text("")))
    site.release(first)
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "first\n"


def test_a_policy_that_it_cannot_read_leaves_the_last_good_state_until_one_follows_that_it_can(site: Site) -> None:
    refs = site.world.refs()
    newer = site.world.show(f"{MAIN}:.gitops/policy.yaml").replace("version: 1", "version: 2")
    moved = site.commit_by_hand({".gitops/policy.yaml": newer})
    site.administer(refs[MAIN], moved)
    code, said = site.agent.once()
    assert code == 4 and "policy.yaml:1: " in said and "version" in said, said
    assert site.agent.page() == "first\n"
    site.administer(moved, refs[MAIN])
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_another_adoption_key_or_repository_than_the_pinned_one(site: Site) -> None:
    text, adoption = site.agent.config.read_text(), site.world.server_git("rev-list", "--max-parents=0", RECORD).strip()
    for key, wrong, words in (
        ("adoption", "1" * 40, f"the log begins with event {adoption[:12]}, not with the pinned adoption 111111111111"),
        ("repository", "another-one", f"event {site.world.refs()[RECORD][:12]}: belongs to another repository"),
    ):
        site.agent.wipe()
        site.agent.set(**{key: f'"{wrong}"'})
        code, said = site.agent.once()
        assert (code, said) == (4, f"refused what it was given: {words}")
        site.agent.config.write_text(text)
    site.agent.wipe()
    assert site.agent.once() == (0, "1 of 1 hosts synced")
