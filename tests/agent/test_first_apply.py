"""A host that nobody can log in to is brought by its own agent to what the server releases, and kept there."""

from collections.abc import Iterator

import pytest

from gitops_hooks.edge.keys import fingerprint
from gitops_hooks.model.environment_event import Paused, Resumed
from gitops_hooks.model.event_words import Text, Word
from tests.agent.conftest import ENVIRONMENT, Site, open_site
from tests.agent.pulling import inventory
from tests.world import POLICY, Template

HEALING = POLICY + ENVIRONMENT + "    drift: 5m\n    self_heal: true\n"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(pulled: Template) -> Iterator[Site]:
    """One agent for the stories of this file, which follow each other."""
    with open_site(pulled, policy=HEALING) as site:
        yield site


def connections(site: Site) -> int:
    """How often the agent's key has logged in."""
    key = fingerprint((site.agent.folder / "key.pub").read_text())
    lines = site.world.sshd.log.read_text().splitlines()
    return sum(key in line for line in lines if line.startswith("Accepted publickey"))


def test_what_is_released_is_verified_applied_and_reported(site: Site) -> None:
    assert site.agent.once() == (0, "nothing is released to its hosts yet")
    assert site.agent.page() is None
    number = site.release()
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert site.agent.page() == "first\n"
    report = site.agent.report()
    assert (report["generation"], report["commit"], report["alarm"]) == (number, site.tip(), "")
    (host,) = report["hosts"]
    assert (host["name"], host["state"], host["sync"], host["generation"]) == ("web1", "changed", "synced", number)
    assert site.agent.run("status").out.endswith(f"\nweb1: Synced, changed, generation {number} ({site.tip()[:12]})\n")


def test_what_did_not_move_costs_one_connection_and_no_report(site: Site) -> None:
    reported, before = site.agent.report(), connections(site)
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert (connections(site) - before, site.agent.report()) == (1, reported)


def test_a_host_that_it_does_not_answer_for_is_left_alone_and_refuses_nothing(site: Site) -> None:
    files = {"page": "second\n", "inventories/staging/hosts.yml": inventory(site.agent, "web2")}
    commit = site.land(files)
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "first\n"
    site.release(hosts=("web2",))
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "first\n"
    number = site.release(hosts=("web1", "web2"))
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "second\n"
    assert (site.agent.standing()["generation"], site.agent.standing()["commit"]) == (number, commit)
    assert not site.agent.root.with_name("root-web2").exists()


def test_what_somebody_changed_is_found_by_a_look_and_brought_back(site: Site) -> None:
    (site.agent.root / "page").write_text("by hand\n")
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "by hand\n"
    site.agent.let_pass(seconds=400)
    lines = site.agent.run("--once").must().out.splitlines()
    assert [line.split(" ", 1)[1].split(" (")[0] for line in lines[:2]] == [
        "looked at 1 hosts: out of sync web1",
        f"applied generation {site.agent.standing()['generation']}",
    ]
    assert lines[2].endswith("looked at 1 hosts: in sync") and lines[3].endswith("1 of 1 hosts synced")
    assert site.agent.page() == "second\n"


def test_nothing_is_brought_back_while_somebody_pauses_the_environment(site: Site) -> None:
    site.say(Paused(Word("staging"), Text("by hand")))
    (site.agent.root / "page").write_text("by hand\n")
    site.agent.let_pass(seconds=400)
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "by hand\n"
    site.say(Resumed(Word("staging"), Text("")))
    assert site.agent.once() == (0, "1 of 1 hosts synced") and site.agent.page() == "second\n"


def test_a_failed_run_is_told_and_tried_again_later(site: Site) -> None:
    (site.agent.root / "full").touch()
    number = site.release()
    code, words = site.agent.once()
    assert code == 1 and words.startswith("web1 failed: site.yml:6: Disk: "), words
    assert [host["state"] for host in site.agent.report()["hosts"]] == ["failed"]
    (site.agent.root / "full").unlink()
    assert site.agent.once()[0] == 1
    site.agent.let_pass(seconds=20)
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert (site.agent.standing()["generation"], site.agent.standing()["tries"]) == (number, 0)


def test_a_wiped_state_is_verified_and_applied_anew_from_the_adoption(site: Site) -> None:
    sequence = site.agent.report()["sequence"]
    site.agent.wipe()
    (site.agent.root / "page").write_text("by hand\n")
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert site.agent.page() == "second\n" and site.agent.report()["sequence"] == sequence + 1


def test_another_host_in_its_file_is_brought_to_what_was_released_before(site: Site) -> None:
    """What it had read of the log was about the other one."""
    site.agent.set(hosts='["web2"]')
    site.world.admin("user", "remove", site.agent.name).must()
    words = ("user", "add", site.agent.name, str(site.agent.folder / "key.pub"), "--agent", "staging")
    site.world.admin(*words, "--hosts", "web2").must()
    second = site.agent.root.with_name("root-web2")
    second.mkdir()
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert (second / "page").read_text() == "second\n"
