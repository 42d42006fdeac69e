"""What the server's user may ask of the deployment user."""

import subprocess
import sys
from pathlib import Path

import pytest

from gitops_hooks.entry.deploy_as import parse_words
from gitops_hooks.model.errors import EdgeError
from tests.world import ROOT


@pytest.fixture
def granted(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name in ("key", "known_hosts", "vault"):
        (folder / name).write_text("x")
    (tmp_path / "key").write_text("another's")
    return folder


def words(folder: Path, **other: str) -> list[str]:
    given = {"run-id": "r-1", "key": str(folder / "key"), "known-hosts": str(folder / "known_hosts"), **other}
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def test_granted_credentials_stand_in_the_box_read_only(granted: Path) -> None:
    command = parse_words(words(granted, **{"vault-password": str(granted / "vault")}), granted)
    binds = [command[place + 1 : place + 3] for place, word in enumerate(command) if word == "--ro-bind"]
    assert [str(granted / "key"), "/run/credentials/key"] in binds
    assert [str(granted / "known_hosts"), "/run/credentials/known_hosts"] in binds
    assert [str(granted / "vault"), "/run/credentials/vault_password"] in binds
    assert command[-2:] == ["--run-id", "r-1"]


@pytest.mark.parametrize("key", ["../key", "key", "/etc/passwd", "{folder}/../key", "{folder}", "{folder}/leads-out"])
def test_a_credential_outside_the_folder_is_refused(granted: Path, key: str) -> None:
    (granted / "leads-out").symlink_to(granted.parent / "key")
    key = key.format(folder=granted)
    with pytest.raises(EdgeError):
        parse_words(words(granted, key=key), granted)


def test_a_kubeconfig_is_a_credential_like_every_other(granted: Path) -> None:
    (granted / "shop").write_text("x")
    command = parse_words(["--run-id", "r-1", "--kubeconfig", str(granted / "shop")], granted)
    place = command.index(str(granted / "shop"))
    assert command[place - 1 : place + 2] == ["--ro-bind", str(granted / "shop"), "/run/credentials/kubeconfig"]
    with pytest.raises(EdgeError):
        parse_words(["--run-id", "r-1", "--kubeconfig", "/etc/passwd"], granted)


def test_the_refusal_says_where_credentials_lie(granted: Path) -> None:
    with pytest.raises(EdgeError) as refused:
        parse_words(words(granted, key="/etc/passwd"), granted)
    assert str(refused.value) == (
        f"/etc/passwd: credentials lie below {granted}; move it there and name it so in server.toml"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--bind", "/", "/"],
        ["--probe", "--bind"],
        ["--key", "k"],
        ["--run-id", "r-1", "--network", "yes"],
        ["--run-id", "r-1", "--state-folder", "/tmp"],
        ["--run-id", "r-1", "--tool-folders", "bin"],
        ["--run-id", "r 1", "--key", "k", "--known-hosts", "h"],
        ["--run-id", "--", "--key", "k", "--known-hosts", "h"],
    ],
)
def test_no_other_word_reaches_bubblewrap(granted: Path, wrong: list[str]) -> None:
    with pytest.raises(EdgeError):
        parse_words(wrong, granted)


def test_a_state_folder_is_among_the_credentials_and_written_to(granted: Path) -> None:
    (granted / "state").mkdir()
    command = parse_words(["--run-id", "r-1", "--state-folder", str(granted / "state"), "--network", "no"], granted)
    binds = [command[place + 1 : place + 3] for place, word in enumerate(command) if word == "--bind"]
    assert binds == [[str(granted / "state"), "/run/state"]]
    assert "--unshare-net" in command
    assert "--unshare-net" not in parse_words(["--run-id", "r-1"], granted)


def test_programs_are_shown_only_from_where_root_alone_writes(granted: Path) -> None:
    assert parse_words(["--run-id", "r-1", "--tool-folders", "/opt"], granted)
    granted.chmod(0o777)
    with pytest.raises(EdgeError) as refused:
        parse_words(["--run-id", "r-1", "--tool-folders", str(granted)], granted)
    assert str(refused.value) == (
        f"{granted}: a folder of tools for deployments is root's, and nobody else writes to it"
    )


def test_a_word_given_twice_is_refused(granted: Path) -> None:
    with pytest.raises(EdgeError):
        parse_words([*words(granted), "--key", str(granted / "key")], granted)


def test_the_program_ends_with_two_where_it_refuses_and_makes_a_box_where_it_does_not(granted: Path) -> None:
    code = "import sys; from pathlib import Path; from gitops_hooks.entry.deploy_as import main; "
    code += "main(sys.argv[2:], Path(sys.argv[1]))"

    def ask(*said: str) -> tuple[int, str]:
        command = [sys.executable, "-c", code, str(granted), *said]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stderr

    assert ask("--probe") == (0, "")
    assert ask("--check", str(granted / "key")) == (0, "")
    assert ask("--check", str(granted / "gone")) == (
        2,
        f"deploy: {granted}/gone: cannot be read by the deployment user: No such file or directory\n",
    )
    assert ask("--check") == (2, "deploy: words: --check takes one credential\n")
    assert ask("--everything") == (
        2,
        "deploy: words: --run-id is needed, and of --key --known-hosts --vault-password --environment-file "
        "--kubeconfig --state-folder --network --door --tool-folders each may follow once\n",
    )
