"""A proposal: opened, revised, refused where it is not clear what it belongs to."""

from tests.push.desk import Desk, a_change_id, status_lines


def test_a_direct_push_is_refused_with_the_way_to_propose_it(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    before = desk.refs()
    result = desk.push("alice", f"{commit}:refs/heads/main")
    assert result.code == 1
    assert result.remote == (
        "gitops: refused refs/heads/main\n"
        "\n"
        "  approvals\n"
        "    0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)\n"
        "\n"
        "Propose it instead:  git push origin HEAD:refs/for/main"
    )
    assert status_lines(result) == [f" ! [remote rejected] {commit} -> main (pre-receive hook declined)"]
    assert desk.refs() == before


def test_a_proposal_opens_a_change_that_is_recorded_under_its_own_refs(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"}, "Add a\n\nBecause it was missing.")
    main = desk.tip("refs/heads/main")
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert result.remote == (
        "gitops: change 1, revision 1 for main\n  checks     yaml ok\n  needs      1 approval by @senior"
    )
    assert status_lines(result) == [f" * [new reference]   {commit} -> refs/changes/1/head"]
    refs = desk.refs()
    meta = refs.pop("refs/changes/1/meta")
    log = refs.pop("refs/gitops/log")
    assert meta != log
    assert refs == {"refs/changes/1/1": commit, "refs/changes/1/head": commit, "refs/heads/main": main}
    (event,) = desk.world.events("refs/changes/1/meta")
    told = {key: event.fact(key) for key in ("Event", "Actor", "Target", "Title", "Head", "Base", "Commits", "Policy")}
    assert told == {
        "Event": "proposed",
        "Actor": "alice",
        "Target": "refs/heads/main",
        "Title": '"Add a"',
        "Head": commit,
        "Base": main,
        "Commits": commit,
        "Policy": main,
    }


def test_title_topic_and_description_come_from_options_or_the_ref(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    ref = f"{commit}:refs/for/main%title=Other-words"
    desk.push("alice", "-o", "topic=web", "-o", "description={base64}b25lCnR3bw==", ref).must()
    (event,) = desk.world.events("refs/changes/1/meta")
    told = [event.fact(key) for key in ("Topic", "Title", "Description")]
    assert told == ["web", '"Other-words"', '"one\\ntwo"']


def test_the_same_commit_pushed_again_is_accepted_and_changes_nothing(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    before = desk.refs()
    again = desk.push("alice", f"{commit}:refs/for/main").must()
    assert again.remote == (
        "gitops: change 1, revision 1 for main\n  checks     yaml ok\n  needs      1 approval by @senior"
    )
    assert desk.refs() == before


def test_a_second_proposal_that_could_be_either_is_refused_with_both_commands(desk: Desk) -> None:
    desk.propose("alice", {"a.yml": "a: 1\n"})
    before = desk.refs()
    other = desk.commit("alice", {"b.yml": "b: 1\n"})
    result = desk.push("alice", f"{other}:refs/for/main")
    assert result.code == 1
    assert result.remote == (
        "gitops: refused refs/for/main\n"
        "\n"
        "  change\n"
        "    You have change 1 open for main, and this head neither continues it nor has its Change-Id.\n"
        "\n"
        "A revision of it:  git push origin HEAD:refs/for/main -o change=1\n"
        "A change of its own:  git push origin HEAD:refs/for/main/<topic>"
    )
    assert desk.refs() == before
    # Both commands do what they say.
    own = desk.push("alice", f"{other}:refs/for/main/other").must()
    assert own.remote_lines[0] == "gitops: change 2, revision 1 for main"
    amended = desk.commit("alice", {"a.yml": "a: 2\n"})
    revision = desk.push("alice", f"{amended}:refs/for/main", "-o", "change=1").must()
    assert revision.remote_lines[0] == "gitops: change 1, revision 2 for main"
    assert status_lines(revision) == [
        f" + {desk.tip('refs/changes/1/1')[:7]}...{amended[:7]} {amended} -> refs/changes/1/head (forced update)"
    ]


def test_a_descendant_a_change_id_or_the_topic_make_a_revision(desk: Desk) -> None:
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    grown = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    assert (
        desk.push("alice", f"{grown}:refs/for/main").must().remote_lines[0] == "gitops: change 1, revision 2 for main"
    )
    named = f"Another\n\nChange-Id: {a_change_id('x')}\n"
    web = desk.commit("alice", {"b.yml": "b: 1\n"}, named)
    desk.push("alice", f"{web}:refs/for/main/web").must()
    again = desk.commit("alice", {"b.yml": "b: 2\n"}, "No id, but the topic")
    assert (
        desk.push("alice", f"{again}:refs/for/main/web").must().remote_lines[0]
        == "gitops: change 2, revision 2 for main"
    )
    bob = desk.propose("bob", {"c.yml": "c: 1\n"}, message=named)
    amended = desk.commit("bob", {"c.yml": "c: 2\n"}, named)
    result = desk.push("bob", f"{amended}:refs/for/main").must()
    assert result.remote_lines[0] == "gitops: change 3, revision 2 for main"
    assert [desk.refs()[f"refs/changes/3/{name}"] for name in ("1", "2", "head")] == [bob, amended, amended]


def test_a_colleague_adds_a_revision_by_naming_the_change(desk: Desk) -> None:
    desk.propose("alice", {"a.yml": "a: 1\n"})
    better = desk.commit("dave", {"a.yml": "a: 2\n"})
    result = desk.push("dave", f"{better}:refs/for/main", "-o", "change=1").must()
    assert result.remote_lines[0] == "gitops: change 1, revision 2 for main"
    assert desk.said(1) == [
        "change 1 revision 1 for refs/heads/main by alice",
        "change 1 revision 2 for refs/heads/main by dave",
    ]
    # Alice proposed and dave pushed the last revision: who else is asked?
    own = desk.push("bob", f"{better}:refs/approve/1").must()
    assert own.remote_lines[0] == "gitops: change 1 revision 2 approved by bob; landing"
    assert desk.log()[-2].fact("Authors") == "alice dave"


def test_old_oid_is_a_compare_and_swap_on_the_head(desk: Desk) -> None:
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    second = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    result = desk.push("alice", f"{second}:refs/for/main", "-o", f"old-oid={second}")
    assert result.remote == (
        f"gitops: refused refs/for/main\n\n  old-oid\n    Change 1 is at {first}, not at\n    {second}."
    )
    short = desk.push("alice", f"{second}:refs/for/main", "-o", f"old-oid={first[:10]}")
    assert short.remote_lines[3] == "    old-oid: not an object id of 40 lower-case digits"
    desk.push("alice", f"{second}:refs/for/main", "-o", f"old-oid={first}").must()


def test_a_proposal_for_a_branch_that_is_not_there_or_not_governed_is_refused(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    missing = desk.push("alice", f"{commit}:refs/for/maim")
    assert missing.remote == (
        "gitops: refused refs/for/maim\n\n  target\n    There is no branch maim here.\n"
        "\nSee what there is:  git ls-remote --heads origin"
    )
    desk.push("alice", f"{desk.tip('refs/heads/main')}:refs/heads/play").must()
    free = desk.push("alice", f"{commit}:refs/for/play")
    assert free.remote == (
        "gitops: refused refs/for/play\n\n  target\n    No rule governs play.\n"
        "\nPush to it directly:  git push origin HEAD:play"
    )
    landed = desk.push("alice", f"{desk.tip('refs/heads/main')}:refs/for/main")
    main = desk.tip("refs/heads/main")
    assert (
        landed.remote == f"gitops: refused refs/for/main\n\n  nothing\n    {main[:12]} is in refs/heads/main already."
    )
    assert not [ref for ref in desk.refs() if ref.startswith("refs/changes/")]


def test_a_change_that_is_not_there_not_open_or_for_another_branch_takes_no_revision(desk: Desk) -> None:
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    other = desk.commit("alice", {"a.yml": "a: 2\n"})
    nine = desk.push("alice", f"{other}:refs/for/main", "-o", "change=9")
    assert nine.remote == (
        "gitops: refused refs/for/main\n\n  change\n    There is no change 9.\n"
        "\nSee what there is:  ssh <host> change list"
    )
    desk.push("bob", f"{first}:refs/approve/1").must()
    done = desk.push("alice", f"{other}:refs/for/main", "-o", "change=1")
    assert done.remote == (
        "gitops: refused refs/for/main\n\n  change\n    Change 1 is landed.\n\nPropose anew without -o change."
    )
