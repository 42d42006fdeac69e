"""What install.sh answers before it changes anything."""

import os
import subprocess

import pytest

from tests.world import ROOT


def install(*words: str) -> tuple[int, str, str]:
    # Should a misunderstanding ever be taken for a wish, nothing of this machine is in its reach.
    environment = {**os.environ, "GITOPS_HOOKS_PREFIX": "/dev/null/nowhere"}
    done = subprocess.run([ROOT / "install.sh", *words], env=environment, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_help_says_what_there_is() -> None:
    code, said, _ = install("--help")
    assert code == 0
    assert [line.removeprefix("Usage:").split()[1] for line in said.splitlines() if "./install.sh" in line] == [
        "demo",
        "test",
        "server",
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


@pytest.mark.parametrize("script", sorted(path.relative_to(ROOT) for path in (ROOT / "install").glob("*.sh")), ids=str)
def test_a_script_can_be_read_by_its_shell(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script], capture_output=True, timeout=30).stderr == b""
