"""A world of its own for every test: no setting, key or name of the person who runs it gets in."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.machine.machine import why_not
from tests.unpacked import missing_tools
from tests.world import Template, World

# Folders whose tests are slow come last, so that a simple fault is told first. Among these the longest stories begin
# first: the workers take a file each, and none is left alone with a long one at the end.
_LAST = ("demo", "machine", "faults", "reviews", "delivery", "environments", "agent", "push", "entry")
# How long an example takes is up to the machine.
settings.register_profile("stories", deadline=None)
settings.load_profile("stories")
_PACKAGES = {
    "git": "git",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "bwrap": "bubblewrap",
    "gpgv": "gpgv",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "gpgconf": "gpgconf",
}
_KEPT = ("PATH", "TMPDIR", "USER", "LOGNAME", "CI", "TERM", "VIRTUAL_ENV")
# How this machine reaches a package index: a real installation takes its packages from there.
_NETWORK = ("PIP_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_MACHINE = Path(__file__).parent / "machine"
_why_no_machine = pytest.StashKey[str]()
_PERSON = {
    "GIT_AUTHOR_NAME": "Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.org",
    "GIT_COMMITTER_NAME": "Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.org",
}


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = {package for tool, package in _PACKAGES.items() if shutil.which(tool) is None}
    if missing:
        pytest.exit(f"missing; run: apt-get install {' '.join(sorted(missing))}", returncode=2)
    if without := missing_tools():
        pytest.exit(f"not laid for the tests: {' '.join(without)}; run: ./install.sh test", returncode=2)
    home = tempfile.mkdtemp(prefix="gitops-tests-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    _become_nobody_in_particular(Path(home))
    config.stash[_why_no_machine] = why_not()


def pytest_xdist_auto_num_workers() -> int:
    """Stories wait for others a fifth of their time: half a worker more for each core keeps the cores at work."""
    return (3 * len(os.sched_getaffinity(0)) + 1) // 2


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Not a header of pytest's, which `-q` would swallow."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and (reason := session.config.stash[_why_no_machine]):
        reporter.write_line(f"tests/machine is left out: it {reason}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """An installation for the machine can only be tried by who may make a machine of their own for it."""
    return True if config.stash[_why_no_machine] and collection_path.is_relative_to(_MACHINE) else None


def _become_nobody_in_particular(home: Path) -> None:
    settings = home / "gitconfig"
    subprocess.run(["git", "config", "--file", settings, "init.defaultBranch", "main"], check=True)
    for name in set(os.environ) - {*_KEPT}:
        if not name.startswith(("PYTEST_", "COV_", *_NETWORK)):
            del os.environ[name]
    os.environ.update(
        _PERSON,
        HOME=str(home),
        XDG_STATE_HOME=str(home / "state"),
        GIT_CONFIG_GLOBAL=str(settings),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        LANG="C.UTF-8",
        TZ="UTC",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    items.sort(key=lambda item: _rank(item.path.relative_to(root).parts[0]))


def _rank(folder: str) -> int:
    return _LAST.index(folder) + 1 if folder in _LAST else 0


@pytest.fixture(scope="session")
def world_template() -> Iterator[Template]:
    template = Template.build()
    yield template
    template.remove()


@pytest.fixture
def world(world_template: Template) -> Iterator[World]:
    """A whole server with people who may push to `site`, for one test."""
    world = World.copied_from(world_template)
    yield world
    world.close()
