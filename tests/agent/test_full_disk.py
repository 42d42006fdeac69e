"""The disk of an agent's state folder is full: it says so, leaves all as it is, and goes on once there is room."""

import os
from collections.abc import Iterator

import pytest

from tests.agent.conftest import SITE, Site, open_site
from tests.agent.pulling import end
from tests.faults.small_disk import SmallDisk
from tests.world import Template

FULL = "its disk is full; all is left as it is, and goes on by itself once there is room"
SYNCED = (0, "1 of 1 hosts synced")
# It stands still in the middle until the test has filled the disk.
HELD = f"""\
{SITE}\
    - name: Held
      ansible.builtin.shell: while test -e {{{{ root }}}}/hold; do sleep 0.1; done
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def opened(pulled: Template) -> Iterator[tuple[Site, SmallDisk]]:
    with open_site(pulled, HELD) as site:
        folder = site.agent.folder / "state"
        folder.mkdir(mode=0o700)
        disk = site.agent.disk = SmallDisk.mount(folder)
        try:
            site.release()
            assert site.agent.once() == SYNCED
            yield site, disk
        finally:
            for process in site.agent.running:
                end(process)
            disk.close()


@pytest.fixture
def site(opened: tuple[Site, SmallDisk]) -> Iterator[Site]:
    yield opened[0]
    (opened[0].agent.root / "hold").unlink(missing_ok=True)
    opened[1].make_room()


@pytest.fixture
def disk(opened: tuple[Site, SmallDisk]) -> SmallDisk:
    return opened[1]


@pytest.mark.parametrize("pages", [0, 16, 63])
def test_without_room_for_a_round_none_begins_and_status_says_why(site: Site, disk: SmallDisk, pages: int) -> None:
    agent, before = site.agent, site.agent.page()
    site.land({"page": f"{pages} left\n"})
    site.release()
    disk.fill(leave=pages)
    place = agent.folder / "state"
    for words in ("--once", "--check"):
        done = agent.run(words)
        assert (done.code, done.out, done.err) == (2, "", f"gitops: {place}: {FULL}\n")
    status = agent.run("status")
    assert (status.code, status.out.split(" (last")[0]) == (2, f"staging: {place}: {FULL}")
    assert (agent.status()["code"], agent.page()) == (2, before)
    disk.make_room()
    assert agent.once() == SYNCED and agent.page() == f"{pages} left\n"


def test_what_is_too_large_to_be_fetched_is_no_fault_of_the_servers(site: Site, disk: SmallDisk) -> None:
    agent, before = site.agent, site.agent.page()
    site.land({"page": "large\n", "noise": "".join(f"{os.urandom(32).hex()}\n" for _ in range(16_000))})
    site.release()
    disk.fill(leave=100)
    done = agent.run("--once")
    assert (done.code, done.err) == (2, f"gitops: {agent.folder / 'state'}: {FULL}\n")
    assert agent.page() == before
    disk.make_room()
    assert agent.once() == SYNCED and agent.page() == "large\n"


def test_a_disk_that_fills_in_the_middle_of_a_run_costs_that_run_once_more(site: Site, disk: SmallDisk) -> None:
    agent = site.agent
    (agent.root / "hold").touch()
    site.land({"page": "middle\n"})
    number = site.release()
    running = agent.start()
    site.await_that(lambda: agent.page() == "middle\n")
    disk.fill()
    (agent.root / "hold").unlink()
    site.await_that(lambda: f"gitops: {agent.folder / 'state'}: {FULL}" in agent.log())
    site.await_that(lambda: f"Z {agent.folder / 'state'}: {FULL}" in agent.log())
    assert agent.log().count("applied generation") == 1
    disk.make_room()
    site.await_that(lambda: agent.standing()["generation"] == number)
    site.await_that(lambda: agent.report()["generation"] == number)
    assert agent.log().count("applied generation") == 2
    assert end(running) == 0


def test_one_that_waits_tells_it_once_and_goes_on_by_itself(site: Site, disk: SmallDisk) -> None:
    agent = site.agent
    begun = agent.log().count("1 of 1 hosts synced")
    running = agent.start()
    site.await_that(lambda: agent.log().count("1 of 1 hosts synced") > begun)
    line = f"Z {agent.folder / 'state'}: {FULL}\n"
    before, told = agent.page(), agent.log().count(line)
    disk.fill()
    site.land({"page": "waits\n"})
    site.release()
    site.await_that(lambda: agent.log().count(line) > told)
    assert agent.page() == before
    disk.make_room()
    site.await_that(lambda: agent.page() == "waits\n")
    assert agent.log().count(line) == told + 1
    assert end(running) == 0
