"""One server for all faults of a file: what one leaves behind is what the next one starts from."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.config_edit import set_value
from tests.kills.faulty import Faulty
from tests.world import Template, World


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    template = Template.build()
    world = World.copied_from(template)
    template.remove()
    _lay_git(world)
    # The tests ask the reconciler themselves: one that mends in the background would hide what a fault leaves.
    world.admin("reconcile", "--stop")
    launcher = world.home.path / "bin" / "gitops-reconcile"
    text = launcher.read_text()
    launcher.write_text("")
    yield Faulty(world)
    launcher.write_text(text)
    world.close()


def _lay_git(world: World) -> None:
    folder = world.folder / "faults"
    folder.mkdir()
    source = Path(__file__).with_name("killing_git.py").read_text()
    program = folder / "git"
    program.write_text(f"#!{sys.executable} -IS\n{source}".replace("/usr/bin/git", shutil.which("git") or ""))
    program.chmod(0o755)
    set_value(world.home, "git", str(program))
