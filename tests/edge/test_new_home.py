"""A server's folder is made whole by whichever command is the first, however often and by how many it is begun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key, public_half
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.signer import load_signer, public_of
from gitops_hooks.model.errors import EdgeError
from tests.world import ROOT

MAKE = """\
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.new_home import make_home
make_home(Home(Path(sys.argv[2])))
"""
# It stands before the real one, which it has make the key as far as it says.
KEYGEN = """\
#!/bin/sh
PATH={path}
ssh-keygen "$@"
for word; do file=$word; done
{deed}
"""


def begin(home: Path, **environ: str) -> "subprocess.Popen[str]":
    """The first command of a server, as far as it makes the folder."""
    argv = [sys.executable, "-c", MAKE, str(ROOT), str(home)]
    return subprocess.Popen(argv, env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True)


def keygen(folder: Path, deed: str) -> str:
    folder.mkdir()
    path = os.environ["PATH"]
    (folder / "ssh-keygen").write_text(KEYGEN.format(path=path, deed=deed))
    (folder / "ssh-keygen").chmod(0o755)
    return f"{folder}:{path}"


def assert_whole(home: Home) -> None:
    assert load_signer(home.signing_key).public.text == public_of(home.signing_key).text
    assert home.signing_key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "deed",
    ['kill -9 "$PPID"', 'rm "$file.pub"; kill -9 "$PPID"', ': >"$file"; kill -9 "$PPID"'],
    ids=["two", "one", "none"],
)
def test_killed_while_the_servers_key_is_made_the_next_command_makes_it(tmp_path: Path, deed: str) -> None:
    home = Home(tmp_path / "home")
    first = begin(home.path, PATH=keygen(tmp_path / "bin", deed))
    first.communicate(timeout=60)
    assert first.returncode == -9
    assert not home.signing_key.exists()
    make_home(home)
    assert_whole(home)
    assert [each.name for each in home.path.glob(".*")] == []


def test_a_key_that_cannot_be_written_is_told_and_nothing_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "PATH", keygen(tmp_path / "bin", ': >"$file"; echo "$file: No space left on device" >&2; exit 1')
    )
    with pytest.raises(EdgeError, match="No space left on device"):
        make_key(tmp_path / "key", "somebody")
    assert [each.name for each in tmp_path.iterdir()] == ["bin"]


def test_a_key_that_is_there_is_left_alone(tmp_path: Path) -> None:
    text = make_key(tmp_path / "key", "somebody")
    before = (tmp_path / "key").read_bytes()
    assert public_half(tmp_path / "key").read_text() == f"{text}\n"
    with pytest.raises(EdgeError, match="never overwritten"):
        make_key(tmp_path / "key", "somebody else")
    assert (tmp_path / "key").read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["key", "key.pub"]


def test_first_commands_at_the_same_moment_make_one_server(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    programs = [begin(home.path) for _ in range(5)]
    said = [program.communicate(timeout=120)[1] for program in programs]
    assert [program.returncode for program in programs] == [0] * 5, said
    assert_whole(home)
