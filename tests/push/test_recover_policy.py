"""No valid policy, or nobody left to approve: every push is refused and told the one way back, which is recorded."""

import pytest

from tests.push.command_desk import nobody_runs
from tests.push.desk import MAIN, POLICY, Desk

WAY = "The administrator runs: gitops-hooks recovery policy REPOSITORY FILE --reason '…'"


def _nobody_left(desk: Desk) -> str:
    for name in ("bob", "carol"):
        desk.world.admin("user", "remove", name, "--yes").must()
    return "policy.yaml:11 needs 1 approval by @senior, and the server knows 0 who could"


def _adopted(desk: Desk, text: str | None) -> None:
    """The administrator took over a tip that nobody judged."""
    commit = desk.commit("alice", {".gitops/policy.yaml": text})
    desk.push("alice", f"{commit}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, commit)
    desk.world.admin("recovery", "adopt", "site", MAIN, "--reason", "to see").must()


def _broken(desk: Desk) -> str:
    _adopted(desk, "version: 7\n")
    return "version must be 1"


def _gone(desk: Desk) -> str:
    _adopted(desk, None)
    return ".gitops/policy.yaml: is missing at "


def _no_rule(desk: Desk) -> str:
    """Without a rule for it the default branch would be free to everybody."""
    _adopted(desk, POLICY.replace("match: main", "match: other"))
    return "the default branch main has no rule"


def _on_trial(desk: Desk) -> str:
    _adopted(desk, POLICY.replace("    push: []\n", "    mode: evaluate\n"))
    return "the default branch main has only rules with mode: evaluate (policy.yaml:6)"


@pytest.mark.parametrize("spoil", [_nobody_left, _broken, _gone, _no_rule, _on_trial])
def test_every_push_is_refused_and_told_the_way_back_which_works_and_is_recorded(desk: Desk, spoil) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    reason = spoil(desk)
    before = desk.tip(MAIN)
    for ref in ("refs/for/main", MAIN, "refs/heads/elsewhere", "refs/tags/v1", "refs/approve/1", "refs/land/1"):
        refused = desk.push("alice", "-f", f"{commit}:{ref}")
        told = " ".join(refused.remote.split())
        assert refused.code == 1 and reason in told and WAY in told, refused.remote
    # Whoever may read can look at what went wrong all the same.
    assert desk.git("alice", "ls-remote", "host:site", MAIN).must().out.startswith(before)
    doctor = desk.world.admin("doctor")
    assert doctor.code == 1 and "FAIL  policy of site: " in doctor.out
    assert "gitops-hooks recovery policy site FILE --reason '…'" in doctor.out
    file = desk.world.folder / "policy.yaml"
    file.write_text(POLICY.replace("ops: [alice, bob, carol]", "ops: [alice, dave]").replace("[bob, carol]", "[dave]"))
    done = desk.world.admin("recovery", "policy", "site", str(file), "--reason", "they have left").must()
    new = desk.tip(MAIN)
    assert done.out == f"main carries the new policy as {new[:12]}; fetch before you go on\n"
    event = desk.log()[-1]
    assert [event.fact(key) for key in ("Event", "Act", "Ref", "Old", "New", "Actor", "Reason")] == [
        *("administered", "policy", MAIN, before, new, "server", '"they have left"')
    ]
    again = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", f"{again}:refs/for/main").must()
    desk.push("dave", f"{again}:refs/approve/{desk.newest()}").must()
    assert desk.tip(MAIN) == again


def test_a_policy_that_would_leave_nobody_is_not_put(desk: Desk) -> None:
    before = desk.tip(MAIN)
    file = desk.world.folder / "policy.yaml"
    file.write_text(POLICY.replace("from: ['@senior']", "from: [robot]"))
    refused = desk.world.admin("recovery", "policy", "site", str(file), "--reason", "x")
    assert refused.code == 2
    assert "policy.yaml:11 needs 1 approval by robot, and the server knows 0 who could" in refused.err
    assert desk.tip(MAIN) == before and desk.log()[-1].fact("Event") == "adopted"


PATHS = POLICY.replace("    checks:", "      - {count: 1, from: [dave], paths: ['x/**']}\n    checks:")
MISSING = "policy.yaml:12 needs 1 approval by dave for x/**, and the server knows 0 who could"


def test_nor_does_a_word_over_ssh_land_anything_then(desk: Desk) -> None:
    """Also where what is missing concerns other paths than the change's."""
    desk.land({".gitops/policy.yaml": PATHS})
    head, before = desk.propose("alice", {"a.yml": "a: 1\n"}), desk.tip(MAIN)
    desk.world.admin("user", "remove", "dave", "--yes").must()
    assert MISSING in " ".join(desk.push("bob", f"{head}:refs/approve/2").remote.split())
    said = desk.world.ssh("bob", f"change approve 2 {head}")
    assert said.code != 0 and MISSING in " ".join(said.err.split()) and WAY in " ".join(said.err.split())
    assert desk.tip(MAIN) == before
    assert desk.world.ssh("bob", "change show 2").must().out.startswith("change 2, open, for main by alice\n")


def test_nor_does_the_reconciler(desk: Desk) -> None:
    with nobody_runs(desk):
        desk.land({".gitops/policy.yaml": PATHS})
        low = desk.propose("bob", {"low.yml": "low: 1\n"}, "main/low")
        top = desk.commit("alice", {"a.yml": "a: 1\n"}, onto=low)
        desk.push("alice", "-o", "auto-land", "-o", "base=2", f"{top}:refs/for/main/top").must()
        desk.push("bob", f"{top}:refs/approve/3").must()
        desk.push("carol", f"{low}:refs/approve/2").must()
        desk.world.admin("user", "remove", "dave", "--yes").must()
        desk.world.reconcile_once().must()
        assert desk.tip(MAIN) == low
