"""Nothing of a repository runs on the controller, and no variable of it loosens whom we trust."""

import subprocess
import sys
from pathlib import Path

import pytest

from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import SITE, details, states
from tests.waiting import wait_until

LOOSE = (
    "ansible_host_key_checking: false",
    "ansible_ssh_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
    "ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
    "ansible_connection: local",
)


def vaulted(world, text):
    """A file that no check can look into, readable for this environment."""
    if world.vault_password is None:
        world.vault_password = world.folder / "vault_password"
        world.vault_password.write_text("correct horse battery\n")
    command = [str(Path(sys.executable).parent / "ansible-vault"), "encrypt", "--output", "-", "-"]
    done = subprocess.run(
        [*command, "--vault-password-file", world.vault_password],
        input=text.encode(),
        capture_output=True,
        check=True,
        timeout=30,
        env={"PATH": "/usr/bin:/bin", "HOME": str(world.folder), "LANG": "C.UTF-8"},
    )
    return done.stdout.decode()


@pytest.mark.parametrize("line", LOOSE)
def test_a_loosening_inventory_variable_is_refused_before_anything_runs(world, line):
    name, value = line.split(": ", 1)
    world.write_inventory(f'{name}="{value}"')

    outcome = world.deploy()

    assert outcome.state is RunState.ERROR
    assert name in outcome.detail and "inventory:1:" in outcome.detail
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (r'ansible_host: "127.0.0.1\0"', "ansible_host of web1 must be one word and not begin with '-'"),
        (r'ansible_host: "127.0.0.1 -oX"', "ansible_host of web1 must be one word and not begin with '-'"),
        ("ansible_user: -oProxyCommand=x", "ansible_user of web1 must be one word and not begin with '-'"),
        ("ansible_port: 70000", "ansible_port of web1 is no port"),
        ("ansible_port: true", "ansible_port of web1 must be written as a plain value"),
        ("ansible_host: \"{{ lookup('env', 'HOME') }}\"", "ansible_host of web1 must be written as a plain value"),
    ],
)
def test_how_a_host_is_reached_is_one_plain_word_or_nothing_runs(world, line, fault):
    world.tree["host_vars/web1.yml"] = f"{line}\n"

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.ERROR, f"inventory: {fault}")
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


@pytest.mark.parametrize("line", LOOSE)
def test_and_so_is_one_that_comes_out_of_a_vaulted_file(world, line):
    world.tree["group_vars/all.yml"] = vaulted(world, line + "\n")

    outcome = world.deploy()

    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith(f"inventory: {line.split(':')[0]} changes how web1 is reached; only ansible_host")
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


def test_one_that_a_play_loads_at_run_time_changes_nothing(world):
    """The key changes after the preflight: every later connection must fail, whatever the play's variables say."""
    world.tree["loose.yml"] = vaulted(world, "".join(line + "\n" for line in LOOSE))
    world.granted = ("web1",)
    waiting = (
        "    - name: wait\n      shell: touch {{ root }}/here; while [ ! -e {{ root }}/go ]; do sleep 0.05; done\n"
    )
    world.tree["site.yml"] = SITE.replace("hosts: all", "hosts: web1").replace(
        "  tasks:\n", "  vars_files: [loose.yml]\n  tasks:\n" + waiting
    )
    host = world.hosts[0]
    running = world.start()
    wait_until(lambda: (host.root / "here").exists())

    host.sshd.rotate_host_key()
    outcome = running.wait(30)

    assert outcome.state is RunState.FAILED
    assert states(outcome) == {"web1": "unreachable"}
    assert host.read("motd") is None


def test_a_connection_on_the_controller_is_not_made_at_run_time_either(world):
    world.tree["loose.yml"] = vaulted(world, "ansible_connection: local\n")
    world.tree["site.yml"] = SITE.replace("  tasks:\n", "  vars_files: [loose.yml]\n  tasks:\n")

    # On the controller the hosts' folders do not exist.
    assert world.deploy().state is RunState.SUCCESSFUL
    assert world.hosts[0].read("motd") == "hello from web1\n"


