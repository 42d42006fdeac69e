"""`gitops-hooks plugin list` tells what is discovered, enabled and refused; `plugin new` makes no mess."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import ROOT

CHECK = "from gitops_hooks.plugin import Check, hookimpl\n@hookimpl\ndef gitops_checks():\n    return [{}]\n"


def type_words(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gitops_hooks.entry.cli", "--home", str(folder / "home"), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder / 'packages'}:{ROOT}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def lay(folder: Path, name: str, text: str, announced: bool = False) -> None:
    """A module that may be imported, and where a package announces it what an installer leaves of that."""
    (folder / "packages").mkdir(exist_ok=True)
    (folder / "packages" / f"{name}.py").write_text(text)
    if announced:
        info = folder / "packages" / f"{name}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[gitops_hooks]\n{name} = {name}\n")


def enable(folder: Path, *modules: str, more: str = "") -> None:
    (folder / "home").mkdir()
    trusted = '["gitops_hooks.plugins.ssh_actor"]'
    listed = f"[plugins]\nchecks = {json.dumps(modules)}\ntrusted = {trusted}\n"
    (folder / "home" / "server.toml").write_text(listed + more)


def test_what_is_enabled_comes_first_and_what_is_only_discovered_is_not_imported(tmp_path: Path):
    lay(tmp_path, "acme_tabs", CHECK.format('Check("tabs", "", lambda *asked: ())'), announced=True)
    lay(tmp_path, "acme_other", f"open({str(tmp_path / 'imported')!r}, 'w')\n", announced=True)
    enable(tmp_path, "acme_tabs", more='[[exec_check]]\nname = "names"\ncommand = ["check-names"]\n')
    done = type_words(tmp_path, "plugin", "list")
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "enabled    acme_tabs  checks: tabs  (acme_tabs 2.0)",
        "enabled    gitops_hooks.plugins.ssh_actor  trusted  (gitops-hooks 0.1.0)",
    ]
    assert "discovered acme_other  not enabled; [plugins] in server.toml may name it  (acme_other 2.0)" in lines
    assert any(line.startswith("discovered gitops_hooks.plugins.secrets_check  ") for line in lines)
    assert lines[-1] == "enabled    [[exec_check]]  names  (check-names)"
    assert done.returncode == 0
    assert not (tmp_path / "imported").exists()


def test_each_plugin_that_is_refused_says_why_and_the_others_are_judged_all_the_same(tmp_path: Path):
    lay(tmp_path, "acme_one", CHECK.format('Check("tabs", "", lambda *asked: ())'))
    lay(tmp_path, "acme_two", CHECK.format('Check("tabs", "", lambda *asked: ())'))
    lay(tmp_path, "acme_later", 'NEEDS_API = "9.0"\n' + CHECK.format(""))
    lay(tmp_path, "acme_empty", "")
    enable(tmp_path, "acme_one", "acme_later", "acme_gone", "acme_empty", "gitops_hooks.plugins.journal")
    done = type_words(tmp_path, "plugin", "list", "--json")
    told = {one["module"]: one for one in json.loads(done.stdout) if one["state"] == "refused"}
    assert {module: one["fault"] for module, one in told.items()} == {
        "acme_later": "this plugin needs version 9.0 of the plugin API, and this release has 1.0",
        "acme_gone": "this plugin does not load: ModuleNotFoundError: No module named 'acme_gone'",
        "acme_empty": "this module implements no hook and would enforce nothing",
        "gitops_hooks.plugins.journal": "gitops_decided, gitops_deployed: only a trusted provider may implement this",
    }
    assert done.returncode == 1
    program = '[[exec_check]]\nname = "tabs"\ncommand = ["check-tabs"]\n'
    (tmp_path / "home" / "server.toml").write_text(f'[plugins]\nchecks = ["acme_one", "acme_two"]\n{program}')
    lines = type_words(tmp_path, "plugin", "list").stdout.splitlines()
    assert lines[:2] == [
        "enabled    acme_one  checks: tabs",
        "refused    acme_two  Check 'tabs' is already offered by acme_one",
    ]
    assert lines[-1] == "refused    [[exec_check]]  tabs: a plugin offers a check of that name  (check-tabs)"


def test_without_a_server_the_plugins_that_ship_are_enabled(tmp_path: Path):
    done = type_words(tmp_path, "plugin", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("enabled    gitops_hooks.plugins.yaml_check  checks: yaml")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["Acme", "acme_naming", "acme--x", "-acme", "a" * 33, "9acme"])
def test_a_name_that_cannot_be_a_package_is_refused(tmp_path: Path, name: str):
    done = type_words(tmp_path, "plugin", "new", "--", name)
    assert done.returncode == 2
    words = "a plugin is called by small letters, digits and single hyphens, at most 32: acme-naming"
    assert done.stderr.splitlines()[-1] == f"Error: Invalid value for NAME: {words}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "yaml", "pytest"])
def test_a_name_that_would_hide_another_module_is_refused(tmp_path: Path, name: str):
    done = type_words(tmp_path, "plugin", "new", name)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert done.stderr.splitlines()[-1] == f"Error: Invalid value for NAME: there is a module '{name}' already"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "acme-naming").mkdir()
    (tmp_path / "acme-naming" / "mine").write_text("")
    done = type_words(tmp_path, "plugin", "new", "acme-naming")
    assert (done.returncode, done.stderr) == (2, "gitops: acme-naming: is there already and not empty\n")
    assert [path.name for path in (tmp_path / "acme-naming").iterdir()] == ["mine"]
