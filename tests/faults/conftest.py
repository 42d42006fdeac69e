"""Servers whose git can be told to die, one for all the faults of a file."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.failpoints import Faults, lay_git
from tests.faults.scene import Scene
from tests.faults.small_disk import CrampedWorld, SmallDisk
from tests.world import POLICY, Template, World

# dave may approve and may not land, so that an approved change can wait for somebody who may.
FAULTY_POLICY = POLICY.replace("yaml, secrets", "yaml").replace("senior: [bob, carol]", "senior: [bob, carol, dave]")
RETRY = "retry_seconds = 1\nretry_most_seconds = 1\nreconcile_seconds = 1\nfollow_seconds = 1\n"
CHECKS = """\
[plugins]
checks = ["gitops_hooks.plugins.yaml_check", "gitops_hooks.plugins.ansible.check"]
"""


@contextmanager
def faulty(template: Template) -> Iterator[Scene]:
    """A server made from this template, with a git that can be told to die."""
    world = World.copied_from(template)
    text = world.home.server_file.read_text()
    world.home.server_file.write_text(text.replace("[plugins]\n", CHECKS, 1))
    lay_git(world.folder / "faults", world.home)
    yield Scene.open(world, Faults(world.folder / "faults"))
    world.close()


@contextmanager
def cramped(template: Template, free_size: int) -> Iterator[tuple[Scene, SmallDisk]]:
    """A server made from this template on a disk that can be filled; `free_size` as in server.toml."""
    world = CrampedWorld.copied_from(template)
    server = world.seen(world.home.server_file)
    text = server.read_text().replace("[plugins]\n", CHECKS, 1)
    server.write_text(text.replace("[limits]\n", f"[limits]\nfree_size = {free_size}\n{RETRY}", 1))
    assert world.disk
    yield Scene.open(world, Faults(world.folder / "faults")), world.disk
    world.disk.make_room()
    world.close()


@pytest.fixture(scope="session")
def faulty_template() -> Iterator[Template]:
    template = Template.build(FAULTY_POLICY)
    yield template
    template.remove()


@pytest.fixture(scope="module")
def scene(faulty_template: Template) -> Iterator[Scene]:
    """One server for all the faults of a file: what one of them breaks, the next one meets."""
    with faulty(faulty_template) as scene:
        yield scene
