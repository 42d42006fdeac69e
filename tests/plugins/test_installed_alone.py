"""`check run` and `plugin new` need the installed package alone: no checkout, no server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import ROOT

Type = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Type:
    """Types `gitops-hooks …` with a package that pip has built from what git tracks, in a clone with a change."""
    folder = tmp_path_factory.mktemp("alone")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listing.decode().split("\0")):
        if name.startswith(("gitops_hooks/", "hooks/")) or name in ("pyproject.toml", "README.md", "LICENSE"):
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder / "packages"), str(folder / "source")], check=True, timeout=240)
    shutil.rmtree(folder / "source")
    clone = folder / "clone"
    for words in (("init", "-q", "-b", "main", str(clone)), ("-C", str(clone), "commit", "-q", "--allow-empty", "-mA")):
        subprocess.run(["git", *words], check=True, timeout=60)
    (clone / "a.yml").write_text("a: 1\na: 2\n")
    environment = {**os.environ, "PYTHONPATH": str(folder / "packages"), "HOME": str(folder)}

    def type_words(*words: str, module: str = "gitops_hooks.entry.cli") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", module, *words]
        return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=120)

    return type_words


def test_a_check_runs_in_a_clone_that_has_no_remote_and_no_policy(developer: Type):
    done = developer("check", "run", "yaml", "--against", "main")
    assert done.stdout.splitlines()[1:] == [
        "  checks     yaml 1 finding",
        "  a.yml:2: duplicate key 'a', first on line 1",
        "gitops: the server would refuse it",
    ], done.stderr
    told = developer("check", "run", "--all", "--against", "main")
    words = "that asks for checks; name the check\n"
    assert told.returncode == 2
    assert told.stderr.startswith("gitops: .gitops/policy.yaml: there is none at ")
    assert told.stderr.endswith(words)


def test_a_new_plugin_is_made_out_of_it(developer: Type):
    assert developer("plugin", "new", "acme-naming", "--into", "../new").returncode == 0
    assert developer("plugin", "list").returncode == 0


@pytest.mark.parametrize("name", ["testing", "testing_server", "plugin"])
def test_what_authors_import_is_in_the_package(developer: Type, name: str):
    """Told by timeit, which runs a statement without a script in between."""
    words = ("-n", "1", "-r", "1", "-s", f"import gitops_hooks.{name} as found; print(found.__file__)", "0")
    place = Path(developer(*words, module="timeit").stdout.splitlines()[0])
    assert place.parts[-3:] == ("packages", "gitops_hooks", f"{name}.py")
