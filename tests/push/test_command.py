"""A command of the repository runs after the push, and nothing lands before it has passed on what would land."""

from dataclasses import replace

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.proven import judge_runs
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.event import Landing
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.push.command_desk import await_results, commanded, verify
from tests.push.desk import MAIN, Desk


def test_a_change_lands_once_its_command_has_passed_and_the_record_proves_it() -> None:
    with commanded() as desk:
        before, commit = desk.tip(MAIN), desk.commit("alice", {"a.yml": "a: 1\n"})
        assert desk.push("alice", f"{commit}:refs/for/main").must().remote == (
            "gitops: change 1, revision 1 for main\n"
            "  checks     yaml ok · command pending (test)\n"
            "  follow     ssh <host> change log 1 --follow\n"
            "  needs      1 approval by @senior"
        )
        log = desk.world.ssh("dave", "change log 1 --follow").must().out.split("\n")
        assert log[0].startswith(f"gitops: command/test on {commit[:7]}, ")
        assert log[1] == "  all is well"
        assert log[2].startswith("gitops: command/test: passed in ")
        assert await_results(desk, 1, 1) == [("test", "passed")]
        assert "  command    command/test: passed in " in desk.world.ssh("dave", "change show 1").must().out
        assert desk.push("bob", f"{commit}:refs/approve/1").must().remote == (
            "gitops: change 1 revision 1 approved by bob; landing\n"
            f"  main       {before[:7]}..{commit[:7]} (fast-forward)"
        )
        _the_record_proves_it(desk)


def _the_record_proves_it(desk: Desk) -> None:
    ran = next(event for event in desk.world.events("refs/changes/1/meta") if event.fact("Event") == "ran")
    landing = next(event for event in desk.log() if event.fact("Event") == "landing")
    assert landing.fact("Runs") == f"command/test:{ran.fact('Definition')}:{ran.commit}"
    assert (ran.fact("Tree"), ran.fact("Tip"), ran.fact("Policy"), ran.fact("Actor")) == (
        *(landing.fact("Tree"), landing.fact("Old"), landing.fact("Policy"), "server"),
    )
    sitting = open_sitting(desk.world.home, "site")
    assert judge_tip(sitting, MAIN) is None
    body = sitting.record.event(landing.commit).body
    assert isinstance(body, Landing) and judge_runs(sitting.record, body) is None
    digest, event = ran.fact("Definition"), ran.commit
    for forged in (
        f"command/test:{digest}:-",
        f"command/test:{digest}:{landing.commit}",
        f"command/other:{digest}:{event}",
        f"command/test:{'0' * 64}:{event}",
        f"command/test:{digest}:{'0' * 40}",
    ):
        fault = judge_runs(sitting.record, replace(body, runs=(Word(forged),)))
        what = forged.partition(":")[0]
        assert fault and fault.reason == f"{what} is not recorded to have passed on the tree that landed"
    assert judge_runs(sitting.record, replace(body, tree=Oid("1" * 40)))
    # Break-glass alone goes without a result, and the verdict says that there were findings.
    glass = replace(body, runs=(Word(f"command/test:{digest}:-"),), reason=Text("the site is down"))
    assert judge_runs(sitting.record, glass)
    found = tuple(Word(words.replace("command:ok", "command:findings")) for words in body.verdicts)
    assert judge_runs(sitting.record, replace(glass, verdicts=found)) is None
    verify(desk)
