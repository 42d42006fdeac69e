"""`policy explain|check|replay` and `owners`: the judge asked before a push, over SSH and on the server."""

import json

import pytest

from tests.push.desk import MAIN, POLICY, Desk

GLASS = POLICY.replace(
    "    checks:",
    "      - {count: 2, from: ['@ops'], paths: ['prod/**']}\n    break_glass: {by: [alice]}\n    checks:",
)


def words(text: str) -> list[list[str]]:
    """Status and rule of each requirement, and the questions between them."""
    return [line.split()[:2] if line.startswith("    ") else [line.strip()] for line in text.splitlines()]


@pytest.fixture(scope="module")
def told(shared: Desk) -> Desk:
    """A policy with break-glass in force, and change 2 by alice, which nobody has approved."""
    shared.land({".gitops/policy.yaml": GLASS})
    shared.propose("alice", {"a.yml": "a: 1\n"})
    return shared


def test_a_change_is_explained_rule_by_rule_for_who_asks(told: Desk) -> None:
    answer = told.world.ssh("alice", "policy explain 2").must()
    assert answer.out == (
        "change 2 for main, for alice\n"
        "  propose\n"
        "    SATISFIED       propose       alice may propose for main. (policy.yaml:6)\n"
        "    SATISFIED       authors\n"
        "  approve\n"
        "    UNSATISFIED     approve       alice pushed, wrote or committed a part of it, and so does not\n"
        "                                  count.\n"
        "  land\n"
        "    SATISFIED       land          alice may land on main. (policy.yaml:6)\n"
        "    SATISFIED       authors\n"
        "    SATISFIED       land_method   merge\n"
        "    UNSATISFIED     approvals     0 of 1 approval by @senior. The author (alice) does not count.\n"
        "                                  (policy.yaml:11)\n"
        "    NOT_APPLICABLE  approvals     2 approvals by @ops for prod/**: no such path changes.\n"
        "                                  (policy.yaml:12)\n"
        "    SATISFIED       checks        yaml: ok (policy.yaml:6)\n"
        "  push without approval\n"
        "    UNSATISFIED     push          Nobody may push to main. (policy.yaml:6)\n"
        "    SATISFIED       push\n"
        "    SATISFIED       fast-forward\n"
        "    SATISFIED       authors\n"
        "  break the glass\n"
        "    SATISFIED       break-glass   alice may break the glass on main. (policy.yaml:13)\n"
    )


def test_the_administrator_asks_for_anybody_and_others_for_themselves(told: Desk) -> None:
    bob = told.world.admin("policy", "explain", "2", "--person", "bob").must().out
    assert "    SATISFIED       approve       bob counts\n" in bob
    assert "    UNSATISFIED     break-glass   Only alice may break the glass on main; bob is not among them.\n" in bob
    denied = told.world.ssh("dave", "policy explain 2 --person alice")
    assert (denied.code, denied.err) == (
        1,
        "gitops: you may ask for yourself; the administrator may ask for others\n",
    )
    assert told.world.ssh("dave", "policy explain 2 --person dave").must().out.startswith("change 2 for main, for dave")
    assert told.world.admin("policy", "explain", "2", "--person", "eve").code == 1


def test_a_path_is_explained_before_there_is_a_change(told: Desk) -> None:
    facts = json.loads(told.world.ssh("alice", "policy explain --path prod/hosts --json").must().out)
    assert facts["asked"] == "a change of prod/hosts on main, by alice"
    land = next(answer for answer in facts["answers"] if answer["question"] == "land")
    assert [(one["rule"], one["status"], one["place"]) for one in land["requirements"][-2:]] == [
        ("approvals", "UNSATISFIED", "policy.yaml:11"),
        ("approvals", "UNSATISFIED", "policy.yaml:12"),
    ]
    glass = facts["answers"][-1]["requirements"][0]
    assert (glass["rule"], glass["status"]) == ("break-glass", "SATISFIED")
    own = told.world.ssh("alice", "policy explain --path .gitops/policy.yaml").must().out
    assert ".gitops/** always needs an approval by somebody else." in " ".join(own.split())
    bare = told.world.admin("policy", "explain", "--path", "prod/hosts").must().out
    assert words(bare) == [
        ["a change of prod/hosts on main"],
        ["land"],
        ["UNSATISFIED", "approvals"],
        ["UNSATISFIED", "approvals"],
    ]


def test_a_person_is_explained(told: Desk) -> None:
    assert told.world.ssh("dave", "policy explain --person dave").must().out == (
        "dave on main\n"
        "  propose\n"
        "    SATISFIED       propose       dave may propose for main. (policy.yaml:6)\n"
        "  approve\n"
        "    UNSATISFIED     approve       dave does not count towards 1 approval by @senior (policy.yaml:11)\n"
        "    UNSATISFIED     approve       dave does not count towards 2 approvals by @ops for prod/**\n"
        "                                  (policy.yaml:12)\n"
        "  land\n"
        "    UNSATISFIED     land          Only @ops may land on main; dave is not among them.\n"
        "                                  (policy.yaml:6)\n"
        "  push without approval\n"
        "    UNSATISFIED     push          Nobody may push to main. (policy.yaml:6)\n"
        "  create\n"
        "    UNSATISFIED     create        Nobody may create main. (policy.yaml:6)\n"
        "  delete\n"
        "    UNSATISFIED     delete        Nobody may delete main. (policy.yaml:6)\n"
        "  force\n"
        "    UNSATISFIED     force         Nobody may force-push to main. (policy.yaml:6)\n"
        "  break the glass\n"
        "    UNSATISFIED     break-glass   Only alice may break the glass on main; dave is not among them.\n"
        "                                  (policy.yaml:13)\n"
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("policy explain 99", "gitops: There is no change 99.\n"),
        ("policy explain 2 --path x", "gitops: a change has its branch and its paths; give its number alone\n"),
        ("policy explain --path x --branch free", "gitops: No rule governs free: whoever may write may push to it.\n"),
        ("policy check policy.yaml", "gitops: the policy comes over standard input\n"),
        ("policy explain --home /etc", "gitops: 'policy explain' has no option '--home' here\n"),
    ],
)
def test_what_cannot_be_explained_is_refused(told: Desk, asked: str, reason: str) -> None:
    answer = told.world.ssh("alice", asked)
    assert answer.code == 1 and answer.err.startswith(reason)


