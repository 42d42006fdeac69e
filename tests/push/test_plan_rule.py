"""`require: plan` where no plan can be made: whole messages, break-glass, rules on trial, pushes without a change."""

import json

import pytest

from tests.push.desk import MAIN, POLICY, Desk, refusal

ENVIRONMENTS = """\
environments:
  - {name: staging, branch: main, deployer: command, run: [./publish.sh], manual: true}
"""
GLASS = "    break_glass: {by: [alice], settle: 24h}\n"
REQUIRED = POLICY.replace("    checks:", f"    require: plan\n{GLASS}    checks:") + ENVIRONMENTS
MISSING = (
    "The server has no plan credential for staging, and what deploys is not used for plans.",
    'The administrator adds a [[credential]] with use = "plan" to server.toml. (policy.yaml:6)',
)


@pytest.fixture
def ready(desk: Desk) -> Desk:
    desk.land({".gitops/policy.yaml": REQUIRED})
    return desk


def test_nothing_lands_without_a_plan_and_none_is_made_without_a_credential(ready: Desk) -> None:
    commit = ready.propose("alice", {"a.yml": "a: 1\n"})
    said = ready.push("bob", f"{commit}:refs/approve/2").must()
    assert said.remote == (
        "gitops: change 2 revision 1 approved by bob\n"
        "  not landed The server has no plan credential for staging, and what deploys is not used for plans.\n"
        '             The administrator adds a [[credential]] with use = "plan" to server.toml.'
    )
    assert ready.push("bob", f"{commit}:refs/land/2").remote == refusal("refs/land/2", "plan", *MISSING)
    asked = ready.push("bob", f"{commit}:refs/plan/2")
    assert asked.remote == refusal("refs/plan/2", "plan", MISSING[0], cure=MISSING[1].removesuffix(" (policy.yaml:6)"))
    # As a fast-forward to the approved head it is the same landing.
    assert "  plan\n" in ready.push("bob", f"{commit}:{MAIN}").remote


def test_a_push_without_a_change_cannot_have_a_plan(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": REQUIRED.replace("push: []", "push: ['@ops']")})
    pushed = desk.commit("alice", {"a.yml": "a: 1\n"})
    words = ("Only a change has a plan. (policy.yaml:6)", "Propose it:  git push origin HEAD:refs/for/<branch>")
    assert desk.push("alice", f"{pushed}:{MAIN}").remote == refusal(MAIN, "plan", *words)


def test_break_glass_goes_without_and_says_so_in_the_record(ready: Desk) -> None:
    commit = ready.propose("alice", {"a.yml": "a: 1\n"})
    ready.push("bob", f"{commit}:refs/approve/2").must()
    done = ready.push("alice", "-o", "break-glass", "-o", "reason=the site is down", f"{commit}:refs/land/2").must()
    assert "  OVERRIDDEN plan: The server has no plan credential for staging" in done.remote
    landing = ready.log()[-2]
    assert (landing.fact("Event"), landing.fact("Plan")) == ("landing", "-")
    assert json.loads(landing.fact("Overridden")).startswith("plan: The server has no plan credential for staging")
    key = f"{ready.world.home.signing_key}.pub"
    ready.world.admin("verify", str(ready.world.repository), "--server-key", key).must()


def test_a_rule_on_trial_tells_and_lets_it_land(desk: Desk) -> None:
    trial = "  - {match: main, mode: evaluate, require: plan, propose: ['*'], land: ['@ops']}\n"
    desk.land({".gitops/policy.yaml": POLICY + trial + ENVIRONMENTS})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    said = desk.push("bob", f"{commit}:refs/approve/2").must()
    assert "  evaluate   would refuse: plan: The server has no plan credential for staging" in said.remote
    assert desk.tip(MAIN) == commit