def test_a_task_delegated_to_the_controller_runs_nowhere(world):
    world.tree["vars.yml"] = vaulted(world, "place: localhost\n")
    world.tree["site.yml"] = SITE.replace("  tasks:\n", "  vars_files: [vars.yml]\n  tasks:\n") + (
        '      delegate_to: "{{ place }}"\n'
    )

    outcome = world.deploy()

    assert details(outcome)["web1"] == "site.yml:5: greet: nothing runs here but on hosts of the inventory"
    assert states(outcome) == {"web1": "failed", "web2": "failed", "web3": "failed"}
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


ADDED = '    - name: add\n      add_host: {name: elsewhere, root: "{{ root }}"}\n'


@pytest.mark.parametrize(("place", "before"), [("nowhere.example", ""), ("elsewhere", ADDED)])
def test_a_task_delegated_to_a_host_that_the_inventory_does_not_name_runs_nowhere(world, place, before):
    world.tree["site.yml"] = SITE.replace("  tasks:\n", f"  tasks:\n{before}") + f"      delegate_to: {place}\n"

    outcome = world.deploy()

    assert "nothing runs here but on hosts of the inventory" in details(outcome)["web1"]
    assert states(outcome) == {"web1": "failed", "web2": "failed", "web3": "failed"}
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


@pytest.mark.parametrize(
    "asked",
    [
        "{{ lookup('pipe', command) }}",
        "{{ query('ansible.builtin.lines', command) }}",
        "{{ q('ansible.legacy.pipe', command) }}",
    ],
)
@pytest.mark.parametrize("place", ["vaulted", "of any ending"])
def test_a_lookup_that_runs_a_command_runs_none_wherever_it_stands(world, asked, place):
    words = f'command: echo it ran here\nsaid: "{asked}"\n'
    world.tree["vars.txt"] = vaulted(world, words) if place == "vaulted" else words
    world.granted = ("web1",)
    site = (
        SITE.replace("hosts: all", "hosts: web1")
        .replace("hello", "{{ said }} hello")
        .replace("line: {{", "line: it {{")
    )
    world.tree["site.yml"] = site.replace("  tasks:\n", "  vars_files: [vars.txt]\n  tasks:\n")

    outcome = world.deploy()

    assert (outcome.state, states(outcome)) == (RunState.FAILED, {"web1": "failed"})
    why = "its output is withheld" if place == "vaulted" else "runs a command on the controller; use a task on the host"
    assert why in details(outcome)["web1"]
    assert world.hosts[0].read("motd") is None


def test_and_neither_does_a_loop_over_one_in_tasks_of_any_ending(world):
    world.tree["more.txt"] = "- debug: msg={{ item }}\n  with_lines: echo it ran here\n"
    world.tree["site.yml"] = SITE + "    - include_tasks: more.txt\n"

    assert world.deploy().state is RunState.FAILED
    assert world.hosts[0].read("motd") == "hello from web1\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("callback_plugins/spy.py", "files in callback_plugins/ run on the controller"),
        ("roles/web/library/spy.py", "files in library/ run on the controller"),
        ("ansible.cfg", "configures the controller; remove it"),
    ],
)
def test_files_that_would_run_on_the_controller_are_named_and_nothing_runs(world, path, words):
    world.tree[path] = "import os\n"

    outcome = world.deploy()

    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith(f"{path}:0: {words}")
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


SHOUT = "class FilterModule:\n    def filters(self):\n        return {'shout': lambda text: text.upper()}\n"


def test_a_plugin_that_the_policy_allows_runs_and_nothing_beside_it(world):
    world.tree["filter_plugins/shout.py"] = SHOUT
    world.tree["site.yml"] = SITE.replace("{{ inventory_hostname }}", "{{ inventory_hostname | shout }}")
    allowed = (("filter_plugins/*.py",), ("filter_plugins/**", "roles/*/library/**"))

    assert world.deploy(allowed=allowed).state is RunState.SUCCESSFUL
    assert world.hosts[0].read("motd") == "hello from WEB1\n"

    for path, content in (
        ("roles/web/library/spy.py", SHOUT),
        ("filter_plugins/more/ansible.cfg", "[defaults]\n"),
        ("filter_plugins/linked.py", (0o120000, b"../page")),
    ):
        world.tree[path] = content
        outcome = world.deploy(allowed=allowed)
        assert outcome.state is RunState.ERROR and outcome.detail.startswith(f"{path}:0: ")
        del world.tree[path]
