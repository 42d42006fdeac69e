"""While a run works, no secret stands in an argument, an environment or a file that outlives it."""

import os
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.launch import leftovers
from gitops_hooks.model.deployment import HostState, Outcome, Progress, RunState
from tests.delivery.conftest import listen_until, run_name
from tests.delivery.test_controller_is_closed import vaulted
from tests.waiting import wait_until

WORK = """\
- hosts: web1
  gather_facts: false
  tasks:
    - name: "greet {{ password }}"
      shell: "echo {{ password }}; touch {{ root }}/here; while [ ! -e {{ root }}/go ]; do sleep 0.05; done"
      args: {executable: /bin/sh}
    - command: sh -c 'exit 3'
"""


def controller_programs(run_id):
    tops = leftovers([run_id])
    return {one.pid: one for top in tops for one in (top, *living.descendants(top.pid))}.values()


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_no_secret_in_arguments_environments_or_artifacts(world, monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "plum-tree-from-outside")
    world.tree["group_vars/all.yml"] = vaulted(world, "password: plum-tree\n")
    world.tree["site.yml"] = WORK
    secrets = ["plum-tree", "correct horse battery", world.key.read_text().splitlines()[2]]
    running = world.start()
    wait_until(lambda: (world.hosts[0].root / "here").exists())

    programs = controller_programs(run_name(1))
    assert len(programs) > 5
    for one in programs:
        shown = " ".join(one.argv) + (Path("/proc") / str(one.pid) / "environ").read_text(errors="replace")
        assert [secret for secret in secrets if secret in shown] == []

    inside = Path("/proc") / str(max(programs, key=lambda one: one.started).pid) / "root"
    found = {
        str(path.relative_to(inside / "run/deployment"))
        for path in files_below(inside / "run/deployment")
        if any(secret in path.read_text(errors="replace") for secret in secrets)
    }
    assert found == {"scratch/pinned/key", "scratch/pinned/vault_password"}
    assert (inside / "run/deployment").stat().st_mode & 0o777 == 0o700

    (world.hosts[0].root / "go").touch()
    words = listen_until(running, lambda word: isinstance(word, Outcome))
    assert words[-1].state is RunState.FAILED
    steps = [step for word in words if isinstance(word, Progress) for step in word.steps]
    assert [(step.state, step.place) for step in steps] == [
        (HostState.CHANGED, "site.yml:4"),
        (HostState.FAILED, "site.yml:7"),
    ]
    assert [secret for secret in secrets if secret in repr(words)] == []


def test_the_environment_inside_is_an_allow_list(world):
    os.environ["GIT_DIR"] = "/nowhere"
    try:
        running = world.start()
        wait_until(lambda: any("ansible-playbook" in " ".join(one.argv) for one in controller_programs(run_name(1))))
        runner = next(one for one in controller_programs(run_name(1)) if "ansible-playbook" in " ".join(one.argv))
        text = (Path("/proc") / str(runner.pid) / "environ").read_text(errors="replace")
    finally:
        del os.environ["GIT_DIR"]
    names = {word.partition("=")[0] for word in text.split("\0") if word}
    foreign = {name for name in names if not name.startswith(("ANSIBLE_", "AWX_", "RUNNER_"))}
    assert foreign <= {"PATH", "LANG", "HOME", "TMPDIR", "PWD"}
    assert running.wait(30).state is RunState.SUCCESSFUL
