"""One confined child per deployment: whatever it does, it ends in one outcome, and it sees only what it may."""

import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys

import pytest

from gitops_hooks.edge import launch_box, living
from gitops_hooks.edge.launch import RunningDeployment, leftovers, probe
from gitops_hooks.edge.launch_child import Child
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Outcome, Progress, RunState
from gitops_hooks.model.policy import Environment, Names
from gitops_hooks.model.server import Limits, PluginLists

ODD = """\
import json, os, sys, time
from pathlib import Path
from gitops_hooks.plugin import Deployer, Outcome, Progress, RunState, hookimpl

def look(workplace):
    tree = {}
    for path in sorted(workplace.project.rglob("*")):
        name = str(path.relative_to(workplace.project)).encode("utf-8", "surrogateescape").hex()
        mode = path.lstat().st_mode & 0o777
        tree[name] = os.readlink(path) if path.is_symlink() else path.is_dir() or [path.read_text(), mode]
    seen = {name: os.path.exists(name) for name in json.loads((workplace.project / "ask").read_text())}
    key = workplace.credentials.key.read_text()
    return {"tree": tree, "seen": seen, "key": key, "environ": sorted(os.environ), "hosts": workplace.credentials.hosts}

def deploy(deployment, workplace, say):
    say(Progress(hosts=("a", "b")))
    print("this goes nowhere")
    match deployment.environment.playbook:
        case "look":
            return Outcome(RunState.SUCCESSFUL, detail=json.dumps(look(workplace)))
        case "raise":
            raise KeyError("no such thing\\nand more")
        case "exit":
            os._exit(0)
        case "leave":
            sys.exit("bye")
        case "hang":
            time.sleep(60)
        case "nothing":
            return None
        case "garbage":
            for number in range(3, 64):
                try:
                    os.write(number, b"{}\\n")
                except OSError:
                    pass
            time.sleep(60)

@hookimpl
def gitops_deployers():
    return [Deployer("odd", "does what its playbook says", deploy)]
"""


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "odd_deployer.py").write_text(ODD)
    monkeypatch.syspath_prepend(str(folder))
    return PluginLists(trusted=("odd_deployer",))


@pytest.fixture
def start(tmp_path, plugins):
    credentials = Credentials(("a", "b"), tmp_path / "key", tmp_path / "known_hosts")
    credentials.key.write_text("the key")
    credentials.known_hosts.write_text("")
    started = []

    def begin(playbook, files=(), limits=Limits(), deployer="odd", **more):
        environment = Environment(
            "staging", "refs/heads/main", deployer, playbook, "inventory", Names(("@ops",)), "policy.yaml:7"
        )
        deployment = Deployment("r1", environment, "c" * 40, 3, f"run-{len(started)}-{tmp_path.name}")
        granted = dataclasses.replace(credentials, **more)
        running = RunningDeployment.start(deployment, granted, files, limits=limits, plugins=plugins)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.close()
        assert leftovers([running.deployment.run_id]) == ()


def outcome_of(running):
    outcome = running.wait(20)
    assert outcome is not None, "no outcome in time"
    return outcome


def test_the_tree_the_credentials_and_little_else_are_inside(start, tmp_path):
    asked = [str(tmp_path / "secret"), "/etc/shadow", "/etc/ssh", "/root/.ssh", "/usr/bin", "/etc/passwd"]
    (tmp_path / "secret").write_text("x")
    with socket.socket(socket.AF_UNIX) as warm:
        warm.bind(str(tmp_path / "socket"))
    asked.append(str(tmp_path / "socket"))
    files = [
        ("ask", 0o100644, json.dumps(asked).encode()),
        ("bin/tool", 0o100755, b"#!/bin/sh\n"),
        ("link", 0o120000, b"bin/tool"),
        ("odd\udcff", 0o100644, b"o"),
    ]
    outcome = outcome_of(start("look", files))

    assert outcome.state is RunState.SUCCESSFUL, outcome.detail
    told = json.loads(outcome.detail)
    assert told["tree"] == {
        b"ask".hex(): [json.dumps(asked), 0o644],
        b"bin".hex(): True,
        b"bin/tool".hex(): ["#!/bin/sh\n", 0o755],
        b"link".hex(): "bin/tool",
        b"odd\xff".hex(): ["o", 0o644],
    }
    assert [name for name, there in told["seen"].items() if there] == ["/usr/bin", "/etc/passwd"]
    assert told["key"] == "the key"
    assert told["hosts"] == ["a", "b"]
    assert set(told["environ"]) == {"HOME", "LANG", "PATH", "PWD", "TMPDIR"}


