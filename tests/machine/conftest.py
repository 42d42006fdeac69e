"""One installation for all tests of this folder; each test has a machine of its own that begins with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine.machine import Layers, Machine
from tests.machine.server import Server, install


@dataclass(frozen=True, slots=True)
class Installation:
    """What was installed, to begin with, and what the installation said."""

    layers: Layers
    layer: Path
    said: str
    people_before: str


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    layers, people = Layers.open(), Path("/etc/passwd").read_text()
    machine = Machine.start(layers)
    said = install(machine).must().out
    machine.end()
    yield Installation(layers, machine.layer, said, people)
    layers.close()


@pytest.fixture
def machine(installation: Installation) -> Iterator[Machine]:
    """A machine on which the server is installed."""
    machine = Machine.start(installation.layers, installation.layer)
    yield machine
    machine.end()


@pytest.fixture
def server(installation: Installation) -> Iterator[Server]:
    """The same with an sshd, two people and an empty repository."""
    server = Server.on(Machine.start(installation.layers, installation.layer))
    yield server
    server.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each installs a server at least once, and its packages come over the network."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))
