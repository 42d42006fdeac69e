"""A server for each story or, where its stories do not meet, one for a whole file."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World


@pytest.fixture(scope="session")
def site() -> Iterator[Template]:
    template = Template.build(POLICY)
    server = template.folder / "home" / "server.toml"
    server.write_text(
        server.read_text().replace("[plugins]\n", '[plugins]\nchecks = ["gitops_hooks.plugins.yaml_check"]\n', 1)
    )
    yield template
    template.remove()


@pytest.fixture
def desk(site: Template) -> Iterator[Desk]:
    """A server of this story's own."""
    world = World.copied_from(site)
    yield Desk.beside(world)
    world.close()


@pytest.fixture(scope="module")
def shared(site: Template) -> Iterator[Desk]:
    """One server for the stories of a file that do not meet."""
    world = World.copied_from(site)
    yield Desk.beside(world)
    world.close()
