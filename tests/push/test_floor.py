"""The server's own rules hold for every repository, whatever its policy says, and each landing records them."""

import json

import pytest

from tests.push.desk import MAIN, POLICY, Desk, refusal
from tests.push.test_verify import Auditor

FLOOR = """
[floor.groups]
wardens = ["dave"]

[[floor.branch]]
match = "main"
approvals = [{count = 1, from = ["@wardens"]}]

[[floor.branch]]
match = "release/**"
land = ["bob"]
push = []
"""


def _lay_floor(desk: Desk, text: str = FLOOR) -> int:
    """Write it into the server's file; answers the line of its `[floor.groups]`."""
    file = desk.world.home.server_file
    before = file.read_text()
    file.write_text(before + text)
    return before.count("\n") + 2


def test_a_policy_cannot_ask_for_less_than_the_floor(desk: Desk):
    line = _lay_floor(desk)
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    half = desk.push("bob", f"{head}:refs/approve/{number}").must()
    assert half.remote == (
        f"gitops: change {number} revision 1 approved by bob\n  needs      1 approval by @floor/wardens"
    )
    refused = desk.push("bob", f"{head}:refs/land/{number}")
    reason = "0 of 1 approval by @floor/wardens. The author (alice) does not count."
    assert refused.remote == refusal(f"refs/land/{number}", "approvals", f"{reason} (server.toml:{line + 5})")
    desk.push("dave", f"{head}:refs/approve/{number}").must()
    desk.push("bob", f"{head}:refs/land/{number}").must()
    assert desk.tip(MAIN) == head


def test_a_policy_that_opens_the_branch_to_pushes_opens_it_to_nobody(desk: Desk):
    desk.land({".gitops/policy.yaml": POLICY.replace("push: []", "push: ['*']")})
    desk.push("alice", f"{desk.commit('alice', {'a.yml': 'a: 1'})}:{MAIN}").must()
    _lay_floor(desk)
    refused = desk.push("alice", f"{desk.commit('alice', {'b.yml': 'b: 1'})}:{MAIN}")
    assert refused.code != 0 and "0 of 1 approval by @floor/wardens." in refused.remote


def test_a_branch_of_the_floor_alone_is_governed(desk: Desk):
    line = _lay_floor(desk)
    desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/release/1").must()
    head = desk.commit("alice", {"a.yml": "a: 1\n"})
    refused = desk.push("alice", f"{head}:refs/heads/release/1")
    assert f"Only bob may land on release/1; alice is not among them. (server.toml:{line + 7})" in refused.remote
    desk.push("alice", f"{head}:refs/heads/feature").must()


@pytest.mark.parametrize("rule", ['approvals = [{count = 1, from = ["dave"]}]', "push = []"])
def test_nobody_goes_past_the_floor_by_force(desk: Desk, rule: str):
    """What may not be pushed without approval may not be forced without either, whatever a policy grants."""
    release = "refs/heads/release/1"
    granted = POLICY + "  - {match: release/*, create: [bob], propose: ['*'], land: [bob], force: [alice]}\n"
    desk.push("bob", f"{desk.land({'.gitops/policy.yaml': granted})}:{release}").must()
    _lay_floor(desk, f'\n[[floor.branch]]\nmatch = "release/**"\n{rule}\n')
    desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/release/of/the/floor").must()
    reasons = {release: "Nobody may force-push", "refs/heads/release/of/the/floor": "to a descendant of its tip only"}
    for branch, reason in reasons.items():
        before = desk.tip(branch)
        beside = desk.commit_tree("alice", desk.tree({"past.yml": "p: 1\n"}, before), [desk.tip(f"{before}^")])
        refused = desk.push("alice", f"+{beside}:{branch}")
        assert refused.code != 0 and reason in refused.remote
        assert desk.tip(branch) == before


RELEASE_RULE = """\
  - match: release/*
    create: ['@ops']
    propose: ['*']
    land: ['@ops']
    approvals:
      - {count: 1, from: ['@senior']}
"""


