"""Somebody with a shell on the server moved main behind the hooks: it takes nothing until the administrator says so."""

from tests.push.desk import MAIN, Desk


def _move_by_hand(desk: Desk) -> tuple[str, str]:
    """Answers where main stood, and where it stands now."""
    before = desk.tip(MAIN)
    forged = desk.commit("alice", {"forged.yml": "a: 1\n"})
    desk.push("alice", f"{forged}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, forged)
    return before, forged


def test_pushes_to_it_are_refused_with_the_way_back(desk: Desk):
    before, forged = _move_by_hand(desk)
    head = desk.commit("alice", {"a.yml": "a: 1\n"}, onto=forged)
    for ref in (MAIN, "refs/for/main"):
        done = desk.push("alice", f"{head}:{ref}")
        assert done.code != 0
        assert f"{MAIN} stands at {forged[:12]}, but the record says {before[:12]}" in done.remote.replace("\n   ", "")


def test_other_branches_go_on(desk: Desk):
    _move_by_hand(desk)
    desk.push("alice", f"{desk.commit('alice', {'a.yml': 'x'})}:refs/heads/elsewhere").must()


def test_restore_moves_it_back_and_is_recorded(desk: Desk):
    before, forged = _move_by_hand(desk)
    done = desk.world.admin("recovery", "restore", "site", MAIN, "--reason", "moved by mistake").must()
    assert done.out == f"{MAIN} is back from {forged[:12]} to {before[:12]}\n"
    assert desk.tip(MAIN) == before
    event = desk.log()[-1]
    assert (event.fact("Act"), event.fact("Old"), event.fact("New")) == ("restore", forged, before)
    assert event.fact("Reason") == '"moved by mistake"'
    desk.land({"a.yml": "a: 1\n"})


def test_adopt_records_where_it_stands(desk: Desk):
    _, forged = _move_by_hand(desk)
    desk.world.admin("recovery", "adopt", "site", MAIN, "--reason", "a migration").must()
    assert desk.tip(MAIN) == forged
    assert desk.log()[-1].fact("Act") == "adopt"
    desk.land({"a.yml": "a: 1\n"})


def test_a_log_that_was_cut_is_noticed(desk: Desk):
    desk.land({"a.yml": "a: 1\n"})
    newest = desk.tip("refs/gitops/log")
    desk.world.server_git("update-ref", "refs/gitops/log", f"{newest}~1")
    done = desk.push("alice", f"{desk.commit('alice', {'b.yml': 'b: 1'})}:refs/for/main")
    assert done.code != 0 and "it was rewritten" in done.remote


def test_a_broken_policy_refuses_every_push_until_the_administrator_puts_another(desk: Desk):
    good = desk.world.show(f"{MAIN}:.gitops/policy.yaml")
    broken = desk.commit("alice", {".gitops/policy.yaml": "version: 7\n"})
    desk.push("alice", f"{broken}:refs/heads/free").must()
    desk.world.server_git("update-ref", MAIN, broken)
    desk.world.admin("recovery", "adopt", "site", MAIN, "--reason", "to see").must()
    for ref in ("refs/heads/free", "refs/for/main"):
        done = desk.push("alice", f"{desk.commit('alice', {'a.yml': 'a: 1'})}:{ref}")
        assert done.code != 0 and "gitops-hooks recovery policy" in done.remote
    file = desk.world.folder / "policy.yaml"
    file.write_text(good)
    desk.world.admin("recovery", "policy", "site", str(file), "--reason", "it was broken").must()
    desk.land({"a.yml": "a: 1\n"})
