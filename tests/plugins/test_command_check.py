"""The check `command` gives the commands that the policy names, for the files that they are for."""

import pytest

from gitops_hooks.plugin import Check, Command, EdgeError
from gitops_hooks.plugins.command_check import gitops_checks
from gitops_hooks.testing import commands_of, run_check

FILES = {"roles/web/tasks/main.yml": b"[]\n", "README.md": b"A site\n"}


@pytest.fixture
def check() -> Check:
    (found,) = gitops_checks()
    return found


def sh(name: str, script: str, seconds: int = 600) -> Command:
    return Command(name, ("/bin/sh", "-e", "-c", script), seconds)


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        ({"commands": {"test": "make test"}}, (sh("test", "make test"),)),
        ({"commands": {"test": "make test"}, "seconds": 5}, (sh("test", "make test", 5),)),
        (
            {"commands": {"lint": "make lint", "test": "make test"}, "paths": {"test": ("roles/**",)}},
            (sh("lint", "make lint"), sh("test", "make test")),
        ),
        (
            {"commands": {"lint": "make lint", "test": "make test"}, "paths": {"test": ("playbooks/**",)}},
            (sh("lint", "make lint"),),
        ),
        ({"commands": {"test": "make test"}, "paths": {"test": ("docs/**",)}}, ()),
    ],
)
def test_each_command_is_for_the_changed_files_that_its_paths_name(
    check: Check, options: dict[str, object], commands: tuple[Command, ...]
) -> None:
    assert commands_of(check, FILES, options) == commands
    assert run_check(check, FILES, options=options) == ()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"commands": {}}, "commands: is empty; name at least one command, or do not ask for the check"),
        (
            {"commands": {"Make Test": "make"}},
            "commands: Make Test: is no name; one has lower-case letters, digits, - and _, at most 32",
        ),
        ({"commands": {"test": "make"}, "paths": {"tset": ("a",)}}, "paths: tset: is for no command that there is"),
    ],
)
def test_options_that_mean_nothing_are_no_verdict(check: Check, options: dict[str, object], reason: str) -> None:
    with pytest.raises(EdgeError) as refused:
        commands_of(check, FILES, options)
    assert str(refused.value) == reason
