"""A world whose server stands in a namespace of its own: its sshd is started there, and so is all that sshd starts."""

import subprocess
import sys

from gitops_hooks.edge.sshd import Sshd
from tests.people import clean_environment
from tests.world import ROOT, World

_START_SSHD = """\
import sys
from pathlib import Path
from gitops_hooks.edge.sshd import start_sshd
print(start_sshd(Path(sys.argv[1]), Path(sys.argv[2]), settings={settings!r}).port)
"""


def open_inside(world: World, *settings: str) -> None:
    """Start the server's sshd where `on_server` leads, and tell everybody's ssh where it listens."""
    folder = world.folder / "sshd"
    folder.mkdir(mode=0o700)
    words = [sys.executable, "-c", _START_SSHD.format(settings=settings), str(folder), str(world.home.authorized_keys)]
    environment = {**clean_environment(world.folder), "PYTHONPATH": str(ROOT)}
    said = subprocess.run(world.on_server(words), env=environment, check=True, stdout=subprocess.PIPE).stdout
    world.make_known(Sshd(folder, int(said)))
