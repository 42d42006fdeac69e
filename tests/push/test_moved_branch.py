"""main moved since the change was proposed: what the server merges, and what it leaves to people."""

from tests.push.desk import MAIN, Desk


def test_a_change_beside_main_lands_as_a_merge_of_exactly_tip_and_head(desk: Desk):
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    number = desk.newest()
    tip = desk.land({"b.yml": "b: 1\n"}, "main/b")
    done = desk.push("bob", f"{head}:refs/approve/{number}").must()
    merge = desk.tip(MAIN)
    assert desk.world.server_git("show", "-s", "--format=%P", merge).split() == [tip, head]
    assert desk.world.show(f"{merge}:a.yml") == "a: 1\n" and desk.world.show(f"{merge}:b.yml") == "b: 1\n"
    assert f"{tip[:7]}..{merge[:7]} (merge made by the server; git fetch brings it)" in done.remote
    assert "nonexistent" not in done.err and "update_ref failed" not in done.err


def test_a_conflict_is_refused_with_the_paths(desk: Desk):
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    number = desk.newest()
    tip = desk.land({"a.yml": "a: 2\n"}, "main/b")
    done = desk.push("bob", f"{head}:refs/approve/{number}")
    assert done.code != 0 and "conflicts with the branch in a.yml" in done.remote
    assert "Rebase, resolve, and propose again." in done.remote
    assert desk.tip(MAIN) == tip


def test_checks_run_on_the_tree_that_results_and_not_only_on_both_sides(desk: Desk):
    lines = "".join(f"k{number}: 1\n" for number in range(20))
    desk.land({"keys.yml": lines}, "main/base")
    head = desk.propose("alice", {"keys.yml": "same: 1\n" + lines}, "main/a")
    number = desk.newest()
    tip = desk.land({"keys.yml": lines + "same: 2\n"}, "main/b")
    done = desk.push("bob", f"{head}:refs/approve/{number}").must()
    assert "keys.yml:22: duplicate key 'same', first on line 1" in done.remote
    assert f"git push origin {head}:refs/land/{number}" in done.remote
    assert desk.tip(MAIN) == tip


def test_merge_attributes_of_the_repository_have_no_effect(desk: Desk):
    desk.land({".gitattributes": "* merge=union\n", "a.txt": "one\n"}, "main/base")
    head = desk.propose("alice", {"a.txt": "two\n"}, "main/a")
    number = desk.newest()
    desk.land({"a.txt": "three\n"}, "main/b")
    assert "conflicts with the branch in a.txt" in desk.push("bob", f"{head}:refs/approve/{number}").remote


def test_two_merge_bases_are_refused(desk: Desk):
    base = desk.tip(MAIN)
    one = desk.commit("alice", {"one.yml": "a: 1\n"}, onto=base)
    two = desk.commit("alice", {"two.yml": "a: 1\n"}, onto=base)
    tree = desk.tree({"two.yml": "a: 1\n"}, one)
    left = desk.commit_tree("alice", tree, [one, two])
    right = desk.commit_tree("alice", tree, [two, one], "The other way round")
    desk.push("alice", f"{left}:refs/for/main/left").must()
    desk.push("bob", f"{left}:refs/approve/{desk.newest()}").must()
    done = desk.push("alice", f"{right}:refs/for/main/right")
    assert done.code != 0 and "and the branch have 2 merge bases" in done.remote and "Rebase first." in done.remote


def test_a_history_of_its_own_is_refused(desk: Desk):
    root = desk.commit("alice", {"a.yml": "a: 1\n"}, onto=None)
    done = desk.push("alice", f"{root}:refs/for/main")
    assert done.code != 0 and "has no history in common with the branch" in done.remote


def test_a_direct_push_passes_only_as_a_fast_forward_to_an_approved_head(desk: Desk):
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    assert desk.push("alice", f"{head}:{MAIN}").code != 0
    desk.push("bob", f"{head}:refs/approve/{number}").must()
    assert desk.tip(MAIN) == head
    assert [event.fact("Way") for event in desk.log() if event.fact("Event") == "landing"] == ["change"]
