"""docs/plugins.md takes somebody from nothing to an enabled plugin, word for word."""

import json
import re

import pytest

from tests.plugins.conftest import Desk
from tests.world import ROOT

PAGE = (ROOT / "docs" / "plugins.md").read_text()
PARTS = ("at your desk", "in a clone", "on the server", "in the policy", "in a push")

# What people type where: the clone is alice's, the server's shell is the administrator's, and bob approves between.
DRIVER = """\
import json, os, subprocess, sys
from gitops_hooks.testing_server import Server

blocks, told = json.loads(sys.argv[1]), {}
server = Server()

def type_(part, where, environment):
    done = subprocess.run(["bash", "-c", blocks[part]], cwd=where, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    lines = [line.removesuffix("\\x1b[K").rstrip() for line in done.stdout.replace("\\r", "\\n").split("\\n")]
    told[part] = [done.returncode, lines]

try:
    alice, clone = server.environment(), server.clone()
    type_("in a clone", clone, alice)
    type_("on the server", os.getcwd(), os.environ | {"GITOPS_HOOKS_HOME": str(server.home.path)})
    type_("in the policy", clone, alice)
    approved = server.approve(1)
    assert not approved.refused, approved
    type_("in a push", clone, alice)
finally:
    server.close()
print(json.dumps(told))
"""


def block(part: str) -> str:
    found = re.search(rf"<!-- ten minutes, {part}: .*?-->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no block {part}"
    return found[1]


def answer(part: str) -> list[str]:
    """The lines that the page shows after a block."""
    found = re.search(rf"<!-- ten minutes, {part}: .*?```sh\n.*?```\n\n```console\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page shows no answer to {part}"
    return found[1].splitlines()


@pytest.mark.timeout(600)
def test_ten_minutes_are_true_word_for_word(author: Desk):
    done = author.run("bash", "-e", "-c", block("at your desk"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert [line for line in answer("at your desk") if line not in done.stdout.splitlines()] == []

    blocks = json.dumps({part: block(part) for part in PARTS})
    done = author.run(str(author.python), "-c", DRIVER, blocks)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert {part: code for part, (code, _) in told.items()} == {
        "in a clone": 1,
        "on the server": 0,
        "in the policy": 0,
        "in a push": 1,
    }, told
    for part in ("in a clone", "on the server", "in a push"):
        assert [line for line in answer(part) if line not in told[part][1]] == [], told[part]


@pytest.mark.timeout(300)
def test_the_tests_that_the_page_shows_pass(author: Desk):
    """The check from nothing, once it is installed, in a repository of its own and on a real server."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (site,) = author.folder.glob("venv/lib/python3*/site-packages")
    (site / "acme_checks").mkdir()
    (plugin,) = (text for text in blocks if text.startswith("# acme_checks/tabs.py"))
    (site / "acme_checks" / "tabs.py").write_text(plugin)
    shown = [text for text in blocks if "import MemoryRepository" in text or "gitops_server: Server" in text]
    (author.folder / "shown").mkdir()
    (author.folder / "shown" / "test_shown.py").write_text("\n".join(shown))
    done = author.run("pytest", "-q", "-p", "gitops_hooks.testing_server", "shown")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
