"""A repository that has a record of ours comes back: after `repo remove`, for its hooks' sake, and out of a backup."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.people import clean_environment
from tests.world import Template, World


@pytest.fixture
def world() -> Iterator[World]:
    template = Template.build()
    found = World.copied_from(template)
    template.remove()
    found.propose("alice", {"site.yml": "---\n"}).must()
    yield found
    found.close()


def test_a_removed_repository_can_be_added_again(world: World) -> None:
    world.admin("repo", "remove", "site").must()
    assert world.git("alice", "fetch", "origin").code != 0
    world.admin("repo", "add", "site", "--admin", "bob", "--write", "*").must()
    world.approve("bob", 1).must()


def test_hooks_are_laid_again_while_there_are_changes(world: World) -> None:
    (world.home.hooks / "pre-receive").write_text("")
    assert world.git("alice", "push", "origin", "HEAD:refs/for/main/again").code == 128
    said = world.admin("repo", "add", "site", "--admin", "bob").must().out
    assert said.splitlines()[1] == "is adopted already"
    world.git("alice", "push", "origin", "HEAD:refs/for/main/again").must()


def test_a_mirror_takes_the_place_of_a_lost_repository(world: World) -> None:
    mirror = world.folder / "mirror.git"
    command = ["git", "clone", "-q", "--mirror", str(world.repository), str(mirror)]
    world.close_server()
    subprocess.run(command, env=clean_environment(world.folder), check=True, timeout=60)
    shutil.rmtree(world.repository)
    shutil.rmtree(world.home.path / "state")
    shutil.move(mirror, world.repository)
    world.admin("repo", "add", "site", "--admin", "bob").must()
    world.open()
    world.approve("bob", 1).must()


def test_a_copy_beside_its_original_is_refused(world: World) -> None:
    copy = world.folder / "copy.git"
    world.close_server()
    shutil.copytree(world.repository, copy)
    refused = world.admin("repo", "add", str(copy), "--admin", "bob")
    assert refused.code == 2
    words = "is a copy of the repository 'site' of this server; one of them can be served"
    assert refused.err == f"gitops: copy.git: {words}\n"


def test_changes_that_no_record_of_ours_tells_of_are_refused(world: World) -> None:
    stranger = world.folder / "stranger.git"
    world.close_server()
    shutil.copytree(world.repository, stranger)
    command = ["git", "--git-dir", str(stranger), "update-ref", "-d", "refs/gitops/log"]
    subprocess.run(command, env=clean_environment(world.folder), check=True, timeout=60)
    refused = world.admin("repo", "add", str(stranger), "--admin", "bob")
    assert refused.code == 2
    assert "stranger: refs/changes/1/meta collides with a namespace of gitops-hooks" in refused.err
