"""One server for all stories of a file: they are refused, and so leave nothing to each other."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.ground import Ground, build_template
from tests.world import Template


@pytest.fixture(scope="session")
def hostile_template() -> Iterator[Template]:
    template = build_template(Path(tempfile.mkdtemp(prefix="gw-")))
    yield template
    template.remove()


@pytest.fixture(scope="module")
def ground(hostile_template: Template, request: pytest.FixtureRequest) -> Iterator[Ground]:
    with Ground.opened(hostile_template, request.module.CHECK_SECONDS) as ground:
        yield ground
