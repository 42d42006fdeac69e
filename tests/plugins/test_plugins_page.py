"""The examples of docs/plugins.md do what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_hooks import plugin
from gitops_hooks.edge.plugins import load_plugins
from tests.world import ROOT

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "plugins.md").read_text(), re.M | re.S)
PLUGINS = [block for block in BLOCKS if "@hookimpl" in block]


@pytest.mark.parametrize("number", range(len(PLUGINS)))
def test_an_example_loads_as_a_plugin(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"example_{number}"
    (tmp_path / f"{name}.py").write_text(PLUGINS[number])
    monkeypatch.syspath_prepend(tmp_path)
    plugins = load_plugins([name])
    assert [*plugins.checks(), *plugins.deployers()] == {0: ["tabs"], 1: ["shell"], 2: ["naming"], 4: ["acme"]}.get(
        number, []
    )
    del sys.modules[name]


def test_the_check_from_nothing_passes_its_own_tests(tmp_path: Path) -> None:
    files = {block.split("\n", 1)[0].removeprefix("# "): block for block in BLOCKS if block.startswith("# ")}
    assert sorted(files) == ["acme_checks/tabs.py", "test_tabs.py"]
    (tmp_path / "acme_checks").mkdir()
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


# What a plugin of version 1.0 may use; a name that goes takes the first number with it.
OF_1_0 = {
    *("API_VERSION", "Actor", "ActorKind", "Change", "ChangedFile", "Check", "CheckOutcome", "Credentials"),
    *("Decision", "Deployer", "Deployment", "EdgeError", "Entry", "Environment", "Finding", "HostOutcome", "HostState"),
    *("Marked", "Option", "OptionKind", "Outcome", "Progress", "Push", "Ran", "Requirement", "RunState", "Say"),
    *("Severity", "Status", "Tool", "Tree", "Verdict", "Workbench", "Workplace", "YamlFault", "YamlLimits"),
    *("hookimpl", "matches", "matches_any", "parse_yaml", "write_journal"),
}


def test_the_page_of_the_api_says_its_version_and_no_name_of_it_is_gone() -> None:
    page = (ROOT / "docs" / "plugin-api.md").read_text()
    assert f"`gitops_hooks.plugin.API_VERSION`: **{plugin.API_VERSION}**" in page
    assert plugin.API_VERSION.startswith("1.")
    assert OF_1_0 - set(plugin.__all__) == set()
