"""A branch under a rule that somebody with a shell made past the hooks: the running reconciler raises an alarm."""

from tests.push.desk import MAIN, Desk
from tests.push.rules_desk import HEAD, rule
from tests.waiting import so_far, wait_until

RELEASE = "refs/heads/release/1"
RULE = "  - {match: 'release/**', push: [alice], propose: ['*'], land: ['@ops'], create: [alice], delete: [alice]}\n"


def _log(desk: Desk) -> str:
    return so_far(desk.world.seen(desk.world.home.run / "reconcile.log"))


def _await(desk: Desk, words: str) -> None:
    wait_until(lambda: words in _log(desk), words=lambda: _log(desk))


def test_a_governed_branch_that_no_event_tells_of_is_alarmed_of_within_a_minute(desk: Desk) -> None:
    rule(desk, HEAD + RULE)
    stood = desk.tip(MAIN)
    desk.push("alice", f"{stood}:refs/heads/release/0").must()
    desk.world.server_git("update-ref", "refs/heads/free", stood)
    desk.world.server_git("update-ref", RELEASE, stood)
    desk.world.admin("reconcile", "--ensure").must()
    words = f"{RELEASE} stands at {stood[:12]}, and no event tells of it; gitops-hooks recovery restore|adopt"
    _await(desk, f"site: ALARM: {words}")
    wait_until(lambda: words in so_far(desk.world.home.journal))
    assert _log(desk).count("ALARM") == 1
    desk.world.admin("reconcile", "--stop").must()
    # Either word of the administrator's ends it.
    desk.world.admin("recovery", "adopt", "site", RELEASE, "--reason", "a migration").must()
    desk.world.reconcile_once().must()
    desk.world.server_git("update-ref", "refs/heads/release/2", stood)
    assert desk.world.reconcile_once().code == 1
    desk.world.admin("recovery", "restore", "site", "refs/heads/release/2", "--reason", "nobody's").must()
    assert "refs/heads/release/2" not in desk.refs()
    desk.world.reconcile_once().must()


def test_many_of_them_are_counted(desk: Desk) -> None:
    rule(desk, HEAD + RULE)
    stood = desk.tip(MAIN)
    for number in range(23):
        desk.world.server_git("update-ref", f"refs/heads/release/{number}", stood)
    desk.world.admin("reconcile", "--stop")
    done = desk.world.reconcile_once()
    assert (done.code, done.err.count("ALARM")) == (1, 21)
    assert "ALARM: 3 more branches that no event tells of" in done.err