def test_progress_comes_before_the_outcome_and_the_outcome_once(start):
    running = start("raise")
    words = []
    while running.outcome is None:
        assert select.select([running], [], [], 20)[0]
        words += running.read()

    assert words == [Progress(hosts=("a", "b")), running.outcome]
    assert running.read() == ()


@pytest.mark.parametrize(
    ("playbook", "detail"),
    [
        ("raise", "deployer odd raised KeyError: 'no such thing\\nand more'"),
        ("exit", "deployer odd ended without an outcome (exit 0)"),
        ("leave", "deployer odd raised SystemExit: bye"),
        ("nothing", "deployer: odd answered NoneType instead of Outcome"),
    ],
)
def test_a_deployer_that_ends_badly_is_an_error_and_never_silence(start, playbook, detail):
    outcome = outcome_of(start(playbook))

    assert (outcome.state, outcome.detail) == (RunState.ERROR, detail)
    assert outcome.seconds > 0


def test_a_deployer_that_says_garbage_is_an_error(start):
    outcome = outcome_of(start("garbage"))

    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith("deployment: said something that is no outcome")


def test_a_deployer_that_hangs_is_ended_after_its_time(start):
    outcome = outcome_of(start("hang", limits=Limits(deploy_seconds=0.2)))

    assert (outcome.state, outcome.detail) == (RunState.ERROR, "deployer odd did not end within 0 s; was killed")


def test_a_deployer_that_nobody_offers_is_named(start):
    assert outcome_of(start("look", deployer="helm")).detail == (
        "deployer: no enabled plugin offers 'helm' (offered: odd); enable it in server.toml"
    )


def test_a_hanging_deployer_ends_on_request(start):
    running = start("hang")
    running.terminate()

    assert outcome_of(running) == Outcome(
        RunState.CANCELED,
        seconds=running.outcome.seconds,
        detail="ended on request; deploy again to bring the hosts to one state",
    )


@pytest.mark.parametrize(
    ("entry", "detail"),
    [
        (("../out", 0o100644, b""), "../out: this path leaves the tree or names nothing; rename it"),
        (("/etc/x", 0o100644, b""), "/etc/x: this path leaves the tree or names nothing; rename it"),
        (("a//b", 0o100644, b""), "a//b: this path leaves the tree or names nothing; rename it"),
        (("out", 0o120000, b"../etc"), "out: this symlink leads out of the tree; point it at a file of the repository"),
        (("out", 0o120000, b"/etc"), "out: this symlink leads out of the tree; point it at a file of the repository"),
        (("d", 0o120000, b"b/../.."), "d: this symlink leads out of the tree; point it at a file of the repository"),
        (("sub", 0o160000, b""), "sub: a submodule cannot be deployed; put the files themselves into the repository"),
    ],
)  # fmt: skip
def test_what_cannot_be_deployed_is_refused_by_its_path(start, entry, detail):
    outcome = outcome_of(start("look", [("ok", 0o100644, b"x"), entry]))

    assert (outcome.state, outcome.detail) == (RunState.ERROR, detail)


