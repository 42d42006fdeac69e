"""A newer release is installed while somebody pushes: that push ends as it began, the next one meets the new one."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.answers import Result
from tests.machine.machine import Machine
from tests.machine.server import HOME, Server, install
from tests.waiting import wait_until

WAITS = """\
#!/bin/sh
# What the client says comes only once it is told to go on.
( while [ ! -e {folder}/go ]; do sleep 0.1; done; exec cat ) | {ssh} "$@"
"""
REFUSES = (
    "def main(protocol_in: int, protocol_out: int) -> bool:\n    print('the newer release says no')\n    return False\n"
)


def newer_checkout(machine: Machine, name: str) -> Path:
    """A checkout of a release that refuses every push."""
    folder = Path("/srv") / name
    machine.run("mkdir", str(folder)).must()
    kept = "cd /srv/checkout && tar -c --exclude=.venv --exclude=.git --exclude=tests . | tar -x -C"
    machine.run("sh", "-c", f"{kept} {folder}").must()
    machine.write(f"{folder}/gitops_hooks/__init__.py", f'"""Newer."""\n\n__version__ = "{name}"\n')
    machine.write(f"{folder}/gitops_hooks/entry/pre_receive.py", REFUSES)
    return folder


def releases(machine: Machine) -> set[str]:
    return {name.partition("-")[0] for name in machine.run("ls", "/opt/gitops-hooks/releases").must().out.split()}


def slow_push(server: Server, *words: str) -> "subprocess.Popen[bytes]":
    # Under its own name git would ask it first which kind of ssh it is.
    script = server.folder / "slow" / "ssh"
    script.parent.mkdir()
    script.write_text(WAITS.format(folder=server.folder, ssh=server.person("alice") / "bin/ssh"))
    script.chmod(0o755)
    environment = {**server.environment("alice"), "GIT_SSH_COMMAND": str(script)}
    return subprocess.Popen(
        ["git", *words],
        cwd=server.person("alice") / "site",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_a_push_across_two_upgrades_stays_with_its_release(server: Server) -> None:
    machine = server.on_it
    server.start_over("alice")
    server.commit("alice", {"a.yml": "a: 1\n"})
    # Two installations, in the middle of it.
    machine.run("sed", "-i", "s/^\\[limits\\]$/&\\npush_seconds = 3600/", f"{HOME}/server.toml").must()
    push = slow_push(server, "push", "origin", "HEAD:refs/for/main")
    try:
        wait_until(lambda: "receive-pack" in machine.run("ps", "-e", "-o", "args").out)
        (first,) = releases(machine)
        install(machine, checkout=newer_checkout(machine, "8.0")).must()
        said = install(machine, checkout=newer_checkout(machine, "9.0")).must().out
        assert "install: keeping /opt/gitops-hooks/releases/" in said
        assert releases(machine) == {first, "8.0", "9.0"}
        (server.folder / "go").touch()
        out, err = push.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(push.pid, signal.SIGKILL)
        push.wait()
    done = Result(push.returncode, out.decode(), err.decode())
    assert done.must().remote_lines[0] == "gitops: change 1, revision 1 for main"
    # Whoever comes now meets the release that is installed.
    refused = server.propose("alice", {"b.yml": "b: 1\n"})
    assert "the newer release says no" in refused.remote_lines
    # And with the next installation the one that nobody runs any more goes.
    wait_until(lambda: first not in machine.run("ps", "-e", "-o", "args").out)
    install(machine, checkout=Path("/srv/9.0")).must()
    assert first not in releases(machine)
    assert machine.run("grep", "-c", "NOPASSWD", "/etc/sudoers.d/gitops-hooks").out == "2\n"


def test_doctor_tells_of_older_releases_and_of_a_reconciler_that_runs_from_one(server: Server) -> None:
    machine = server.on_it
    machine.run_as("git", f"{HOME}/bin/gitops-reconcile", "--ensure").must()
    wait_until(lambda: machine.run("test", "-s", f"{HOME}/run/reconcile.pid").code == 0)
    # Laid, but the reconciler that runs is not ended, as an installation that is cut off leaves it.
    stops = "sed -i 's/^keep_alive_for_machine() {/&\\n    return 0/' install/alive.sh"
    newer = newer_checkout(machine, "8.0")
    machine.run("sh", "-c", f"cd {newer} && {stops}").must()
    install(machine, checkout=newer).must()
    lines = server.admin("doctor").out.splitlines()
    assert [line for line in lines if line.startswith("note  releases: ")] == [
        f"note  releases: {name} is kept beside this one" for name in sorted(_older(machine))
    ]
    assert [line for line in lines if "runs from another release" in line] == [
        "FAIL  reconciler: the one that runs runs from another release"
    ]
    server.admin("reconcile", "--stop").must()
    assert "runs from another release" not in server.admin("doctor").out


def _older(machine: Machine) -> list[str]:
    names = machine.run("ls", "/opt/gitops-hooks/releases").must().out.split()
    return [name for name in names if not name.startswith("8.0")]
