"""What one repository may take of the server is bounded, and whoever meets the bound is told it."""

import os

from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.locks import try_lock
from tests.push.desk import Desk


def test_a_push_that_would_make_the_repository_too_large_is_refused_and_others_pass(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    set_value(desk.world.home, "repository_size", 100_000, "limits")
    large = desk.commit("alice", {"large.bin": os.urandom(200_000)})
    refused = desk.push("alice", f"{large}:refs/for/main/large")
    assert refused.code == 1
    assert "limits\n    this push brings 0.2 MiB, and the repository holds " in refused.remote, refused.err
    assert (
        " of at most 0.1 MiB\n\nAsk the administrator to make room, or for a larger repository_size." in refused.remote
    )
    # What brings nothing passes: a full repository can still be decided about.
    desk.push("bob", f"{commit}:refs/approve/{number}").must()
    assert desk.tip("refs/heads/main") == commit


def test_more_pushes_at_once_than_allowed_wait_outside(desk: Desk) -> None:
    set_value(desk.world.home, "pushes", 1, "limits")
    (state,) = (desk.world.home.path / "state").iterdir()
    other = state / "pushes" / "other"
    other.mkdir(parents=True)
    hold = try_lock(other / "alive")
    assert hold is not None
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    refused = desk.push("alice", f"{commit}:refs/for/main")
    assert refused.code == 128
    assert refused.err.startswith("gitops: 1 pushes are in this repository at this moment\nTry again in a minute.\n")
    os.close(hold)
    desk.push("alice", f"{commit}:refs/for/main").must()


def test_open_changes_of_one_person_are_bounded(desk: Desk) -> None:
    set_value(desk.world.home, "open_changes", 1, "limits")
    desk.propose("alice", {"a.yml": "a: 1\n"}, "main/one")
    commit = desk.commit("alice", {"b.yml": "b: 1\n"})
    refused = desk.push("alice", f"{commit}:refs/for/main/two")
    assert refused.code == 1
    assert "1 open change" in refused.remote, refused.remote
