"""Rules in evaluate mode: the pusher and the log are told what they would have refused, and nothing is refused."""

import json

from tests.push.desk import MAIN, POLICY, Desk, refusal


def _journal(desk: Desk) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in desk.world.home.journal.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "evaluated"]


def test_a_landing_is_told_what_a_rule_on_trial_would_have_refused(desk: Desk) -> None:
    strict = "      - {count: 2, from: ['@senior'], mode: evaluate}\n    checks:"
    rule = "  - match: main\n    mode: evaluate\n    propose: ['*']\n    land: [carol]\n"
    desk.land({".gitops/policy.yaml": POLICY.replace("    checks:", strict) + rule})
    before = desk.tip(MAIN)
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob; landing\n"
        f"  main       {before[:7]}..{commit[:7]} (fast-forward)\n"
        "  evaluate   would refuse: approvals: 1 of 2 approvals by @senior. The author (alice) does not\n"
        "             count. (policy.yaml:12)\n"
        "  evaluate   would refuse: land: Only carol may land on main; bob is not among them.\n"
        "             (policy.yaml:14)"
    )
    event = next(event for event in desk.log() if event.fact("Event") == "evaluated" and event.fact("New") == commit)
    assert event.fact("Actor") == "bob"
    assert json.loads(event.fact("Would")).split("\n") == [
        "approvals: 1 of 2 approvals by @senior. The author (alice) does not count. (policy.yaml:12)",
        "land: Only carol may land on main; bob is not among them. (policy.yaml:14)",
    ]
    line = _journal(desk)[-1]
    assert (line["actor"], line["ref"], line["rules"]) == ("bob", "refs/approve/2", "approvals land")


def test_what_is_enforced_refuses_all_the_same(desk: Desk) -> None:
    strict = "      - {count: 2, from: ['@senior'], mode: evaluate}\n    checks:"
    desk.land({".gitops/policy.yaml": POLICY.replace("    checks:", strict)})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    assert desk.push("alice", f"{commit}:refs/land/2").remote == refusal(
        "refs/land/2", "approvals", "0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)"
    )


def test_a_branch_with_rules_on_trial_only_stays_free_and_tells(desk: Desk) -> None:
    rule = "  - {match: 'release/*', mode: evaluate, checks: [yaml]}\n"
    desk.land({".gitops/policy.yaml": POLICY + rule})
    main = desk.tip(MAIN)
    made = desk.push("dave", f"{main}:refs/heads/release/1").must()
    assert made.remote == "  evaluate   would refuse: create: Nobody may create release/1. (policy.yaml:13)"
    commit = desk.commit("dave", {"a.yml": "a: [\n"})
    pushed = desk.push("dave", f"{commit}:refs/heads/release/1").must()
    assert pushed.remote_lines[0] == "  evaluate   would refuse: push: Nobody may push to release/1. (policy.yaml:13)"
    assert pushed.remote_lines[1].startswith("  evaluate   would refuse: yaml: a.yml:2: ")
    aside = desk.commit("dave", {"b.yml": "b: 1\n"})
    forced = desk.push("dave", "--force", f"{aside}:refs/heads/release/1").must()
    assert forced.remote == "  evaluate   would refuse: force: Nobody may force-push to release/1. (policy.yaml:13)"
    gone = desk.push("dave", ":refs/heads/release/1").must()
    assert gone.remote == "  evaluate   would refuse: delete: Nobody may delete release/1. (policy.yaml:13)"
    would = [event for event in desk.log() if event.fact("Event") == "evaluated"]
    assert [event.fact("Actor") for event in would] == ["dave"] * 4
    quiet = desk.push("dave", f"{main}:refs/heads/other").must()
    assert quiet.remote == ""


def test_the_default_branch_is_never_only_on_trial(desk: Desk) -> None:
    trial = POLICY.replace("    push: []\n", "    mode: evaluate\n")
    commit = desk.commit("alice", {".gitops/policy.yaml": trial})
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert result.remote == refusal(
        "refs/for/main",
        "policy",
        ".gitops/policy.yaml: the default branch main has only rules with mode: evaluate (policy.yaml:6)",
    )
