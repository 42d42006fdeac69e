"""Hooks in Python with an environment of their own, which the administrator prepared: made offline, run in the box."""

import os
import subprocess
import sys
from pathlib import Path

from gitops_hooks.plugin import Finding
from tests.plugins.test_precommit_check import find

_PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# Writes the wheel itself, so that pip needs nothing from elsewhere.
_BACKEND = """\
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    name, info = "no_tabs-1-py3-none-any.whl", "no_tabs-1.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.write("no_tabs.py")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: no-tabs\\nVersion: 1\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nno-tabs = no_tabs:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
_HOOK = """\
import sys

def main():
    found = 0
    for path in sys.argv[1:]:
        for number, line in enumerate(open(path), 1):
            if "\\t" in line:
                own = "an own" if sys.prefix != sys.base_prefix else "no"
                print(f"{path}:{number}: a tab, told from {own} environment")
                found = 1
    return found
"""
_LISTED = "- {id: no-tabs, name: no tabs, language: python, entry: no-tabs, types: [text], exclude: yaml}\n"


def test_a_hook_in_python_runs_from_the_environment_that_was_prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("python-hooks")
    (folder / "tools" / "bin").mkdir(parents=True)
    (folder / "tools" / "bin" / "pre-commit").symlink_to(Path(sys.prefix) / "bin" / "pre-commit")
    hooks, work = folder / "no-tabs", folder / "work"
    for place in (hooks, work):
        place.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    texts = {"pyproject.toml": _PROJECT, "backend.py": _BACKEND, "no_tabs.py": _HOOK, ".pre-commit-hooks.yaml": _LISTED}
    for name, text in texts.items():
        (hooks / name).write_text(text)
    for words in (["add", "-A"], ["commit", "-q", "-m", "hooks"]):
        subprocess.run(["git", *words], cwd=hooks, check=True)
    rev = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True).stdout
    configuration = f"repos:\n- repo: file://{hooks}\n  rev: {rev.strip()}\n  hooks: [{{id: no-tabs}}]\n"
    (work / "hooks.yaml").write_text(configuration)
    environ = {**os.environ, "PRE_COMMIT_HOME": str(folder / "tools" / "hooks"), "PIP_NO_INDEX": "1"}
    command = [folder / "tools" / "bin" / "pre-commit", "install-hooks", "-c", "hooks.yaml"]
    done = subprocess.run(command, cwd=work, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    made = (folder / "tools", configuration)
    assert find(made, {"a.txt": "good\n"}) == []
    assert find(made, {"a.txt": "good\nb\tad\n"}) == [
        Finding("a.txt", 2, "no-tabs: a tab, told from an own environment")
    ]
