"""How hosts are reached: what each task makes anew is cheap, and a host that this run may not touch says why."""

import json
import os
import pty
import subprocess
import time
from pathlib import Path

import pytest

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.plugins.ansible.pinned import Pinned, Route, pin_routes

WORDS = b"gitops-hooks: web2 is not ready in this run\n"


@pytest.fixture
def refusing(tmp_path):
    """Makes the program as a run lays it down."""

    def make(mitogen=False):
        folder = tmp_path / "pinned"
        (folder / "ssh").mkdir(parents=True)
        pinned = Pinned(folder, Credentials((), folder / "key", folder / "known_hosts"), {}, mitogen)
        pin_routes(pinned, [Route("web2", "127.0.0.1", 22, "deploy")], [], 5.0)
        return [folder / "ssh" / "0", "-F", "config", "web2", "/bin/sh -c python3"]

    return make


def test_what_each_task_makes_anew_of_connection_variables_needs_no_filter(refusing):
    """The process of each task of each host would load every filter of Ansible for it, and compile more."""
    folder = Path(refusing()[0]).parent.parent

    told = json.loads((folder / "extra-vars.json").read_text())
    routes = json.loads((folder / "routes.yml").read_text())["all"]

    (mine,) = routes["vars"]
    parts = ("address", "port", "user", "ssh")
    made = {value for value in told.values() if isinstance(value, str) and "{" in value}
    assert made == {f"{{{{ {mine}.{part} }}}}" for part in parts}
    assert set(routes["vars"][mine]) == set(routes["hosts"]["web2"][mine]) == set(parts)


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
