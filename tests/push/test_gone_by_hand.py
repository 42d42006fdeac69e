"""What somebody with a shell took away or put in its place: the branch, the log. Each has a recorded way back."""

from tests.push.desk import MAIN, Desk, refusal

LOG = "refs/gitops/log"
RESTORE = f"the administrator runs: gitops-hooks recovery restore REPOSITORY {LOG} --reason '…'"


def _moved(ref: str, real: str, recorded: str) -> str:
    return refusal(
        ref,
        "record",
        f"{MAIN} stands at {real[:12]}, but the record says {recorded[:12]}: it was moved outside",
        "of the hooks. The administrator runs: gitops-hooks recovery restore|adopt",
    )


def test_a_branch_that_is_gone_takes_nothing_until_it_is_restored(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    main = desk.tip(MAIN)
    desk.world.server_git("update-ref", "-d", MAIN)
    for ref in ("refs/approve/1", "refs/for/main", MAIN):
        assert desk.push("bob", f"{commit}:{ref}").remote == _moved(ref, "0" * 40, main)
    done = desk.world.admin("recovery", "restore", "site", MAIN, "--reason", "deleted by mistake").must()
    assert done.out == f"{MAIN} is back from 000000000000 to {main[:12]}\n"
    desk.push("bob", f"{commit}:refs/approve/1").must()
    assert desk.tip(MAIN) == commit


def test_a_branch_with_another_history_says_that_it_was_moved(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    main = desk.tip(MAIN)
    root = desk.commit("alice", {"z.yml": "z: 1\n"}, onto=None)
    desk.push("alice", f"{root}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, root)
    for ref in ("refs/land/1", "refs/for/main"):
        assert desk.push("bob", f"{commit}:{ref}").remote == _moved(ref, root, main)
    shown = desk.world.ssh("bob", "change show 1").must()
    assert f"{MAIN} stands at {root[:12]}" in shown.out


def test_a_log_that_was_cut_or_taken_away_is_put_back_and_says_so(desk: Desk) -> None:
    desk.land({"a.yml": "a: 1\n"})
    newest = desk.tip(LOG)
    commit = desk.commit("alice", {"b.yml": "b: 1\n"})
    desk.world.server_git("update-ref", LOG, f"{newest}~2")
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert (
        result.remote
        == f"gitops: {LOG}: no longer holds event {newest[:12]}, where it stood: it was rewritten; {RESTORE}"
    )
    desk.world.server_git("update-ref", "-d", LOG)
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert result.remote == f"gitops: the repository: has no record; {RESTORE}"
    done = desk.world.admin("recovery", "restore", "site", LOG, "--reason", "an old script").must()
    assert done.out == f"{LOG} is back from 000000000000 to {newest[:12]}\n"
    event = desk.log()[-1]
    assert [event.fact(key) for key in ("Act", "Ref", "New", "Reason", "Number")] == [
        *("restore", LOG, newest, '"an old script"', "4")
    ]
    again = desk.world.admin("recovery", "restore", "site", LOG, "--reason", "twice").must()
    assert again.out == f"{LOG} holds what it held; nothing to do\n"
    desk.land({"c.yml": "c: 1\n"})


def test_an_event_that_the_server_did_not_sign_stops_all_and_is_taken_off(desk: Desk) -> None:
    real = desk.tip(LOG)
    message = desk.world.server_git("show", "-s", "--format=%B", LOG).rstrip("\n") + "\n"
    forged = desk.commit_tree("alice", desk.tip(f"{LOG}^{{tree}}"), [real], message.replace("Number: 1", "Number: 2"))
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", LOG, forged)
    short = desk.world.admin("recovery", "restore", "site", "main", "--reason", "x")
    how = f"name a branch or a tag in full, as refs/heads/main, or {LOG}"
    assert short.err == f"gitops: main: is not recorded; {how}\n"
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    result = desk.push("alice", f"{commit}:refs/for/main")
    assert result.remote == f"gitops: event {forged[:12]}: was not signed by this server; {RESTORE}"
    desk.world.admin("recovery", "restore", "site", LOG, "--reason", "forged").must()
    desk.push("alice", f"{commit}:refs/for/main").must()


def test_a_change_whose_history_was_forged_takes_no_verb_and_the_others_go_on(desk: Desk) -> None:
    one = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/one")
    two = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/two")
    meta = "refs/changes/1/meta"
    message = (
        desk.world.server_git("show", "-s", "--format=%B", meta).replace("Number: 1", "Number: 2").rstrip("\n") + "\n"
    )
    forged = desk.commit_tree("bob", desk.tip(f"{meta}^{{tree}}"), [desk.tip(meta)], message)
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", meta, forged)
    result = desk.push("bob", f"{one}:refs/approve/1")
    assert result.remote == f"gitops: event {forged[:12]}: was not signed by this server"
    desk.push("bob", f"{two}:refs/approve/2").must()
    assert desk.tip(MAIN) == two
