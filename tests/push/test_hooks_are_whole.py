"""Git lets a push through where a hook is missing, empty or not executable: so the forced command looks first."""

from tests.push.desk import MAIN, Desk

REFUSED = (
    "gitops: the server's hooks are not whole, so nothing can be pushed\n"
    "Ask the administrator to run: gitops-hooks doctor"
)


def test_a_hook_that_is_not_whole_refuses_every_push(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    before = desk.refs()
    for name, spoil in (
        ("pre-receive", lambda path: path.unlink()),
        ("proc-receive", lambda path: path.write_text("")),
        ("pre-receive", lambda path: path.chmod(0o644)),
        ("post-receive", lambda path: path.write_text("#!/bin/sh\nexit 0\n")),
    ):
        path = desk.world.home.hooks / name
        content = path.read_bytes()
        path.parent.chmod(0o755)
        path.chmod(0o755)
        spoil(path)
        result = desk.push("alice", f"{commit}:{MAIN}")
        assert result.code != 0
        assert REFUSED in result.err, name
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)
    assert desk.refs() == before
    # Whole again, the same push is judged again.
    assert "0 of 1 approval by @senior" in desk.push("alice", f"{commit}:{MAIN}").remote


def test_the_repositorys_own_settings_and_hooks_change_nothing(desk: Desk) -> None:
    repository = desk.world.repository
    elsewhere = desk.world.folder / "elsewhere"
    for folder in (repository / "hooks", elsewhere):
        folder.mkdir(exist_ok=True)
        for name in ("pre-receive", "proc-receive", "update", "post-receive"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {desk.world.folder}/ran\nexit 0\n")
            (folder / name).chmod(0o755)
    desk.world.server_git("config", "core.hooksPath", str(elsewhere))
    desk.world.server_git("config", "--unset-all", "receive.procReceiveRefs")
    desk.world.server_git("config", "--unset-all", "receive.hideRefs")
    desk.world.server_git("config", "transfer.fsckObjects", "false")
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    assert "0 of 1 approval by @senior" in desk.push("alice", f"{commit}:{MAIN}").remote
    desk.push("alice", f"{commit}:refs/for/main").must()
    assert "refs/for/main" not in desk.refs() and desk.refs()["refs/changes/1/head"] == commit
    assert not (desk.world.folder / "ran").exists()


def test_what_a_client_sends_of_its_environment_stays_outside(desk: Desk) -> None:
    commit = desk.commit("alice", {"a.yml": "a: 1\n"})
    sent = (
        "GITOPS_HOOKS_ACTOR=bob",
        "GITOPS_HOOKS_HOME=/nowhere",
        "GIT_CONFIG_PARAMETERS='core.hooksPath=/nowhere'",
        "GIT_DIR=/nowhere",
        "PYTHONPATH=/nowhere",
        "LD_PRELOAD=/nowhere",
    )
    command = "ssh " + " ".join(f"-o SetEnv={word}" for word in sent)
    desk.git("alice", "-c", f"core.sshCommand={command}", "push", "host:site", f"{commit}:refs/for/main").must()
    assert desk.said(1) == ["change 1 revision 1 for refs/heads/main by alice"]
