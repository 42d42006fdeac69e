"""Who counts: nobody's own work, nobody whom no rule names, and only for the commit that was looked at."""

from tests.push.desk import Desk, refusal

PARTLY = "pushed, wrote or committed a part of it, and so does not count."


def test_an_approval_names_the_exact_commit_and_lands_it(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    before = desk.tip("refs/heads/main")
    result = desk.world.approve("bob", 1).must()
    assert result.remote == (
        f"gitops: change 1 revision 1 approved by bob; landing\n  main       {before[:7]}..{commit[:7]} (fast-forward)"
    )
    assert f"   {before[:7]}..{commit[:7]}  FETCH_HEAD -> main" in result.err
    assert desk.tip("refs/heads/main") == commit
    # The branch that the pusher sees moves with it.
    assert desk.world.git("bob", "rev-parse", "origin/main").out.strip() == commit
    assert desk.said(1)[1:] == [f"change 1 at {commit[:7]} approved by bob", f"change 1 landed as {commit[:7]}"]
    intent, done = desk.log()[-2:]
    assert [intent.fact(key) for key in ("Event", "Actor", "Way", "Old", "New", "Counted", "Authors")] == [
        *("landing", "bob", "change", before, commit, "bob", "alice")
    ]
    assert (done.fact("Event"), done.fact("Landing"), done.fact("New")) == ("landed", intent.commit, commit)
    assert intent.fact("Approvals") == desk.world.events("refs/changes/1/meta")[1].commit


def test_nobody_approves_what_they_proposed(desk: Desk) -> None:
    commit = desk.propose("bob", {"a.yml": "a: 1\n"})
    result = desk.push("bob", f"{commit}:refs/approve/1")
    assert (result.code, result.remote) == (1, refusal("refs/approve/1", "approve", f"bob {PARTLY}"))
    assert len(desk.said(1)) == 1


def test_author_committer_and_co_author_do_not_count_whoever_pushed(desk: Desk) -> None:
    bob = {"GIT_AUTHOR_EMAIL": "bob@example.org"}
    wrote = desk.commit("alice", {"a.yml": "a: 1\n"}, **bob)
    carol = {"GIT_COMMITTER_EMAIL": "CAROL@example.org"}
    committed = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=wrote, **carol)
    shared = "Three\n\nCo-authored-by: Dave <dave@example.org>\n"
    head = desk.commit("alice", {"a.yml": "a: 3\n"}, shared, onto=committed)
    desk.push("alice", f"{head}:refs/for/main").must()
    for name in ("bob", "carol", "dave"):
        assert desk.push(name, f"{head}:refs/approve/1").remote == refusal(
            "refs/approve/1", "approve", f"{name} {PARTLY}"
        )
    assert len(desk.said(1)) == 1


def test_who_pushed_an_earlier_revision_does_not_count_for_a_later_one(desk: Desk) -> None:
    desk.propose("alice", {"a.yml": "a: 1\n"})
    bobs = desk.commit("bob", {"a.yml": "a: 2\n"})
    desk.push("bob", f"{bobs}:refs/for/main", "-o", "change=1").must()
    mine = desk.commit("alice", {"a.yml": "a: 3\n"})
    desk.push("alice", f"{mine}:refs/for/main", "-o", "change=1").must()
    result = desk.push("bob", f"{mine}:refs/approve/1")
    assert result.remote == refusal("refs/approve/1", "approve", f"bob {PARTLY}")


