"""git starts only when the hooks are there, whole and ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.hooks_folder import NAMES, lay_for_push, lay_hooks, lay_last, verify_hooks
from gitops_hooks.edge.launchers import (
    first_lines,
    reconcile_launcher,
    shell_launcher,
    verify_launchers,
)
from gitops_hooks.edge.new_home import make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    make_home(home)
    return home


def test_hooks_that_were_laid_are_whole(home):
    assert verify_hooks(home) == ()
    assert verify_launchers(home) == ()
    assert sorted(path.name for path in home.hooks.iterdir()) == sorted(NAMES)
    assert all(path.stat().st_mode & 0o777 == 0o755 for path in home.hooks.iterdir())


def test_a_push_gets_its_last_hook_where_it_began_something_and_all_are_as_in_the_home(home, tmp_path):
    push = tmp_path / "push"
    lay_for_push(push, with_last=False)
    assert sorted(path.name for path in push.iterdir()) == ["pre-receive", "proc-receive"]
    lay_last(push)
    for name in NAMES:
        assert (push / name).read_bytes() == (home.hooks / name).read_bytes()
        assert (push / name).stat().st_mode & 0o777 == 0o700
    agents = tmp_path / "agents"
    lay_for_push(agents, with_last=True)
    assert sorted(path.name for path in agents.iterdir()) == sorted(NAMES)


def test_laying_them_again_mends_them(home):
    (home.hooks / "pre-receive").unlink()
    (home.hooks / "post-receive").write_text("#!/bin/sh\nexit 0\n")
    lay_hooks(home)
    assert verify_hooks(home) == ()


@pytest.mark.parametrize("name", NAMES)
def test_each_hook_that_is_missing_empty_changed_or_not_executable_is_found(home, name):
    hook = home.hooks / name
    content = hook.read_text()
    hook.chmod(0o644)
    assert verify_hooks(home) == (f"{name} is not executable",)
    hook.chmod(0o755)
    hook.write_text("")
    assert verify_hooks(home) == (f"{name} is empty",)
    hook.write_text(content + "sys.exit(0)\n")
    assert verify_hooks(home) == (f"{name} was changed, or belongs to another release",)
    hook.unlink()
    assert verify_hooks(home) == (f"{name} cannot be read: No such file or directory",)
    hook.symlink_to(home.hooks / "elsewhere")
    (home.hooks / "elsewhere").write_text(content)
    (home.hooks / "elsewhere").chmod(0o755)
    assert verify_hooks(home) == (
        "there is a foreign file in the hooks folder: 'elsewhere'",
        f"{name} is writable by others, or no regular file",
    )


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_or_a_hook_that_others_may_write_is_found(home, mode):
    home.hooks.chmod(mode)
    assert verify_hooks(home) == ("the hooks folder is writable by others",)
    home.hooks.chmod(0o755)
    (home.hooks / "pre-receive").chmod(mode)
    assert verify_hooks(home) == ("pre-receive is writable by others, or no regular file",)


def test_a_foreign_hook_beside_ours_is_found(home):
    (home.hooks / "update").write_text("#!/bin/sh\n")
    assert verify_hooks(home) == ("there is a foreign file in the hooks folder: 'update'",)


def test_what_a_cut_off_write_left_is_no_fault(home):
    (home.hooks / ".pre-receive.12.new").write_text("")
    assert verify_hooks(home) == ()


def test_a_folder_that_is_gone_is_a_fault(tmp_path):
    assert verify_hooks(Home(tmp_path / "absent")) == ("the hooks folder cannot be read: No such file or directory",)


def test_launchers_that_were_changed_or_removed_are_found(home):
    shell_launcher(home).write_text("#!/bin/sh\n")
    reconcile_launcher(home).unlink()
    assert verify_launchers(home) == (
        "gitops-shell was changed, or belongs to another release",
        "gitops-reconcile is missing or cannot be read",
    )


def test_the_home_and_its_secrets_are_the_server_users_own(home):
    assert home.path.stat().st_mode & 0o777 == 0o700
    for path in (home.server_file, home.users_file, home.signing_key):
        assert path.stat().st_mode & 0o777 == 0o600
    assert home.signing_key.read_text().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert home.signing_key.with_name("server_key.pub").read_text().startswith("ssh-ed25519 ")


def test_making_a_home_twice_keeps_what_is_there(home):
    home.server_file.write_text("# mine\n")
    key = home.signing_key.read_bytes()
    make_home(home)
    assert home.server_file.read_text() == "# mine\n"
    assert home.signing_key.read_bytes() == key


def test_an_interpreter_with_a_space_or_a_long_path_still_starts(tmp_path):
    folder = tmp_path / 'a "b" $HOME `x`' / ("long" * 40)
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    script = tmp_path / "script"
    script.write_text(first_lines(folder / "python", "-IS") + "import sys\nprint(sys.flags.no_site, *sys.argv[1:])\n")
    script.chmod(0o755)
    done = subprocess.run(
        [str(script), "a b", "$c"], capture_output=True, text=True, timeout=20, env={"PATH": os.defpath}
    )
    assert (done.stdout, done.stderr) == ("1 a b $c\n", "")
    assert first_lines(Path("/usr/bin/python3"), "-IS") == "#!/usr/bin/python3 -IS\n"