def test_the_floor_holds_for_what_a_push_asks_for_after_it_moved_the_default_branch(desk: Desk):
    """Under each lock the policy is read anew where the branch moved, and the floor with it."""
    release = "refs/heads/release/1"
    desk.push("bob", f"{desk.land({'.gitops/policy.yaml': POLICY + RELEASE_RULE})}:{release}").must()
    _lay_floor(desk, FLOOR.replace('match = "main"', 'match = "release/1"'))
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    second = desk.propose("alice", {"b.yml": "b: 1\n"}, "release/1", onto=release)
    number, before = desk.newest(), desk.tip(release)
    pushed = desk.push("bob", f"{first}:refs/approve/{number - 1}", f"{second}:refs/approve/{number}").must()
    assert (desk.tip(MAIN), desk.tip(release)) == (first, before)
    needs = f"gitops: change {number} revision 1 approved by bob\n  needs      1 approval by @floor/wardens"
    assert needs in pushed.remote
    desk.push("dave", f"{second}:refs/approve/{number}").must()
    desk.push("bob", f"{second}:refs/land/{number}").must()
    assert desk.tip(release) == second


def test_each_landing_records_the_floor_and_is_judged_again_by_what_it_recorded(desk: Desk):
    auditor = Auditor(desk)
    desk.land({"before.yml": "b: 1\n"})
    _lay_floor(desk)
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{head}:refs/approve/{desk.newest()}").must()
    desk.push("dave", f"{head}:refs/approve/{desk.newest()}").must()
    desk.push("bob", f"{head}:refs/land/{desk.newest()}").must()
    floors = [event.fact("Floor") for event in desk.log() if event.fact("Way") == "change"]
    assert floors[0] == '""' and json.loads(json.loads(floors[1]))["groups"] == {"wardens": ["dave"]}
    facts = auditor.look()
    assert (facts["authorised"], facts["judged"]) == (True, 2)


def test_a_landing_past_the_recorded_floor_is_named_by_verify(desk: Desk):
    from tests.push.test_verify import _forge_landing

    auditor = Auditor(desk)
    _lay_floor(desk)
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    desk.push("bob", f"{head}:refs/approve/{number}").must()
    given = desk.world.events(f"refs/changes/{number}/meta")[-1].commit
    text = json.dumps(
        {"branch": [{"match": "main", "approvals": [{"count": 1, "from": ["dave"]}]}], "lines": [[1, {}]]}
    )
    _forge_landing(desk, head, change=number, approvals=(given,), floor=text)
    first = auditor.look()["first"]
    assert (first["rule"], first["new"]) == ("approvals", head)
    assert "0 of 1 approval by dave." in first["reason"]


def test_a_fault_in_the_floor_stops_every_push_and_doctor_tells_its_line(desk: Desk):
    line = _lay_floor(desk, FLOOR.replace("push = []", 'mode = "evaluate"'))
    refused = desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/feature")
    assert refused.code != 0 and "the server's own files have a fault" in refused.err
    told = desk.world.admin("doctor")
    fault = f"server.toml:{line + 10}: mode: the floor knows no evaluate and no break-glass"
    assert told.code == 1 and f"FAIL  floor: {fault}\n" in told.out


def test_doctor_tells_whom_the_floor_names_and_nobody_knows(desk: Desk):
    line = _lay_floor(desk, FLOOR.replace('["dave"]', '["dave", "zoe"]'))
    told = desk.world.admin("doctor")
    assert f"FAIL  floor: server.toml:{line}: the server knows nobody by the name zoe\n" in told.out


def test_policy_check_and_user_remove_see_the_floor(desk: Desk):
    line = _lay_floor(desk)
    file = desk.world.folder / "policy.yaml"
    file.write_text(POLICY)
    told = desk.world.admin("policy", "check", str(file)).must()
    assert told.out.split("\n")[1] == f"server.toml:{line + 3}: the floor holds for main as well"
    warned = desk.world.admin("user", "remove", "dave")
    words = f"site: server.toml:{line + 5} needs 1 approval by @floor/wardens, and the server knows 0 who could"
    assert warned.code == 1 and words in warned.out + warned.err
