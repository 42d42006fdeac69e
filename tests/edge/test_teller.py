"""Notifiers are told beside the reconciler, by a program that runs only where there may be something to tell."""

from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.teller import Teller

SAYS_WHEN = """\
import sys
with open({noted!r}, "a") as file: file.write(" ".join(sys.argv[1:]) + "\\n")
"""


def test_nobody_is_told_before_something_has_ended(tmp_path: Path) -> None:
    home, noted = Home(tmp_path / "home"), tmp_path / "noted"
    make_home(home)
    reconcile_launcher(home).write_text(SAYS_WHEN.format(noted=str(noted)))
    teller = Teller(home)
    teller.finish()
    assert (teller.due(), noted.exists()) == (None, False)
    teller.ring()
    assert teller.due() == 0.0
    teller.finish()
    assert noted.read_text() == "--tell\n"
    assert teller.due() is None
    teller.close()
