"""The settings that the rules stand on reach git on every way in."""

import subprocess
from pathlib import Path

import pytest

from gitops_hooks.edge.git_settings import (
    receive_settings,
    remove_settings,
    settings_environment,
    settings_faults,
    write_settings,
)
from gitops_hooks.edge.home import Home
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "site.git")], check=True, timeout=20)
    return tmp_path / "site.git"


@pytest.fixture
def settings(tmp_path: Path):
    return receive_settings(Home(tmp_path / "home"), Limits())


def effective(repository: Path, env: dict[str, str], key: str) -> list[str]:
    command = ["git", "--git-dir", str(repository), "config", "--get-all", key]
    base = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(command, env=base | env, capture_output=True, text=True, timeout=20).stdout.split()


def test_every_way_to_move_a_ref_goes_through_proc_receive(settings):
    prefixes = {value for key, value in settings if key == "receive.procReceiveRefs"}
    assert prefixes >= {"refs/for", "refs/approve", "refs/reject", "refs/land", "refs/close", "refs/heads", "refs/tags"}


def test_no_magic_name_is_hidden_and_every_stored_one_is(settings):
    """git refuses a hidden name before our hook could answer it."""
    hidden = {value for key, value in settings if key == "receive.hideRefs"}
    magic = {value for key, value in settings if key == "receive.procReceiveRefs"}
    assert hidden == {"refs/changes", "refs/environments", "refs/gitops", "refs/agents"}
    assert not hidden & magic
    assert not [key for key, _ in settings if key.lower() in ("uploadpack.hiderefs", "transfer.hiderefs")]


def test_the_environment_beats_the_repositorys_own_config(repository, settings):
    subprocess.run(
        ["git", "--git-dir", str(repository), "config", "core.hooksPath", "/dev/null"], check=True, timeout=20
    )
    subprocess.run(
        ["git", "--git-dir", str(repository), "config", "receive.fsckObjects", "false"], check=True, timeout=20
    )
    env = settings_environment(settings, repository)
    assert effective(repository, env, "core.hooksPath")[-1] == dict(settings)["core.hooksPath"]
    assert effective(repository, env, "receive.fsckObjects")[-1] == "true"
    assert effective(repository, env, "safe.directory") == [str(repository)]


def test_what_is_written_has_no_fault_and_writing_again_changes_nothing(repository, settings):
    assert settings_faults("git", repository, settings)
    write_settings("git", repository, settings)
    assert settings_faults("git", repository, settings) == ()
    before = (repository / "config").read_text().splitlines()
    write_settings("git", repository, settings)
    assert sorted((repository / "config").read_text().splitlines()) == sorted(before)


def test_taking_them_out_leaves_the_repositorys_own(repository, settings):
    before = (repository / "config").read_text()
    write_settings("git", repository, settings)
    remove_settings("git", repository, settings)
    remove_settings("git", repository, settings)
    kept = "\n".join(line for line in (repository / "config").read_text().splitlines() if "=" in line)
    assert kept == "\n".join(line for line in before.splitlines() if "=" in line)


@pytest.mark.parametrize(
    "key", ["core.alternateRefsCommand", "uploadpack.hideRefs", "transfer.hideRefs", "core.worktree"]
)
def test_a_foreign_setting_that_works_against_us_is_a_fault(repository, settings, key):
    write_settings("git", repository, settings)
    subprocess.run(["git", "--git-dir", str(repository), "config", key, "x"], check=True, timeout=20)
    assert settings_faults("git", repository, settings) == (f"{key.lower()} must not be set",)


def test_a_git_that_does_not_run_is_named(repository, settings):
    with pytest.raises(EdgeError, match="git config: did not run: "):
        settings_faults("/nowhere/git", repository, settings)
