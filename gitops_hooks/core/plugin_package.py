"""What `plugin new` writes: a package that installs, with a check, its tests and its packaging."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MOST = 32

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "@NAME@"
version = "0.1.0"
description = "A check for gitops-hooks: names begin as the house says"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["gitops-hooks"]

[project.optional-dependencies]
test = ["pytest"]

# `gitops-hooks plugin list` shows what stands here; enabled is only what server.toml names.
[project.entry-points.gitops_hooks]
@MODULE@ = "@MODULE@"

[tool.setuptools]
packages = ["@MODULE@"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""

_PLUGIN = '''\
"""A check for gitops-hooks: the folders below roles/ are named after the house."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tree, Workbench, hookimpl

NEEDS_API = "@API@"

PREFIX = Option("prefix", OptionKind.TEXT, "acme-", "how the name of each role begins")


def find_names(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """Look at what changed and at nothing else: the size of the change decides what a push costs."""
    prefix = bench.options["prefix"]
    for file in change.files:
        parts = file.path.split("/")
        if file.deleted or parts[0] != "roles" or len(parts) < 3:
            continue
        if not parts[1].startswith(prefix):
            yield Finding(file.path, 0, f"the role {parts[1]} is called {prefix}{parts[1]} here")


CHECK = Check("@NAME@", "roles are named after the house", find_names, ("roles/**",), (PREFIX,))


@hookimpl
def gitops_checks() -> Iterable[Check]:
    return [CHECK]
'''

_TEST = '''\
"""The check @NAME@, without a server and on a real one."""

from @MODULE@ import CHECK

from gitops_hooks.plugin import Finding
from gitops_hooks.testing import MemoryRepository, run_check
from gitops_hooks.testing_server import Server

TOLD = "the role web is called acme-web here"


def test_a_role_with_another_name_is_told() -> None:
    assert run_check(CHECK, {"roles/web/tasks/main.yml": b"[]\\n"}) == (Finding("roles/web/tasks/main.yml", 0, TOLD),)


def test_the_policy_says_how_names_begin() -> None:
    assert run_check(CHECK, {"roles/web/tasks/main.yml": b"[]\\n"}, options={"prefix": "w"}) == ()


def test_what_was_there_before_is_not_told_again() -> None:
    repository = MemoryRepository({"roles/old/tasks/main.yml": b"[]\\n"})
    repository.commit({"roles/acme-new/tasks/main.yml": b"[]\\n"}, branch="topic")
    assert repository.run(CHECK, "topic").findings == ()


def test_it_speaks_in_the_push(gitops_server: Server) -> None:
    gitops_server.enable("@MODULE@")
    gitops_server.require("@NAME@")
    pushed = gitops_server.propose({"roles/web/tasks/main.yml": "[]\\n"})
    assert pushed.refused
    assert f"    roles/web/tasks/main.yml: {TOLD}" in pushed.lines
    assert not gitops_server.propose({"roles/acme-web/tasks/main.yml": "[]\\n"}).refused
'''

_CONFTEST = '''\
"""A real server for the tests: `gitops_server`."""

pytest_plugins = ["gitops_hooks.testing_server"]
'''

_README = """\
# @NAME@

A check for gitops-hooks: the folders below `roles/` are named after the house.

```sh
pip install -e '.[test]'      # into an environment that has gitops-hooks
pytest
gitops-hooks check run @NAME@ --against main --plugin @MODULE@     # in a clone, before any push
```

On the server, install it into the environment of the release and enable it in `server.toml`:

```toml
[plugins]
checks = ["gitops_hooks.plugins.yaml_check", "@MODULE@"]
```

Then a policy may ask for it:

```yaml
branches:
  - match: main
    checks: [yaml, @NAME@]
checks:
  @NAME@: {prefix: acme-}
```
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    ".gitignore": "*.egg-info/\n__pycache__/\n.venv/\nbuild/\n",
    "@MODULE@/__init__.py": _PLUGIN,
    "tests/conftest.py": _CONFTEST,
    "tests/test_@MODULE@.py": _TEST,
}


def name_fault(name: str) -> str:
    """Why a package cannot be called so, or an empty string."""
    if not _NAME.fullmatch(name) or len(name) > _MOST:
        return f"a plugin is called by small letters, digits and single hyphens, at most {_MOST}: acme-naming"
    if module_of(name).startswith("gitops_hooks"):
        return "gitops-hooks itself is called so"
    return ""


def module_of(name: str) -> str:
    return name.replace("-", "_")


def new_package(name: str, api: str) -> Mapping[str, str]:
    """The files of a package, by their paths."""
    words = {"@NAME@": name, "@MODULE@": module_of(name), "@API@": api}
    return {_fill(path, words): _fill(text, words) for path, text in _FILES.items()}


def _fill(text: str, words: Mapping[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
