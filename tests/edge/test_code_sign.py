"""The sign of the code changes with every file that a check is made of, and is no sign while one has just changed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pluggy
import pytest

from tests.world import ROOT

SIGN = """
import sys
sys.path[:0] = sys.argv[1].split(":")
import acme_checks.names, acme_alone
from gitops_hooks.edge.code_sign import code_sign
if sys.argv[2]:
    open(sys.argv[2], "a").write("#")
print(code_sign(sys.argv[3:]))
"""
IN_A_FORK = SIGN.replace(
    "print(",
    """import os, time
time.sleep(0.1)
if os.fork():
    os.wait()
    sys.exit()
print(""",
)
TWICE = SIGN.replace(
    "if sys.argv[2]",
    """import time
first = code_sign(sys.argv[3:])
if sys.argv[2]""",
).replace(
    "print(code_sign(sys.argv[3:]))",
    """print(code_sign(sys.argv[3:]) == first)
time.sleep(0.3)
print(code_sign(sys.argv[3:]))""",
)
MODULES = ("acme_checks.names", "acme_alone")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "acme_checks" / "schemas").mkdir(parents=True)
    for name in ("__init__.py", "names.py", "lazily.py", "schemas/one.json"):
        (folder / "acme_checks" / name).write_text("1\n")
    for name in ("acme_alone.py", "acme_beside.py"):
        (folder / name).write_text("1\n")
    return folder


def sign(
    site: Path, touch: str = "", modules: tuple[str, ...] = MODULES, packages: Path = ROOT, script: str = SIGN
) -> str:
    time.sleep(0.05)  # files must be older than the process by more than a tick of the clock
    words = [sys.executable, "-B", "-c", script, f"{packages}:{site}:{ROOT}", touch, *modules]
    return subprocess.run(words, capture_output=True, check=True, timeout=60, text=True).stdout.strip()


def test_the_same_code_has_the_same_sign_in_every_process(site):
    assert len(sign(site)) == 64
    assert sign(site) == sign(site)
    assert sign(site, modules=MODULES[:1]) != sign(site)


@pytest.mark.parametrize("name", ["acme_checks/lazily.py", "acme_checks/schemas/one.json", "acme_beside.py"])
def test_another_file_gives_another_sign_even_with_the_same_size_and_time(site, name):
    first, stat = sign(site), (site / name).stat()
    (site / name).write_text("2\n")
    os.utime(site / name, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert sign(site) != first


def test_what_is_installed_beside_a_plugin_belongs_to_it(site):
    first = sign(site)
    (site / "yaml-2.0.dist-info").mkdir()
    assert sign(site) != first


def test_so_does_what_is_installed_where_our_own_packages_are(site, tmp_path):
    packages = tmp_path / "packages"
    shutil.copytree(Path(pluggy.__file__).parent, packages / "pluggy")
    first = sign(site, packages=packages)
    (packages / "jsonschema-4.0.dist-info").mkdir()
    assert sign(site, packages=packages) != first


def test_a_file_that_came_or_went_gives_another_sign_and_byte_code_does_not(site):
    first = sign(site)
    (site / "acme_checks" / "__pycache__").mkdir()
    (site / "acme_checks" / "__pycache__" / "names.pyc").write_bytes(b"x")
    assert sign(site) == first
    (site / "acme_checks" / "new.py").write_text("")
    assert sign(site) != first


def test_a_process_that_may_run_older_code_than_there_is_has_no_sign(site):
    assert sign(site, touch=str(site / "acme_checks" / "names.py")) == ""


def test_a_young_fork_is_as_old_as_what_loaded_its_code(site):
    assert sign(site, script=IN_A_FORK) == sign(site)
    assert sign(site, str(site / "acme_alone.py"), script=IN_A_FORK) == ""


def test_a_module_without_files_has_no_sign(site):
    assert sign(site, modules=("nosuch.module",)) == ""


def test_one_look_is_good_for_a_moment_and_no_longer(site):
    assert sign(site, str(site / "acme_alone.py"), script=TWICE) == "True"
    assert sign(site, script=TWICE) == f"True\n{sign(site)}"
