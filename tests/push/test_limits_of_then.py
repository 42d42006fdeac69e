"""What landed under the limits of its time stays authorised when they are lowered; what comes meets those of today."""

import pytest

from tests.push.desk import MAIN, Desk, refusal
from tests.push.rules_desk import judged

THREE = {f"{name}.yml": "a: 1\n" for name in "abc"}


def _limit(desk: Desk, line: str) -> None:
    server = desk.world.home.server_file
    assert "[limits]\n" in server.read_text()
    server.write_text(server.read_text().replace("[limits]\n", f"[limits]\n{line}\n", 1))


@pytest.mark.parametrize(
    ("line", "reason"),
    [("changed_files = 2", "more than 2 paths differ"), ("commits = 2", "more than 2 commits in one change")],
)
def test_a_limit_that_is_lowered_later_suspends_no_old_tip(desk: Desk, line: str, reason: str) -> None:
    head = MAIN
    for name, text in THREE.items():
        head = desk.commit("alice", {name: text}, onto=head)
    desk.push("alice", f"{head}:refs/for/main").must()
    desk.push("bob", f"{head}:refs/approve/1").must()
    assert desk.tip(MAIN) == head
    _limit(desk, line)
    assert judged(desk) == ""
    again = head
    for name in THREE:
        again = desk.commit("alice", {name: "a: 2\n"}, onto=again)
    cure = "Split the change." if "paths" in reason else "Split it."
    assert desk.push("alice", f"{again}:refs/for/main").remote == refusal("refs/for/main", "limits", reason, cure=cure)
