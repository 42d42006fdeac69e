"""The server's own rules: they take away, whatever a policy says, and they are judged again as they were recorded."""

import json
from dataclasses import replace

import pytest

from gitops_hooks.core.floor import Lines, parse_floor, read_floor, with_floor
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import Floor, Keep, LandMethod, Names, Policy, Review
from gitops_hooks.model.verdict import Requirement
from tests.core.records import MAIN, branch, policy


def floor(*rules: dict, **groups: list) -> Floor:
    lines = Lines(tuple((10 * number, {}) for number in range(1, len(rules) + 1)), 5)
    return read_floor({"branch": [{"match": "main", **rule} for rule in rules], "groups": groups}, lines)


def under(given: Floor, under_it: Policy | None = None) -> Governing:
    found = govern(with_floor(under_it or policy(), given), MAIN)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rule", "right", "actor", "place"),
    [
        ({}, "land", "alice", ""),
        ({}, "push", "alice", "policy.yaml:5"),
        ({"land": ["bob"]}, "land", "alice", "server.toml:10"),
        ({"land": ["carol"]}, "land", "carol", "policy.yaml:5"),
        ({"land": []}, "land", "bob", "server.toml:10"),
        ({"propose": ["@few"]}, "propose", "bob", "server.toml:10"),
        ({"propose": ["@few"]}, "propose", "alice", ""),
    ],
)
def test_allow_lists_intersect_and_what_the_floor_does_not_say_is_left_to_the_policy(rule, right, actor, place):
    said = under(floor(rule, few=["alice"])).may(right, actor)
    assert (said.holds, said.place if not said.holds else "") == (not place, place)


def test_who_asks_for_approvals_lets_nobody_push_past_them():
    open_door = policy(branch(push=("alice",)))
    assert under(floor({"checks": ["secrets"]}), open_door).may("push", "alice").holds
    refused = under(floor({"approvals": [{"count": 1}]}), open_door).may("push", "alice")
    assert (refused.holds, refused.reason, refused.place) == (False, "Nobody may push to main.", "server.toml:10")
    assert under(floor({"approvals": [{"count": 1}], "push": ["alice"]}), open_door).may("push", "alice").holds


def test_who_asks_code_owners_lets_nobody_push_past_them():
    open_door = policy(branch(push=("alice",)))
    refused = under(floor({"owners": {"dialect": "github"}}), open_door).may("push", "alice")
    assert (refused.holds, refused.place) == (False, "server.toml:10")


@pytest.mark.parametrize(
    ("said", "written", "kept"),
    [
        ({}, Keep.TRIVIAL_REBASE, Keep.TRIVIAL_REBASE),
        ({}, Keep.NOTHING, Keep.NOTHING),
        ({"keep": "no-code-change"}, Keep.TRIVIAL_REBASE, Keep.NO_CODE_CHANGE),
        ({"keep": "trivial-rebase"}, Keep.NOTHING, Keep.NOTHING),
    ],
)
def test_what_is_kept_is_the_policys_until_the_floor_says_less(said, written, kept):
    below = policy(replace(branch(), review=Review(keep=written)))
    assert under(floor(said), below).keep is kept


def test_where_the_floor_alone_governs_nothing_is_kept_unless_it_says_so():
    nothing = replace(policy(), branches=())
    assert under(floor({}), nothing).keep is Keep.NOTHING
    assert under(floor({"keep": "trivial-rebase"}), nothing).keep is Keep.TRIVIAL_REBASE


def test_vetoes_and_bots_of_the_floor_are_of_its_own_groups():
    found = under(
        floor({"veto": ["@sec"], "approvals": [{"count": 2, "bots": ["@scan"]}]}, sec=["carol"], scan=["robot"])
    )
    assert found.vetoes == ((Names(("@floor/sec",)), "server.toml:10"),)
    assert found.approval_rules(["a.yml"])[0].bots == Names(("@floor/scan",))


def test_requirements_and_checks_unite():
    found = under(floor({"checks": ["secrets"], "approvals": [{"count": 2, "from": ["@sec"]}]}, sec=["carol", "dave"]))
    assert found.checks == ("secrets", "yaml")
    rules = [(rule.count, rule.sources.items, rule.place) for rule in found.approval_rules(["a.yml"])]
    assert rules == [(2, ("@floor/sec",), "server.toml:10"), (1, ("@senior",), "policy.yaml:9")]


def test_a_floor_without_approvals_adds_none():
    assert [rule.place for rule in under(floor({})).approval_rules(["a.yml"])] == ["policy.yaml:9"]


def test_ways_to_land_that_exclude_each_other_are_an_error():
    always = policy(branch(method=LandMethod.ALWAYS_MERGE))
    said = under(floor({"land_method": "fast-forward"}), always).land_method
    assert isinstance(said, Requirement) and "server.toml:10 asks for fast-forward" in said.reason


def test_the_floor_asks_for_known_authors_where_the_policy_does_not():
    anybody = policy(branch(any_author=True))
    assert not under(floor({}), anybody).known_authors
    assert under(floor({"authors": "known"}), anybody).known_authors


def test_a_policy_cannot_fill_the_floors_groups():
    own = Policy("p" * 40, (("sec", ("alice",)), ("senior", ("bob",))), (branch(),), ())
    found = under(floor({"land": ["@sec"]}, sec=["carol"]), own)
    assert not found.may("land", "alice").holds
    assert found.policy.members("floor/sec") == {"carol"}


def test_a_branch_that_no_rule_of_the_policy_names_is_governed_by_the_floor():
    given = with_floor(policy(), floor({"match": "release/**", "approvals": [{"count": 1}]}))
    found = govern(given, "refs/heads/release/1")
    assert found is not None and [rule.place for rule in found.rules] == ["server.toml:10"]
    assert found.may("propose", "dave").holds and not found.may("push", "dave").holds
    assert govern(given, "refs/heads/feature") is None


def test_what_a_landing_records_reads_back_as_the_same_floor():
    given = floor({"checks": ["secrets"], "approvals": [{"count": 2, "from": ["@sec"]}]}, sec=["carol", "dave"])
    assert parse_floor(given.text) == given
    assert parse_floor("") == floor() == Floor()


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"branch": [], "lines": [1]}', '{"branch": 1, "lines": []}'])
def test_a_recorded_floor_that_no_server_wrote_is_refused(text):
    with pytest.raises(PolicyError):
        parse_floor(text)


@pytest.mark.parametrize("key", ["mode", "evaluate", "override", "break_glass", "break-glass"])
@pytest.mark.parametrize("inside", [False, True])
def test_the_floor_knows_no_evaluate_and_no_break_glass(key, inside):
    with pytest.raises(PolicyError) as raised:
        floor({"approvals": [{"count": 1, key: "yes"}]} if inside else {key: "yes"})
    assert str(raised.value) == f"server.toml:10: {key}: the floor knows no evaluate and no break-glass"


def test_a_floor_that_every_landing_would_have_to_carry_is_bounded():
    with pytest.raises(PolicyError) as raised:
        floor(*({"checks": [f"check-{number}"]} for number in range(2000)))
    assert "the floor is larger than 65536 bytes" in str(raised.value)


def test_its_text_is_json_that_people_can_read():
    said = json.loads(floor({"push": []}).text)
    assert said == {"branch": [{"match": "main", "push": []}], "groups": {}, "lines": [[10, {}]]}
