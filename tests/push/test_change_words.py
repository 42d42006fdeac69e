"""Every verb over SSH: the pusher's own rights, the full commit, the same judge."""

import json

from tests.push.desk import MAIN, Desk


def test_each_verb_is_said_over_ssh_with_the_whole_commit(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    ssh = desk.world.ssh
    short = ssh("bob", f"change approve 1 {commit[:10]}")
    assert (short.code, short.err) == (1, "gitops: approve names the whole commit, 40 digits\nSee it:  change show 1\n")
    own = ssh("alice", f"change approve 1 {commit}")
    assert (own.code, own.err) == (
        1,
        "gitops: refused refs/approve/1\n\n  approve\n"
        "    alice pushed, wrote or committed a part of it, and so does not count.\n",
    )
    said = ssh("dave", f"change comment 1 {commit} --stdin", text="why 1?\nand not 2\n")
    assert (said.code, said.err) == (0, f"gitops: dave commented on change 1 at {commit[:7]}\n")
    assert ssh("bob", f"change reject 1 {commit}").code == 0
    assert ssh("alice", f"change close 1 {commit}").err == "gitops: change 1 closed by alice\n"
    assert ssh("alice", f"change reopen 1 {commit}").code == 0
    desk.land({"b.yml": "b: 1\n"}, "main/b")
    rebased = ssh("alice", f"change rebase 1 {commit} --json").must()
    facts = json.loads(rebased.out)
    head = desk.tip("refs/changes/1/head")
    assert (facts["head"], facts["state"], facts["revisions"][1]["rebased_for"]) == (head, "open", "alice")
    assert facts["comments"] == [{"actor": "dave", "head": commit, "text": "why 1?\nand not 2"}]
    stale = ssh("bob", f"change approve 1 {commit}")
    assert f"{commit[:12]} is not the head of change 1" in stale.err
    done = ssh("bob", f"change approve 1 {head}").must()
    assert done.err.splitlines()[0] == "gitops: change 1 revision 2 approved by bob; landing"
    assert desk.tip(MAIN) == head
    assert "Change 1 is landed." in ssh("bob", f"change land 1 {head}").err


def test_who_may_only_read_says_no_verb_and_the_administrator_has_none(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.world.admin("repo", "add", "vault", "--admin", "bob", "--read", "carol").must()
    reader = desk.world.ssh("carol", f"change approve 1 {commit} -R vault")
    assert (reader.code, reader.err) == (1, "gitops: you may read 'vault' but not push to it\n")
    local = desk.world.admin("change", "land", "1", commit, "-R", "site")
    assert (local.code, local.err) == (
        1,
        "gitops: a verb is somebody's own word\nAs yourself:  git push origin COMMIT:refs/land/1\n",
    )
    assert len(desk.said(1)) == 1
