"""How hosts are reached: what each task makes anew is cheap, and a host that this run may not touch says why."""

import json
import os
import pty
import subprocess
import time

import pytest

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.plugins.ansible.pinned import Pinned, Route, pin_routes

WORDS = b"gitops-hooks: web2 is not ready in this run\n"


@pytest.fixture
def pin(tmp_path):
    """Lays down how these hosts are reached, as a run does; answers the folder."""

    def lay(*routes, mitogen=False):
        folder = tmp_path / "pinned"
        (folder / "ssh").mkdir(parents=True)
        pinned = Pinned(folder, Credentials((), folder / "key", folder / "known_hosts"), {}, mitogen)
        pin_routes(pinned, routes, [], 5.0)
        return folder

    return lay


@pytest.fixture
def refusing(pin):
    """Makes the program as a run lays it down."""

    def make(mitogen=False):
        folder = pin(Route("web2", "127.0.0.1", 22, "deploy"), mitogen=mitogen)
        return [folder / "ssh" / "0", "-F", "config", "web2", "/bin/sh -c python3"]

    return make


COMMON = (Route("web1", "192.0.2.1", 22, "deploy"), Route("web2", "192.0.2.2", 22, "deploy"))
APART = (Route("web1", "192.0.2.1", 22, "deploy"), Route("web2", "192.0.2.2", 2222, "root"))
NAMES = {"address": ("host", "ssh_host"), "port": ("port", "ssh_port"), "user": ("user", "ssh_user")}


@pytest.mark.parametrize(
    ("routes", "common"),
    [
        (COMMON, {"port": 22, "user": "deploy"}),
        (APART, {}),
        (COMMON[:1], {"address": "192.0.2.1", "port": 22, "user": "deploy"}),
        ((), {}),
    ],
)
def test_each_task_makes_anew_only_in_what_hosts_differ_and_loads_no_filter_for_it(pin, routes, common):
    """Else each process of each task of each host compiles ten templates, and loads every filter of Ansible."""
    folder = pin(*routes)

    told = json.loads((folder / "extra-vars.json").read_text())
    known = json.loads((folder / "routes.yml").read_text())["all"]

    (mine,) = known["vars"]
    for part, names in NAMES.items():
        wanted = common.get(part, f"{{{{ {mine}.{part} }}}}")
        assert [told[f"ansible_{name}"] for name in names] == [wanted, wanted]
    # The program decides, so what is no host of the inventory gets one that refuses, however much is common.
    assert told["ansible_ssh_executable"] == f"{{{{ {mine}.ssh }}}}"
    assert known["vars"][mine]["ssh"] == str(folder / "ssh" / "none")
    hosts = {route.name: (route.address, route.port, route.user) for route in routes}
    assert {name: tuple(value[mine][part] for part in NAMES) for name, value in known["hosts"].items()} == hosts


def test_a_module_on_its_way_in_breaks_no_pipe(refusing):
    """More than a pipe holds, sent late: Ansible hides the words of an ssh that ended before it had all."""
    with subprocess.Popen(refusing(), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdin is not None
        time.sleep(0.3)
        program.stdin.write(b"x" * 1_000_000)
        _, said = program.communicate(timeout=10)

    assert (program.returncode, said) == (255, WORDS)


def test_a_command_on_a_terminal_ends_at_once(refusing):
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(refusing(), stdin=theirs, capture_output=True, timeout=10)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stderr) == (255, WORDS)


def test_mitogen_is_answered_before_it_sends(refusing):
    with subprocess.Popen(refusing(mitogen=True), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.wait(timeout=10) == 255
        assert program.stderr is not None and program.stderr.read() == WORDS
