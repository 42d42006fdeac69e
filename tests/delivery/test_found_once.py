"""What one process found out, none finds out again: which Python a host has, and what Ansible's utilities import."""

import subprocess
import sys

import pytest

from gitops_hooks.edge.sshd import start_sshd
from gitops_hooks.model.deployment import RunState
from gitops_hooks.plugins.ansible.fence import SOUGHT
from tests.delivery.conftest import PYTHON, Host

# The first task needs no Python there, and brings one that comes before the one that the look has seen.
TAKES = """\
- hosts: web1
  gather_facts: false
  tasks:
    - raw: ln -s {python} {places}/python3.13
    - ping:
    - copy:
        content: "{{{{ ansible_facts.discovered_interpreter_python }}}}"
        dest: "{{{{ root }}}}/motd"
        mode: "0644"
"""


@pytest.fixture
def places(world):
    """A folder that web1 looks for programs in first; its inventory line names no Python."""
    web1, folder = world.hosts[0], world.folder / "places"
    folder.mkdir()
    web1.sshd.stop()
    where = {"HOME": str(web1.home), "PATH": f"{folder}:/usr/bin:/bin"}
    sshd = start_sshd(web1.root.parent / "sshd2", web1.home / "authorized_keys", environment=where)
    world.hosts = (Host("web1", sshd, web1.root, web1.home), *world.hosts[1:])
    world.pin_hosts()
    line = world.hosts[0].inventory_line().replace(f" ansible_python_interpreter={PYTHON}", "")
    world.tree["inventory"] = f"{line}\n"
    world.granted = ("web1",)
    world.tree["site.yml"] = TAKES.format(python=PYTHON, places=folder)
    yield folder
    sshd.stop()


def test_ansible_takes_the_python_that_the_look_has_seen(world, places):
    (places / "python3.12").symlink_to(PYTHON)

    outcome = world.deploy()

    assert outcome.state is RunState.SUCCESSFUL, outcome
    assert world.hosts[0].read("motd") == f"{places}/python3.12"


@pytest.mark.parametrize(
    "line",
    ["ansible_python_interpreter=auto", "ansible_interpreter_python_fallback=python3.13,python-of-ours"],
    ids=["where its words are wanted", "where it looks for names of its own"],
)
def test_it_looks_for_itself(world, places, line):
    (places / "python3.12").symlink_to(PYTHON)
    world.tree["inventory"] = world.tree["inventory"].replace("\n", f" {line}\n")

    outcome = world.deploy()

    assert outcome.state is RunState.SUCCESSFUL, outcome
    assert world.hosts[0].read("motd") == f"{places}/python3.13"


# A program of its own, since it changes Ansible for the whole process.
BUILDS = """\
import datetime, io, sys, time, zipfile
from pathlib import Path
from gitops_hooks.plugins.ansible import loaded_ahead
from ansible import constants
from ansible._internal._ansiballz import _builder
from ansible.cli.playbook import PlaybookCLI
from ansible.executor import module_common
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()
read, count = module_common._compile_module_ast, [0]


def counted(name, source):
    count[0] += 1
    return read(name, source)


module_common._compile_module_ast = counted
modules = Path(module_common.__file__).parents[1] / "modules"


def build(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        when, extra = datetime.datetime(2026, 1, 1), _builder.ExtensionManager()
        text = (modules / f"{name}.py").read_bytes()
        module_common.recursive_finder(name, f"ansible.modules.{name}", text, target, when, extra)
    return out.getvalue()


names = sys.argv[1:]
before = [build(name) for name in names]
parsed, count[0] = count[0], 0
loaded_ahead._know_imports()
print(sum(build(name) == built for name, built in zip(names, before)), parsed, count[0])
print(*constants.config.get_config_value("INTERPRETER_PYTHON_FALLBACK"))
"""
MODULES = ("ping", "command", "copy", "file", "stat", "setup", "apt", "uri", "user", "service_facts")


def test_modules_are_the_same_byte_for_byte_and_next_to_nothing_is_read_again_for_them():
    done = subprocess.run(
        [sys.executable, "-c", BUILDS, *MODULES], capture_output=True, text=True, check=True, timeout=60
    )
    same, parsed, again = map(int, done.stdout.splitlines()[0].split())

    assert same == len(MODULES)
    assert parsed > 50 * len(MODULES)
    # The modules themselves, and what the controller does not use: a hundred for facts, a few for each other one.
    assert again < parsed / 3
    assert set(done.stdout.splitlines()[1].split()) <= set(SOUGHT)
