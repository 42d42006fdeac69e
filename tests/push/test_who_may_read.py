"""A repository that is not theirs looks like one that is not there."""

from tests.push.desk import Desk


def test_a_forbidden_and_an_unknown_repository_answer_alike(desk: Desk) -> None:
    desk.world.admin("repo", "add", "vault", "--admin", "bob", "--read", "carol").must()
    said = {name: desk.git("alice", "ls-remote", f"host:{name}") for name in ("vault", "nowhere")}
    assert said["vault"].code == said["nowhere"].code != 0
    assert said["vault"].err.replace("vault", "nowhere") == said["nowhere"].err
    assert said["vault"].err.startswith("gitops: no repository 'vault', or you may not read it\n")
    words = {name: desk.world.ssh("alice", f"change list -R {name}") for name in ("vault", "nowhere")}
    assert words["vault"].err.replace("vault", "nowhere") == words["nowhere"].err
    pushed = desk.git("alice", "push", "host:vault", "refs/heads/main").err
    assert "or you may not read it" in pushed or "src refspec" in pushed


def test_who_may_only_read_fetches_and_does_not_push(desk: Desk) -> None:
    desk.world.admin("repo", "add", "vault", "--admin", "bob", "--read", "carol").must()
    seen = desk.git("carol", "ls-remote", "host:vault", "refs/heads/main").must()
    assert seen.out.endswith("refs/heads/main\n")
    commit = desk.commit("carol", {"a.yml": "a: 1\n"})
    result = desk.git("carol", "push", "host:vault", f"{commit}:refs/for/main")
    assert result.code != 0
    assert result.err.startswith("gitops: you may read 'vault' but not push to it\n")
