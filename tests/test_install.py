"""What install.sh answers before it changes anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.world import ROOT


def install(*words: str) -> tuple[int, str, str]:
    # Should a misunderstanding ever be taken for a wish, nothing of this machine is in its reach.
    environment = {**os.environ, "GITOPS_HOOKS_PREFIX": "/dev/null/nowhere"}
    environment["GITOPS_HOOKS_AGENT_PREFIX"] = "/dev/null/nowhere"
    done = subprocess.run([ROOT / "install.sh", *words], env=environment, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_help_says_what_there_is() -> None:
    code, said, _ = install("--help")
    assert code == 0
    assert [line.removeprefix("Usage:").split()[1] for line in said.splitlines() if "./install.sh" in line] == [
        "demo",
        "test",
        "server",
        "agent",
    ]


@pytest.mark.parametrize("words", [(), ("everything",), ("Test",)])
def test_an_unknown_word_is_wrong_use(words: tuple[str, ...]) -> None:
    code, said, complained = install(*words)
    assert (code, said) == (2, "")
    assert complained.startswith("Usage: ./install.sh demo [--keep | --stop]\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--everything",), "install: unknown word: --everything\ninstall: See ./install.sh --help.\n"),
        (("--home",), "install: --home needs a folder\n"),
        (("--home", "relative"), "install: give full paths, not: relative\n"),
        (
            ("--home", "/srv/a b"),
            "install: a folder with other characters than A-Z a-z 0-9 / . _ - cannot be used here: /srv/a b\n",
        ),
    ],
)
def test_the_server_is_not_installed_on_a_misunderstanding(words: tuple[str, ...], complaint: str) -> None:
    assert install("server", *words) == (2, "", complaint)


def test_the_agent_is_not_installed_on_a_misunderstanding() -> None:
    assert install("agent", "--home") == (2, "", "install: unknown word: --home\ninstall: See ./install.sh --help.\n")


@pytest.mark.parametrize("script", sorted(path.relative_to(ROOT) for path in (ROOT / "install").glob("*.sh")), ids=str)
def test_a_script_can_be_read_by_its_shell(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script], capture_output=True, timeout=30).stderr == b""


def lay_tools(folder: Path, *programs: str) -> tuple[int, str]:
    """As install.sh does for the tests, on a machine that has these programs and no package tool."""
    machine = folder / "machine"
    machine.mkdir()
    for name in ("bash", "cat", "cut", "flock", "id", "ln", "mkdir", "rm", "sha256sum", "tail", *programs):
        (machine / name).symlink_to(shutil.which(name) or "/bin/true")
    script = f'. install/machine.sh; . install/unpacked.sh; PATH={machine}; lay_tools "$1"'
    done = subprocess.run(
        ["bash", "-euc", f"ROOT={ROOT}; cd {ROOT}; {script}", "lay", folder / "tools"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stderr


def test_programs_for_the_tests_that_cannot_be_unpacked_are_named_with_their_cure(tmp_path: Path) -> None:
    assert lay_tools(tmp_path, "nft") == (
        2,
        "install: these programs for the tests are missing: frr (vtysh) ifupdown (ifquery)\n"
        "install: Install them with this system's package tool, then run this again.\n",
    )


def test_where_nothing_can_be_unpacked_installed_programs_serve_the_tests(tmp_path: Path) -> None:
    assert lay_tools(tmp_path, "vtysh", "ifquery", "nft") == (0, "")
    assert (tmp_path / "tools/bin/vtysh").readlink() == tmp_path / "machine/vtysh"
