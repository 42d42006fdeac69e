"""refs/rebase/<n>: the server makes a change's commits again on its branch, and nobody wrote anything of it."""

import pytest

from gitops_hooks.core.events import write_event
from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.change_event import Rejected
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Oid, Stamp, Text, Word
from tests.push.desk import MAIN, Desk, refusal, status_lines


def test_whoever_asks_for_a_rebase_pushed_nothing_and_still_counts(desk: Desk) -> None:
    first = desk.commit("alice", {"a.yml": "a: 1\n"}, "Add a")
    head = desk.commit("alice", {"c.yml": "c: 1\n"}, "Add c", onto=first)
    desk.push("alice", f"{head}:refs/for/main/two").must()
    desk.push("bob", f"{head}:refs/reject/1").must()
    moved = desk.land({"b.yml": "b: 1\n"}, "main/b")
    said = desk.push("bob", f"{head}:refs/rebase/1").must()
    made = desk.tip("refs/changes/1/head")
    assert said.remote == (
        f"gitops: change 1 rebased onto {moved[:7]} as revision 2\n"
        f"  head       {head[:7]} → {made[:7]}\n"
        "  needs      1 approval by @senior\n"
        "  fetch it   git fetch origin refs/changes/1/head"
    )
    # The client is told of what it has, and can track that.
    assert said.code == 0 and "error" not in said.err
    assert status_lines(said) == [f"   {head[:7]}..{head[:7]}  {head} -> refs/changes/1/head"]
    shown = desk.world.server_git("log", "--format=%an|%cn|%s|%P", "-2", made).splitlines()
    assert [line.rpartition("|")[0] for line in shown] == ["alice|gitops-hooks|Add c", "alice|gitops-hooks|Add a"]
    assert shown[1].endswith(f"|{moved}")
    event = desk.world.events("refs/changes/1/meta")[-1]
    told = [event.fact(key) for key in ("Event", "Actor", "Source", "Base", "Head")]
    assert told == ["rebased", "bob", head, moved, made]
    own = desk.push("alice", f"{made}:refs/approve/1")
    assert own.remote == refusal(
        "refs/approve/1", "approve", "alice pushed, wrote or committed a part of it, and so does not count."
    )
    desk.push("bob", f"{made}:refs/approve/1").must()
    assert desk.tip(MAIN) == made
    assert desk.log()[-2].fact("Authors") == "alice"


def test_a_conflict_is_told_with_its_paths_and_changes_nothing(desk: Desk) -> None:
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    tip = desk.land({"a.yml": "a: 9\n"}, "main/b")
    before = desk.refs()
    refused = desk.push("alice", f"{head}:refs/rebase/1")
    assert refused.remote == refusal(
        "refs/rebase/1",
        "rebase",
        f"{head[:7]} conflicts with {tip[:7]} in a.yml.",
        cure="By hand:  git fetch origin refs/heads/main && git rebase FETCH_HEAD",
    )
    assert desk.refs() == before


def test_what_has_nothing_to_rebase_says_so(desk: Desk) -> None:
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a")
    same = desk.push("alice", f"{head}:refs/rebase/1")
    tip = desk.tip(MAIN)
    assert same.remote == refusal("refs/rebase/1", "rebase", f"Change 1 stands on {tip[:7]} already.")
    desk.land({"a.yml": "a: 1\n"}, "main/b", message="The same by another")
    gone = desk.push("alice", f"{head}:refs/rebase/1")
    assert gone.remote == refusal(
        "refs/rebase/1",
        "rebase",
        "Nothing is left of change 1: all of it is there already.",
        cure="Close it:  git push origin :refs/close/1",
    )


def test_whoever_committed_what_was_rebased_still_does_not_count(desk: Desk) -> None:
    """The server is the committer of what it makes; whose hand was in it before is known from what it was made of."""
    head = desk.commit("alice", {"a.yml": "a: 1\n"}, GIT_COMMITTER_EMAIL="bob@example.org")
    desk.push("alice", f"{head}:refs/for/main/a").must()
    own = refusal("refs/approve/1", "approve", "bob pushed, wrote or committed a part of it, and so does not count.")
    assert desk.push("bob", f"{head}:refs/approve/1").remote == own
    before = desk.land({"b.yml": "b: 1\n"}, "main/b")
    desk.push("carol", f"{head}:refs/rebase/1").must()
    made = desk.tip("refs/changes/1/head")
    assert desk.push("bob", f"{made}:refs/approve/1").remote == own
    assert desk.tip(MAIN) == before
    # Once more, and with a commit of a person on top.
    desk.land({"c.yml": "c: 1\n"}, "main/c")
    desk.push("bob", f"{made}:refs/rebase/1").must()
    again = desk.tip("refs/changes/1/head")
    assert desk.push("bob", f"{again}:refs/approve/1").remote == own
    above = desk.commit("alice", {"d.yml": "d: 1\n"}, onto=again)
    desk.push("alice", f"{above}:refs/for/main/a").must()
    assert desk.push("bob", f"{above}:refs/approve/1").remote == own
    desk.push("carol", f"{above}:refs/approve/1").must()
    assert desk.tip(MAIN) == above
    assert desk.log()[-2].fact("Authors") == "alice bob"
    assert judge_tip(open_sitting(desk.world.home, "site"), MAIN) is None


def test_the_server_signs_no_message_that_reads_as_an_event(desk: Desk) -> None:
    """What it signs and what reads as an event is a fact of the record, wherever it lies."""
    sitting = open_sitting(desk.world.home, "site")
    stamp = Stamp(Word(sitting.entry.id), 2, sitting.ledger.now(), Word("bob"), Word("SHA256:forged"))
    text = write_event(Event(stamp, Rejected(1, Oid(desk.tip(MAIN)), Text("never said"))))
    head = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/a", message=text)
    desk.land({"b.yml": "b: 1\n"}, "main/b")
    refused = desk.push("alice", f"{head}:refs/rebase/1")
    reason = f"{head[:7]} has a message that reads as an event of the record. Reword it: git commit --amend"
    assert refused.remote == refusal("refs/rebase/1", "rebase", reason)
    with pytest.raises(EdgeError, match=r"was not signed|is not an event"):
        sitting.record.event(desk.tip("refs/changes/1/head"))