def test_an_approval_that_no_rule_would_count_is_refused_and_not_stored(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    before = desk.refs()
    dave = desk.push("dave", f"{commit}:refs/approve/1")
    assert dave.remote == refusal("refs/approve/1", "approve", "No rule counts dave; needed: 1 approval by @senior.")
    robot = desk.push("robot", f"{commit}:refs/approve/1")
    assert robot.remote == refusal("refs/approve/1", "approve", "robot is a bot, and no rule counts bots.")
    assert desk.refs() == before


def test_a_new_revision_has_no_approval(desk: Desk) -> None:
    policy = desk.world.show("refs/heads/main:.gitops/policy.yaml").replace("count: 1", "count: 2")
    desk.land({".gitops/policy.yaml": policy})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    assert desk.push("bob", f"{commit}:refs/approve/2").must().remote == (
        "gitops: change 2 revision 1 approved by bob\n  needs      1 of 2 approvals by @senior"
    )
    amended = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=commit)
    again = desk.push("alice", f"{amended}:refs/for/main").must()
    assert again.remote_lines[2:] == ["  needs      2 approvals by @senior"]
    second = desk.push("carol", f"{amended}:refs/approve/2").must()
    assert second.remote == ("gitops: change 2 revision 2 approved by carol\n  needs      1 of 2 approvals by @senior")
    land = desk.push("bob", f"{amended}:refs/land/2")
    assert land.remote == refusal(
        "refs/land/2",
        "approvals",
        "1 of 2 approvals by @senior. The author (alice) does not count. bob approved other commits; an",
        "approval stays with its commit. (policy.yaml:11)",
    )


def test_a_verb_at_any_other_commit_than_the_head_is_refused(desk: Desk) -> None:
    first = desk.propose("alice", {"a.yml": "a: 1\n"})
    head = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=first)
    desk.push("alice", f"{head}:refs/for/main").must()
    foreign = desk.commit("bob", {"z.yml": "z: 1\n"})
    before = desk.refs()
    for commit, verb in ((first, "approve"), (foreign, "approve"), (first, "reject")):
        result = desk.push("bob", f"{commit}:refs/{verb}/1")
        assert result.remote == refusal(
            f"refs/{verb}/1",
            "commit",
            f"{commit[:12]} is not the head of change 1, which is {head}",
            "(revision 2).",
            cure="Look at it:  git fetch origin refs/changes/1/head",
        )
    assert desk.refs() == before


def test_a_verb_on_a_change_that_is_not_there_or_names_no_commit_is_refused(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    nine = desk.push("bob", f"{commit}:refs/approve/9")
    assert nine.remote == refusal(
        "refs/approve/9", "change", "There is no change 9.", cure="See what there is:  ssh <host> change list"
    )
    word = desk.push("bob", f"{commit}:refs/approve/one")
    assert word.remote == refusal("refs/approve/one", "magic", "refs/approve/one: not the number of a change")
    none = desk.push("bob", ":refs/approve/1")
    assert none.remote == refusal(
        "refs/approve/1",
        "magic",
        "approve names the exact commit, and a delete names none",
        cure="git fetch origin refs/changes/1/head && git push origin FETCH_HEAD:refs/approve/1",
    )


def test_a_stranger_among_the_authors_refuses_unless_the_policy_takes_any(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"}, GIT_AUTHOR_EMAIL="eve@example.net")
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert result.remote == refusal(
        "refs/for/main",
        "authors",
        f"The server does not know who wrote {commit[:7]} by eve@example.net. Ask the administrator to add the",
        "address, or commit with one that is known: git commit --amend --reset-author",
    )
    policy = desk.world.show("refs/heads/main:.gitops/policy.yaml") + "    authors: any\n"
    desk.land({".gitops/policy.yaml": policy})
    again = desk.commit("alice", {"a.yml": "a: 1\n"}, GIT_AUTHOR_EMAIL="eve@example.net")
    desk.push("alice", f"{again}:refs/for/main").must()
    # Whom the server does not know cannot be excluded; who pushed it is.
    assert desk.push("bob", f"{again}:refs/approve/2").must().remote_lines[0].endswith("approved by bob; landing")


def test_the_words_of_a_reviewer_are_kept_as_one_fact(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    words = "message={base64}Z29vZApFdmVudDogbGFuZGluZwpBY3RvcjogZGF2ZQ=="
    desk.push("bob", f"{commit}:refs/approve/1", "-o", words).must()
    approval = desk.world.events("refs/changes/1/meta")[1]
    assert approval.fact("Message") == '"good\\nEvent: landing\\nActor: dave"'
    assert [value for key, value in approval.facts if key in ("Event", "Actor")] == ["approved", "bob"]
