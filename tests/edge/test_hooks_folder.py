"""git starts only when the hooks are there, whole and ours."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
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
    lay_for_push(push, with_last=False, through_login=False)
    assert sorted(path.name for path in push.iterdir()) == ["pre-receive", "proc-receive"]
    lay_last(push)
    for name in NAMES:
        assert (push / name).read_bytes() == (home.hooks / name).read_bytes()
        assert (push / name).stat().st_mode & 0o777 == 0o700
    agents = tmp_path / "agents"
    lay_for_push(agents, with_last=True, through_login=True)
    assert sorted(path.name for path in agents.iterdir()) == sorted(NAMES)
    assert (agents / "post-receive").read_bytes() == (home.hooks / "post-receive").read_bytes()


@pytest.fixture
def through_login(tmp_path: Path) -> "Callable[..., tuple[int, str, bytes]]":
    """A hook that asks through its login, which says these words; answers its code, its messages and what it asked."""
    lay_for_push(tmp_path / "push", with_last=False, through_login=True)

    def ask(*words: bytes) -> "tuple[int, str, bytes]":
        ours, theirs = socket.socketpair()
        environ = {"GITOPS_HOOKS_LINE": "7", "GITOPS_HOOKS_JUDGE_SECONDS": "60"}
        given = f'exec 7<&{theirs.fileno()} {theirs.fileno()}<&-; exec "$0"'
        hook = subprocess.Popen(
            ["/bin/bash", "-c", given, tmp_path / "push" / "pre-receive"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        with ours:
            said = ours.recv(100)
            ours.sendall(b"".join(words))
        out, err = hook.communicate(timeout=20)
        assert out == b""
        return hook.returncode, err.decode(), said.replace(b"%d" % hook.pid, b"PID")

    return ask


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((b"taken\n", b"accept\n"), 0),
        ((b"taken\n", b"refuse\n"), 1),
        ((b"taken\n", b"accept"), 1),
        ((b"taken\n", b"self\n"), 1),
        ((b"taken\n", b"taken\n"), 1),
        ((b"taken\n",), 1),
        ((b"accept\n",), 1),
        ((b"accept\n", b"accept\n"), 1),
        ((b"self",), 1),
        ((b"\n",), 1),
        ((), 1),
    ],
)
def test_a_hook_that_asks_through_its_login_accepts_for_one_whole_acceptance_alone(through_login, words, code):
    assert through_login(*words) == (code, "", b"pre_receive PID\n")


def test_and_judges_by_itself_where_nobody_was_asked_within_what_is_left(through_login):
    code, said, _ = through_login(b"self 7.125\n")
    # In no repository of ours there is nothing to judge, and what is not judged is refused.
    assert code == 1 and said.startswith("gitops: ")


def test_a_hook_whose_login_has_no_line_for_it_judges_by_itself(home, tmp_path):
    push = tmp_path / "push"
    lay_for_push(push, with_last=False, through_login=True)
    laid = [push / "pre-receive", home.hooks / "pre-receive"]
    ran = [subprocess.run([hook], env={}, capture_output=True, timeout=20, input=b"") for hook in laid]
    assert (ran[0].returncode, ran[0].stderr) == (ran[1].returncode, ran[1].stderr) and ran[0].returncode == 1


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
