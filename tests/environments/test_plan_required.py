"""`require: plan`: the server plans by itself, approvals are of what was seen, and what moved is seen again."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.authorised import judge_record
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.event import Landing
from gitops_hooks.model.event_words import Word
from gitops_hooks.model.request import Refusal
from tests.answers import Result
from tests.environments.conftest import Site
from tests.environments.planned import REQUIRED, STEPS, grant_plans, head, open_planned, planned, propose
from tests.world import REPOSITORY, Template

pytestmark = pytest.mark.timeout(600)

# A second file on the hosts, which another change may touch.
MORE = STEPS + '    - name: Note\n      ansible.builtin.copy: {src: note, dest: "{{ root }}/note", mode: "0644"}\n'


@pytest.fixture(scope="module")
def site(staged: Template) -> Iterator[Site]:
    with open_planned(staged, REQUIRED) as site:
        yield site


def await_plans(site: Site, number: int, count: int = 1) -> list[str]:
    site.await_that(lambda: len(planned(site, number)) == count)
    return planned(site, number)


def landed(site: Site, number: int) -> str:
    """What the landing of a change says of the plan that it rested on."""
    landings = [e for e in site.world.events("refs/gitops/log") if e.fact("Event") == "landing"]
    return next(e.fact("Plan") for e in landings[::-1] if e.fact("Change") == str(number))


def flat(result: Result) -> str:
    """What the server said, as if lines were never wrapped."""
    return " ".join(result.remote.split())


def settle(site: Site, page: str) -> None:
    """Wait for the deployment, so that the next story begins with hosts as main says."""
    site.await_that(lambda: site.pages() == [page, page] and "Synced, Healthy" in site.show())


def test_without_a_credential_it_says_that_no_plan_can_be_made(site: Site) -> None:
    number = propose(site, {"page": "never\n"})
    told = site.world.approve("bob", number).must().err
    assert "The server has no plan credential for staging, and what deploys is not used for plans." in told
    refused = site.world.verb("alice", "land", number)
    assert refused.code == 1 and "policy.yaml:6" in refused.err
    site.world.verb("alice", "close", number).must()
    note = "note  plans of site: main asks for plans, and there is no plan credential for staging\n"
    assert note in site.world.admin("doctor").out
    grant_plans(site)
    assert note not in site.world.admin("doctor").out


def test_approvals_start_the_plan_and_only_those_that_saw_it_land(site: Site) -> None:
    number = propose(site, {"page": "second\n"})
    refused = site.world.verb("alice", "land", number)
    assert refused.code == 1 and "No plan of" in refused.err and planned(site, number) == []
    told = site.world.approve("bob", number).must().err
    assert f"No plan of {head(site, number)[:12]} is there yet; it is made as soon as nothing else" in told
    (digest,) = await_plans(site, number)

    refused = site.world.verb("alice", "land", number)
    assert refused.code == 1
    words = "0 of 1 approval by @senior. The author (alice) does not count. bob approved without this plan; look at it"
    assert f"{words} and approve again." in flat(refused)
    wrong = site.world.git("bob", "push", "-o", "plan=0123456789abcdef", "origin", f"FETCH_HEAD:refs/approve/{number}")
    assert wrong.code == 1 and f"the newest plan of it is {digest[:12]}." in wrong.err
    site.world.git("bob", "push", "-o", f"plan={digest[:12]}", "origin", f"FETCH_HEAD:refs/approve/{number}").must()
    site.world.verb("alice", "land", number).must()
    settle(site, "second\n")
    shown = json.loads(site.world.ssh("bob", f"change show {number} --json").must().out)
    assert landed(site, number) == shown["plan"]["event"]
    approvals = [e for e in site.world.events(f"refs/changes/{number}/meta") if e.fact("Event") == "approved"]
    assert [e.fact("Plan") for e in approvals] == ["-", digest]


def test_what_reaches_no_host_needs_no_plan(site: Site) -> None:
    number = propose(site, {"README.md": "Better\n"})
    site.world.approve("bob", number).must()
    site.world.verb("alice", "land", number).must()
    assert (landed(site, number), planned(site, number)) == ("nothing", [])


def test_a_base_that_moved_is_planned_anew_and_the_same_plan_keeps_its_approvals(site: Site) -> None:
    number = propose(site, {"page": "third\n"})
    other = propose(site, {"note": "unused so far\n"})
    site.world.approve("bob", number).must()
    (first,) = await_plans(site, number)
    site.world.approve("bob", number).must()
    # What nothing reads leaves the plan as it is.
    site.world.approve("bob", other).must()
    site.world.verb("alice", "land", other).must()
    shown = site.world.ssh("bob", f"change show {number}").must().out
    assert "  plan       staging: 2 hosts change, 0 unchanged\n" in shown and "moved" not in shown

    # A change of the playbook that does nothing here: the plan is made again, and is the same.
    quiet = STEPS + "    - name: Quiet\n      ansible.builtin.debug: {msg: here}\n"
    land_planned(site, {"site.yml": quiet})
    assert await_plans(site, number, 2) == [first, first]
    site.world.verb("alice", "land", number).must()
    settle(site, "third\n")


def test_another_plan_takes_the_approvals_away(site: Site) -> None:
    number = propose(site, {"page": "fourth\n"})
    site.world.approve("bob", number).must()
    await_plans(site, number)
    site.world.approve("bob", number).must()
    land_planned(site, {"site.yml": MORE, "note": "read now\n"})
    # The hosts have the note by the time of the new plan or not: the task stands at another place in any case.
    land_planned(site, {"site.yml": STEPS.replace("    - name", "    # moved\n    - name"), "note": None})
    site.await_that(lambda: len(set(planned(site, number))) > 1)
    refused = site.world.verb("alice", "land", number)
    assert refused.code == 1 and "bob approved without this plan; look at it and approve again." in flat(refused)
    assert site.pages() == ["third\n", "third\n"]
    site.world.approve("bob", number).must()
    site.world.verb("alice", "land", number).must()
    settle(site, "fourth\n")


def test_the_record_proves_it_to_whoever_judges_again(site: Site) -> None:
    home = site.world.home
    site.world.admin("verify", str(site.world.repository), "--server-key", f"{home.signing_key}.pub").must()
    sitting = open_sitting(home, REPOSITORY)
    rested = [event for event in sitting.record.events(LOG) if len(getattr(event.body, "plan", "")) == 40]
    newest = rested[0]
    assert isinstance(newest.body, Landing)
    older = next(e.body.plan for e in rested if isinstance(e.body, Landing) and e.body.change != newest.body.change)
    in_force = {newest.body.policy}
    assert judge_record(sitting.record, newest, in_force) is None
    unproven = f"landing {newest.oid[:12]}: No plan is recorded of it."
    for plan in ("", older):
        claimed = replace(newest, body=replace(newest.body, plan=Word(plan)))
        assert judge_record(sitting.record, claimed, in_force) == Refusal("plan", unproven)
    # An approval without the plan is none, whatever the landing says that it counted.
    nothing = replace(newest, body=replace(newest.body, approvals=()))
    refused = judge_record(sitting.record, nothing, in_force)
    assert refused is not None and refused.rule == "approvals"


def land_planned(site: Site, files: dict[str, str | None]) -> None:
    """alice proposes, bob approves, sees the plan and approves again, alice lands; then it is on the hosts."""
    number = propose(site, files)
    site.world.approve("bob", number).must()
    await_plans(site, number)
    site.world.approve("bob", number).must()
    site.world.verb("alice", "land", number).must()
    site.await_that(lambda: "Synced, Healthy" in site.show())
