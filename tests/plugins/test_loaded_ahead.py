"""What a check of the suite loads when it runs is named, so that a warm judge has it loaded, once for all pushes."""

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge import new_home
from tests.world import ROOT

MODULES = re.findall(r'"(gitops_hooks\.plugins\.[a-z_.]*check)"', Path(new_home.__file__).read_text())
# An engine of some megabytes, which another one stands in for where it can.
_LATE = {"gitops_hooks.plugins.rego_engine"}

SCRIPT = """\
import importlib, json, os, sys, threading
sys.path.append(sys.argv[1])
from gitops_hooks.edge.plugins import make_ready
from gitops_hooks.model.server import PluginLists
make_ready(PluginLists((sys.argv[2],), ()))
named = getattr(sys.modules[sys.argv[2]], "LOADED_AHEAD", ())
print(json.dumps([[each for each in named if each not in sys.modules], threading.active_count(),
    len(os.listdir("/proc/self/task"))]))
"""


def late_imports(module: str) -> Iterator[str]:
    """What functions of this module import of the suite's plugins."""
    tree = ast.parse(Path(importlib.import_module(module).__file__ or "").read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for each in ast.walk(function):
                if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("gitops_hooks.plugins."):
                    yield str(each.module)


def test_there_are_checks_to_look_at() -> None:
    assert len(MODULES) == 13


@pytest.mark.parametrize("module", MODULES)
def test_what_it_imports_when_it_runs_is_named(module: str) -> None:
    named = set(getattr(importlib.import_module(module), "LOADED_AHEAD", ()))
    assert set(late_imports(module)) - _LATE <= named


@pytest.mark.parametrize("module", MODULES)
def test_all_that_is_named_can_be_loaded_and_starts_nothing(module: str) -> None:
    words = [sys.executable, "-c", SCRIPT, str(ROOT), module]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert json.loads(said) == [[], 1, 1]
