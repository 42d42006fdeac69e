"""A plan runs the tree in check mode as whom the server's file names, and tells what would change on each host."""

import getpass
import socket

import paramiko
import pytest

from gitops_hooks.edge import door
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.plan_found import HostPlan, Prospect
from gitops_hooks.model.server import PluginLists
from tests.delivery.conftest import run_name, states

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"
PAGE = """\
    - name: page
      template: {src: page.j2, dest: "{{ root }}/page", mode: "0644"}
"""


def test_it_tells_what_would_change_changes_nothing_and_is_the_same_again(world):
    world.hosts[2].sshd.pause()
    world.tree["site.yml"] = HEAD + PAGE
    world.tree["templates/page.j2"] = "for {{ inventory_hostname }}\n"
    (world.hosts[1].root / "page").write_text("for web2\n")
    first, outcome = world.plan(generation=3)
    assert outcome.state is RunState.SUCCESSFUL, outcome
    one, two, lost = first.hosts
    assert (one.name, one.prospect, one.more, one.withheld) == ("web1", Prospect.CHANGES, 0, 0)
    (difference,) = one.differences
    assert (difference.place, difference.task) == ("site.yml:4", "page")
    assert difference.text == "--- before\n+++ page.j2\n@@ -0,0 +1 @@\n+for web1"
    assert (two.prospect, two.differences) == (Prospect.UNCHANGED, ())
    assert lost.prospect is Prospect.UNKNOWN and "does not answer" in lost.detail
    assert (world.hosts[0].read("page"), world.hosts[1].read("page")) == (None, "for web2\n")
    assert world.plan(generation=3)[0] == first
    # It has left no generation behind.
    assert states(world.deploy(generation=2))["web1"] == "changed"


def test_it_goes_to_the_hosts_of_the_reach_only(world):
    found, _ = world.plan(hosts=("web2",))
    assert [host.name for host in found.hosts] == ["web2"]
    found, _ = world.plan(hosts=("web9",))
    assert (found.hosts, found.detail) == ((), "no play means any of the hosts that are to be looked at")


def test_it_logs_in_as_the_servers_file_says_and_becomes_nobody_else(world):
    found, _ = world.plan(user="nobody-here", hosts=("web1",))
    assert found.hosts[0].prospect is Prospect.UNKNOWN
    assert "refuses the login of nobody-here" in found.hosts[0].detail
    world.tree["site.yml"] = HEAD + (
        "    - name: who\n      command: id -un\n      check_mode: false\n      register: who\n"
        "      become: true\n      become_method: ansible.builtin.sudo\n      become_user: daemon\n"
        "    - name: tell\n      debug: {msg: here}\n"
        f"      changed_when: who.stdout == '{getpass.getuser()}'\n"
    )
    (host,) = world.plan(hosts=("web1",), user=getpass.getuser())[0].hosts
    assert "tell" in [one.task for one in host.differences], host


def test_what_a_secret_may_stand_in_is_withheld_and_counted(world):
    secret = world.key.read_text().splitlines()[2]
    world.tree["site.yml"] = HEAD + f"    - copy: {{content: '{secret}', dest: '{{{{ root }}}}/f', mode: '0600'}}\n"
    (host,) = world.plan(hosts=("web1",))[0].hosts
    withheld = "its output is withheld, since it carries a credential"
    expected = HostPlan("web1", Prospect.CHANGES, (Difference("site.yml:4", "copy", withheld),), withheld=1)
    assert host == expected
    assert secret not in str(host)


def test_a_host_that_was_not_looked_at_to_the_end_is_unknown_with_what_was_found(world):
    world.tree["templates/page.j2"] = "new\n"
    world.tree["site.yml"] = HEAD + PAGE + "    - fail: {msg: here}\n"
    (host,) = world.plan(hosts=("web1",))[0].hosts
    assert (host.prospect, len(host.differences)) == (Prospect.UNKNOWN, 1)
    assert host.detail.endswith("here")


PLUGIN = """\
from gitops_hooks.plugin import Deployer, hookimpl

def odd(*_):
    return "fine"

@hookimpl
def gitops_deployers():
    return [Deployer("blind", "", odd), Deployer("odd", "", odd, plan=odd)]
"""


@pytest.mark.parametrize(
    ("deployer", "words"),
    [
        ("blind", "deployer: blind cannot tell what a change would do"),
        ("odd", "deployer: odd answered str instead of Plan"),
    ],
)
def test_a_deployer_that_cannot_plan_or_answers_something_else_ends_in_an_error(world, monkeypatch, deployer, words):
    (world.folder / "odd_plans.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(world.folder))
    lists = PluginLists(trusted=("odd_plans",))
    found, outcome = world.plan(plugins=lists, deployer=deployer, run_id=run_name(90))
    assert found is None and (outcome.state, outcome.detail) == (RunState.ERROR, words)


def test_nothing_is_reached_but_hosts_whose_keys_are_pinned(world):
    """A lookup of the tree runs on the deployer, and finds no network there."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        world.tree["site.yml"] = HEAD + (
            "    - name: tell\n      debug: {msg: here}\n"
            f"      changed_when: lookup('url', '{url}', errors='ignore') == 'never'\n"
            "    - name: ask\n"
            f"      debug: {{msg: \"{{{{ lookup('url', '{url}') }}}}\"}}\n"
        )
        found, _ = world.plan(hosts=("web1",))
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert (found.hosts[0].prospect, "Connection refused" in found.hosts[0].detail) == (Prospect.UNKNOWN, True), found
    lines = world.known_hosts.read_text().splitlines()
    world.known_hosts.write_text("\n".join(lines[1:]) + "\n")
    (host,) = world.plan(hosts=("web1",))[0].hosts
    assert "no key of" in host.detail and "is pinned, and nothing else is reached" in host.detail


def test_a_door_that_was_killed_leaves_nothing_for_long(world, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    left, kept = tmp_path / "gitops-door-left", tmp_path / "gitops-door-kept"
    for folder in (left, kept):
        folder.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(folder / "socket"))
    (kept / "socket").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(kept / "socket"))
        listening.listen()
        door.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("gitops-door-*")) == ["gitops-door-kept"]


@pytest.mark.parametrize(
    ("line", "pinned"),
    [
        ("10.0.0.5 ssh-ed25519 AAAA", True),
        ("db1,10.0.0.5 ssh-ed25519 AAAA", True),
        ("[10.0.0.5]:22 ssh-ed25519 AAAA", False),
        ("10.0.0.* ssh-ed25519 AAAA", False),
        ("#10.0.0.5 ssh-ed25519 AAAA", False),
        ("@cert-authority 10.0.0.5 ssh-ed25519 AAAA", False),
        ("@revoked 10.0.0.5 ssh-ed25519 AAAA", False),
        ("10.0.0.50 ssh-ed25519 AAAA", False),
        ("|1|broken ssh-ed25519 AAAA", False),
        ("hash of 10.0.0.5", True),
        ("hash of 10.0.0.6", False),
    ],
)
def test_the_door_leads_to_exactly_what_is_pinned(line, pinned):
    if line.startswith("hash of "):
        line = f"{paramiko.HostKeys.hash_host(line.removeprefix('hash of '))} ssh-ed25519 AAAA"
    assert door.is_pinned(f"other ssh-rsa AAAA\n{line}\n", "10.0.0.5", 22) is pinned
    assert not door.is_pinned(line, "10.0.0.5", 2222)
    assert door.is_pinned("[DB1]:2222 ssh-ed25519 AAAA", "db1", 2222)
