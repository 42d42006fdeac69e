"""Which of the two programs a deployment starts."""

from pathlib import Path

import pytest

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.terraform.laid import find_program


def folder(path: Path, *names: str) -> str:
    for name in names:
        (path / name).write_text("#!/bin/sh\n")
        (path / name).chmod(0o755)
    return str(path)


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_the_only_one_is_taken(tmp_path, name):
    assert find_program({}, folder(tmp_path, name)) == str(tmp_path / name)


@pytest.mark.parametrize(
    ("names", "said", "words"),
    [
        ((), {}, "tofu or terraform: not installed; put it into a folder of tool_folders in server.toml"),
        (
            ("terraform",),
            {"GITOPS_TERRAFORM": "tofu"},
            "tofu: not installed; put it into a folder of tool_folders in server.toml",
        ),
        (
            ("tofu", "terraform"),
            {},
            "tofu and terraform: both installed; say which one in the environment_file: GITOPS_TERRAFORM=terraform",
        ),
    ],
)
def test_none_and_two_are_told_with_the_cure(tmp_path, names, said, words):
    with pytest.raises(EdgeError) as refused:
        find_program(said, folder(tmp_path, *names))
    assert str(refused.value) == words


def test_of_two_the_one_that_is_said_is_taken(tmp_path):
    found = find_program({"GITOPS_TERRAFORM": "terraform"}, folder(tmp_path, "tofu", "terraform"))
    assert found == str(tmp_path / "terraform")