def test_two_links_that_lead_out_together_are_refused(start):
    files = [("d/e/up", 0o120000, b"../.."), ("out", 0o120000, b"d/e/up/..")]

    assert outcome_of(start("look", files)).detail == (
        "out: this symlink leads out of the tree or in a circle; point it at a file of the repository"
    )


def test_a_file_below_a_link_is_refused(start):
    files = [("d/x", 0o100644, b""), ("a", 0o120000, b"d"), ("a/y", 0o100644, b"")]

    assert outcome_of(start("look", files)).detail == "a/y: lies below something that is no folder"


def test_a_large_tree_arrives_whole(start):
    files = [("ask", 0o100644, b"[]"), *((f"d{n % 50}/f{n}", 0o100644, b"x" * 5000) for n in range(1000))]
    outcome = outcome_of(start("look", files))

    assert outcome.state is RunState.SUCCESSFUL
    assert outcome.detail.count("x" * 5000) == 1000


def test_a_tree_whose_reader_breaks_leaves_no_box_behind(start):
    def files():
        yield "a", 0o100644, b""
        raise LookupError("the repository is gone")

    with pytest.raises(LookupError):
        start("look", files())

    mine = [one for one in living.list_living() if one.parent == os.getpid() and "bwrap" in one.argv[0]]
    assert mine == []


def test_a_missing_credential_is_an_error_with_words(start, tmp_path):
    outcome = outcome_of(start("look", key=tmp_path / "gone"))

    assert outcome.state is RunState.ERROR
    assert "bwrap: Can't find source path" in outcome.detail


def test_without_bubblewrap_nothing_runs_and_the_cure_is_told(start, monkeypatch, tmp_path):
    monkeypatch.setattr(launch_box, "SYSTEM_PATH", str(tmp_path))
    cure = "bubblewrap: not installed, and no deployment runs without it; run: apt-get install bubblewrap"

    assert outcome_of(start("look")) == Outcome(RunState.ERROR, detail=cure)
    assert probe() == cure


def test_the_probe_is_silent_where_deployments_can_be_confined():
    assert probe() == ""


def test_a_user_for_deployments_needs_sudo_or_is_refused_with_the_cure(monkeypatch, tmp_path):
    (tmp_path / "bwrap").symlink_to("/usr/bin/bwrap")
    monkeypatch.setattr(launch_box, "SYSTEM_PATH", str(tmp_path))

    assert probe("deploy") == "sudo: not installed, but deployments run as deploy; run: apt-get install sudo"


def test_a_run_without_an_id_has_no_programs() -> None:
    """Each program on the machine is without one: whoever ended those would end everything."""
    assert leftovers(["", ""]) == ()


def test_what_is_ended_while_it_starts_is_ended_with_its_other_half():
    """Bubblewrap's inner half is not tied to the outer one yet when that is killed within its first milliseconds."""
    started = Child(["sh", "-c", "sleep 60 & echo $!; wait"])
    select.select([started], [], [], 20)
    half = living.look_at(int(started.listen()[0]))
    started.close()

    assert half is not None
    assert living.wait_gone([half], 5) == ()


def test_what_is_killed_has_ended_though_its_other_half_holds_the_pipe():
    """Nobody else may wait for a box whose outermost program was killed: nothing in it would ever say a word."""
    started = Child(["sh", "-c", "sleep 60 & echo $!; wait"])
    select.select([started], [], [], 20)
    half = living.look_at(int(started.listen()[0]))
    os.kill(started.pid, signal.SIGKILL)

    assert half is not None and select.select([started], [], [], 20)[0]
    assert started.listen() == (b"", True)
    assert living.wait_gone([half], 5) == ()
    started.close()


def test_what_outlives_its_end_is_ended_and_the_outcome_stands(start):
    running = start("look", [("ask", 0o100644, b"[]")])
    words = (launch_box.MODULE, "--run-id", running.deployment.run_id)
    late = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *words], start_new_session=True)

    assert outcome_of(running).state is RunState.SUCCESSFUL
    assert living.look_at(late.pid) is None
