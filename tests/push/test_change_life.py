"""Drafts, reviewers, comments, edits and reopening: what happens to a change beside its approvals."""

from tests.push.desk import MAIN, Desk, refusal


def test_a_draft_takes_approvals_and_lands_only_once_it_is_made_ready(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    said = desk.push("alice", "-o", "draft", f"{commit}:refs/for/main").must()
    assert said.remote == (
        "gitops: change 1, revision 1 for main\n"
        "  checks     yaml ok\n"
        "  needs      1 approval by @senior\n"
        "  needs      It is a draft: with -o ready it may land."
    )
    ready = f"git push origin {commit}:refs/for/main%change=1,ready"
    approved = desk.push("bob", f"{commit}:refs/approve/1").must()
    assert approved.remote == (
        "gitops: change 1 revision 1 approved by bob\n"
        "  not landed Change 1 is a draft. Make it ready:\n"
        f"             {ready}\n"
        f"  land it    git push origin {commit}:refs/land/1"
    )
    refused = desk.push("bob", f"{commit}:refs/land/1")
    assert refused.remote == refusal("refs/land/1", "draft", "Change 1 is a draft. Make it ready:", ready)
    assert "draft   alice" in desk.world.ssh("dave", "change list").must().out
    # A new revision stays a draft, and is another commit: it is approved anew.
    again = desk.commit("alice", {"a.yml": "a: 2\n"}, onto=commit)
    assert "It is a draft" in desk.push("alice", f"{again}:refs/for/main").must().remote
    desk.push("bob", f"{again}:refs/approve/1").must()
    made = desk.push("alice", "-o", "ready", f"{again}:refs/for/main").must()
    assert made.remote == (
        "gitops: change 1, revision 2 for main\n  checks     yaml ok\n  needs      nothing more; it can land"
    )
    desk.push("bob", f"{again}:refs/land/1").must()
    assert desk.tip(MAIN) == again
    assert desk.said(1)[-3:] == [
        f"change 1 at {again[:7]} approved by bob",
        "change 1 edited by alice",
        f"change 1 landed as {again[:7]}",
    ]


def test_a_draft_whose_landing_was_asked_for_lands_as_it_is_made_ready(desk: Desk) -> None:
    before = desk.tip(MAIN)
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    desk.push("alice", "-o", "draft", "-o", "auto-land", f"{commit}:refs/for/main").must()
    desk.push("bob", f"{commit}:refs/approve/1").must()
    assert desk.tip(MAIN) == before
    # dave may not land; alice, who may, has asked.
    done = desk.push("dave", "-o", "change=1", "-o", "ready", f"{commit}:refs/for/main").must()
    assert done.remote_lines[-2:] == [
        "gitops: change 1 landed, as alice had asked",
        f"  main       {before[:7]}..{commit[:7]} (fast-forward)",
    ]
    assert desk.tip(MAIN) == commit
    landing = desk.log()[-2]
    assert (landing.fact("Event"), landing.fact("Actor"), landing.fact("Counted")) == ("landing", "alice", "bob")
    assert landing.fact("Key") == desk.world.events("refs/changes/1/meta")[0].fact("Key")


def test_reviewers_title_and_description_are_kept_and_changed_without_a_new_revision(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    strange = desk.push("alice", "-o", "r=eve", "-o", "cc=mallory", f"{commit}:refs/for/main")
    assert strange.remote == refusal(
        "refs/for/main",
        "reviewer",
        "The server knows nobody by the name eve who may read this.",
        "The server knows nobody by the name mallory who may read this.",
    )
    first = desk.push("alice", f"{commit}:refs/for/main%r=bob,cc=dave").must()
    assert first.remote_lines[1:3] == ["  reviewers  bob", "  cc         dave"]
    edits = ("-o", "reviewer=carol", "-o", "title=Better words", "-o", "description=Because.")
    edited = desk.push("alice", *edits, f"{commit}:refs/for/main").must()
    assert edited.remote_lines[:3] == [
        "gitops: change 1, revision 1 for main",
        "  reviewers  bob carol",
        "  cc         dave",
    ]
    assert desk.said(1) == ["change 1 revision 1 for refs/heads/main by alice", "change 1 edited by alice"]
    before = desk.refs()
    desk.push("alice", *edits, f"{commit}:refs/for/main").must()
    assert desk.refs() == before, "the same said again changes nothing"
    listed = desk.world.ssh("dave", "change list").must().out
    assert listed == "     1  open    alice        main         Better words  (asked: bob carol)\n"
    shown = desk.world.ssh("dave", "change show 1").must().out.splitlines()
    assert shown[1:5] == [
        "  title      Better words",
        "  reviewers  bob carol",
        "  cc         dave",
        "             Because.",
    ]


def test_a_comment_is_kept_with_the_commit_that_it_is_about(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    empty = desk.push("dave", f"{commit}:refs/comment/1")
    assert empty.remote == refusal(
        "refs/comment/1", "magic", "a comment says something", cure="git push -o m='…' origin <commit>:refs/comment/1"
    ).encode("ascii", "backslashreplace").decode().replace("\\u2026", "…")
    said = desk.push("dave", "-o", "m=why 1, not 2?", f"{commit}:refs/comment/1").must()
    assert said.remote == f"gitops: dave commented on change 1 at {commit[:7]}"
    assert desk.world.ssh("bob", "change show 1").must().out.splitlines()[3] == (
        f"  dave       at {commit[:7]}: why 1, not 2?"
    )
    other = desk.commit("dave", {"b.yml": "b: 1\n"})
    assert (
        f"{other[:12]} is not the head of change 1" in desk.push("dave", "-o", "m=x", f"{other}:refs/comment/1").remote
    )


def test_a_closed_change_is_reopened_by_its_owner_and_is_approved_anew(desk: Desk) -> None:
    desk.world.policy(desk.world.show(f"{MAIN}:.gitops/policy.yaml").replace("land: ['@ops']", "land: [carol]"))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    early = desk.push("alice", ":refs/reopen/2")
    assert early.remote == refusal("refs/reopen/2", "change", "Change 2 is open.")
    desk.push("bob", f"{commit}:refs/approve/2").must()
    desk.push("alice", ":refs/close/2").must()
    denied = desk.push("dave", ":refs/reopen/2")
    assert denied.remote == refusal(
        "refs/reopen/2", "land", "Only carol may land on main; dave is not among them. (policy.yaml:6)"
    )
    done = desk.push("alice", ":refs/reopen/2").must()
    assert done.remote == "gitops: change 2 reopened by alice; what was approved before is not any more"
    land = desk.push("carol", f"{commit}:refs/land/2")
    assert land.remote == refusal(
        "refs/land/2", "approvals", "0 of 1 approval by @senior. The author (alice) does not count. (policy.yaml:11)"
    )
    desk.push("carol", f"{commit}:refs/approve/2").must()
    assert desk.tip(MAIN) == commit
    assert "Change 2 is landed." in desk.push("alice", ":refs/reopen/2").remote
