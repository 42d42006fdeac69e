"""The package below examples/ is one that a third party could have: it installs, and its own tests push through it."""

import shutil

import pytest

from tests.plugins.conftest import Desk
from tests.world import ROOT


@pytest.mark.timeout(300)
def test_the_example_installs_and_its_own_tests_push_through_a_real_server(author: Desk):
    shutil.copytree(ROOT / "examples" / "acme-checks", author.folder / "acme-checks")
    installed = author.run("pip", "install", "-q", "./acme-checks[test]")
    assert installed.returncode == 0, installed.stderr
    done = author.run("pytest", "-q", where="acme-checks")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
