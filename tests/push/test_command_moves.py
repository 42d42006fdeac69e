"""A result counts for exactly the tree that would land, whoever's change it was found for, and is found once."""

from tests.push.command_desk import COMMANDS, OPTIONS, await_results, await_tip, commanded, nobody_runs, results, verify
from tests.push.desk import MAIN, refusal
from tests.waiting import wait_until


def test_a_branch_that_moves_takes_the_result_away_and_it_runs_again() -> None:
    with commanded() as desk:
        first = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/first")
        second = desk.propose("alice", {"c.yml": "c: 1\n"}, "main/second")
        await_results(desk, 1, 1)
        await_results(desk, 2, 1)
        desk.push("bob", f"{second}:refs/approve/2").must()
        # Nobody waits for change 1 to land yet: it does not run again each time that the branch moves.
        desk.propose("alice", {"d.yml": "d: 1\n"}, "main/third")
        await_results(desk, 3, 1)
        assert results(desk, 1) == [("test", "passed")]
        with nobody_runs(desk):
            assert desk.push("bob", f"{first}:refs/approve/1").must().remote_lines[1:3] == [
                "  not landed command/test: main has moved since it ran, so it runs again on what would land now;",
                "             follow it: ssh <host> change log 1 --follow",
            ]
            refused = desk.push("alice", f"{first}:refs/land/1")
            assert refused.remote == refusal(
                "refs/land/1",
                "checks",
                "command/test: main has moved since it ran, so it runs again on what would land now; follow it: ssh",
                "<host> change log 1 --follow",
            )
        assert await_results(desk, 1, 2) == [("test", "passed"), ("test", "passed")]
        desk.push("alice", f"{first}:refs/land/1").must()
        landing = next(event for event in desk.log()[::-1] if event.fact("Event") == "landing")
        newest = [event for event in desk.world.events("refs/changes/1/meta") if event.fact("Event") == "ran"][-1]
        assert landing.fact("Runs").split(":")[2] == newest.commit and landing.fact("Tree") == newest.fact("Tree")


def test_the_same_tree_never_runs_twice_for_another_revision_or_another_branch() -> None:
    both = COMMANDS.replace("match: main", "match: '*'").replace("push: []", "push: []\n    create: ['@ops']")
    with commanded(both) as desk:
        desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/next").must()
        commit = desk.propose("alice", {"a.yml": "a: 1\n"})
        await_results(desk, 1, 1)
        again = desk.commit_tree(
            "alice", desk.tree({"a.yml": "a: 1\n"}, desk.tip(MAIN)), [desk.tip(MAIN)], "The same, said better"
        )
        said = desk.push("alice", "-o", "change=1", f"{again}:refs/for/main").must()
        assert said.remote_lines[1] == "  checks     yaml ok · command passed (test)"
        assert desk.push("alice", f"{commit}:refs/for/next").must().remote == (
            "gitops: change 2, revision 1 for next\n"
            "  checks     yaml ok · command passed (test)\n"
            "  needs      1 approval by @senior"
        )
        desk.push("bob", f"{commit}:refs/approve/2").must()
        assert desk.tip("refs/heads/next") == commit
        desk.propose("alice", {"b.yml": "b: 1\n"}, "main/b")
        await_results(desk, 3, 1)
        assert (results(desk, 1), results(desk, 2)) == ([("test", "passed")], [])
        verify(desk)


def test_another_definition_runs_anew_and_is_taken_from_the_branch() -> None:
    with commanded() as desk:
        commit = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
        await_results(desk, 1, 1)
        easier = COMMANDS.replace(OPTIONS, OPTIONS.replace("sh test.sh", "exit 5"))
        policy = desk.propose("alice", {".gitops/policy.yaml": easier}, "main/policy")
        # What is pushed does not decide what is run: it would fail.
        assert await_results(desk, 2, 1) == [("test", "passed")]
        desk.push("bob", f"{policy}:refs/approve/2").must()
        assert desk.tip(MAIN) == policy
        # The new definition is in force for what was proposed before it, too.
        assert await_results(desk, 1, 2) == [("test", "passed"), ("test", "failed")]
        said = desk.push("bob", f"{commit}:refs/approve/1").must().remote_lines
        assert said[1].startswith("  not landed command/test: failed (ended with 5) on what would land; read it: ")


def test_a_change_lands_by_itself_when_its_last_result_arrives() -> None:
    with commanded() as desk:
        with nobody_runs(desk):
            commit = desk.commit("alice", {"a.yml": "a: 1\n"})
            desk.push("alice", "-o", "auto-land", f"{commit}:refs/for/main").must()
            assert desk.push("bob", f"{commit}:refs/approve/1").must().remote_lines[1:3] == [
                "  not landed command/test: has not passed yet on what would land; follow it: ssh <host> change log 1",
                "             --follow",
            ]
        await_tip(desk, commit)
        # The branch is the commit point: the change itself is told a moment later.
        wait_until(lambda: desk.said(1)[-1] == f"change 1 landed as {commit[:7]}", words=lambda: desk.said(1))
        followed = desk.world.ssh("dave", "change log 1 --follow").must().out
        assert followed.endswith("  all is well\ngitops: change 1 is landed\n")