def test_a_landed_change_is_explained_as_it_was_judged(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": GLASS})
    glass = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", "-o", "break-glass", "-o", "reason=down", f"{glass}:refs/land/2").must()
    told = desk.world.ssh("dave", "policy explain 2").must().out
    assert words(told)[:2] == [["change 2 for main, for dave"], ["land, as it did"]]
    assert "    OVERRIDDEN      approvals     0 of 1 approval by @senior. The author (alice) does not count.\n" in told
    plain = desk.world.ssh("dave", "policy explain 1").must().out
    assert "    SATISFIED       approvals     1 of 1 approval by @senior (bob). (policy.yaml:11)\n" in plain
    closed = desk.propose("alice", {"b.yml": "b: 1\n"})
    desk.push("alice", f"{closed}:refs/close/3").must()
    assert desk.world.ssh("dave", "policy explain 3").err == "gitops: Change 3 is closed.\n"


def test_owners_names_the_entries_for_a_path_and_whom_they_count(told: Desk) -> None:
    assert told.world.ssh("dave", "owners prod/hosts").must().out == (
        "prod/hosts on main\n"
        "  1 approval by @senior: bob carol (policy.yaml:11)\n"
        "  2 approvals by @ops for prod/**: alice bob carol (policy.yaml:12)\n"
    )
    assert json.loads(told.world.admin("owners", "-R", "site", "a.yml", "--json").must().out) == [
        {"needs": "1 approval by @senior", "who": ["bob", "carol"], "place": "policy.yaml:11", "evaluate": False}
    ]


def test_a_policy_is_checked_over_standard_input_against_people_plugins_and_branch(told: Desk) -> None:
    assert told.world.ssh("dave", "policy check -", text=POLICY).must().out == (
        "1 branch rules, 0 environments, no fault\n"
    )
    bad = POLICY.replace("match: main", "match: other").replace("[yaml]", "[rego]").replace("dave", "eve")
    faults = told.world.ssh("dave", "policy check - --json", text=bad)
    assert faults.code == 1
    assert json.loads(faults.out) == [
        {"line": 0, "message": "the default branch main has no rule"},
        {"line": 12, "message": "there is no check rego on this server; there are: yaml"},
    ]
    file = told.world.folder / "policy.yaml"
    file.write_text(bad)
    local = told.world.admin("policy", "check", str(file), "-R", "site")
    assert local.code == 1 and local.out.startswith(".gitops/policy.yaml: the default branch main has no rule\n")


def test_replay_tells_which_landings_another_policy_would_have_refused(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": GLASS})
    approved = desk.land({"a.yml": "a: 1\n"})
    glass = desk.propose("alice", {"prod/x": "x"})
    desk.push("alice", "-o", "break-glass", "-o", "reason=down", f"{glass}:refs/land/3").must()
    # An approval that came after the landing proves nothing about it.
    desk.push("bob", f"{glass}:refs/approve/3").must()
    stricter = GLASS.replace("{count: 1, from: ['@senior']}", "{count: 2, from: ['@senior']}")
    file = desk.world.folder / "other.yaml"
    file.write_text(stricter)
    told = desk.world.admin("policy", "replay", str(file), "--last", "2")
    assert told.code == 1
    assert told.out == (
        f"{approved[:7]} on main, change 2 by bob: would have been refused\n"
        "  UNSATISFIED     approvals     1 of 2 approvals by @senior. The author (alice) does not count.\n"
        "                                (policy.yaml:11)\n"
        "2 landings judged, 1 would differ, 1 would have been refused\n"
    )
    file.write_text(GLASS.replace("    break_glass: {by: [alice]}\n", ""))
    facts = json.loads(desk.world.admin("policy", "replay", str(file), "--last", "1", "--json").out)
    assert [(one["commit"], one["refused"], one["difference"]) for one in facts] == [
        (glass, True, "would have been refused")
    ]
    same = desk.world.ssh("dave", "policy replay -", text=GLASS)
    assert (same.code, same.out) == (0, "3 landings judged, 0 would differ, 0 would have been refused\n")
    elsewhere = desk.world.admin("policy", "replay", str(file), "--branch", "other").must()
    assert elsewhere.out == "0 landings judged, 0 would differ, 0 would have been refused\n"
    assert desk.tip(MAIN) == glass


def test_replay_tells_what_rules_on_trial_would_have_said(desk: Desk) -> None:
    landed = desk.land({"a.yml": "a: 1\n"})
    trial = POLICY.replace("    checks:", "      - {count: 2, from: ['@senior'], mode: evaluate}\n    checks:")
    file = desk.world.folder / "other.yaml"
    file.write_text(trial)
    told = desk.world.admin("policy", "replay", str(file)).must()
    assert told.out == (
        f"{landed[:7]} on main, change 1 by bob: would have landed, and rules on trial would have refused it\n"
        "  BYPASSED        approvals     1 of 2 approvals by @senior. The author (alice) does not count.\n"
        "                                (policy.yaml:12)\n"
        "1 landing judged, 1 would differ, 0 would have been refused\n"
    )
