"""A look says how hosts differ from what was deployed, changes nothing, and never stands before a deployment."""

import pytest

from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.drift import Difference, Sync
from gitops_hooks.model.server import PluginLists
from tests.delivery.conftest import run_name, states
from tests.delivery.test_controller_is_closed import vaulted

FILES = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: greet
      copy: {content: "hello\\n", dest: "{{ root }}/motd", mode: "0644"}
    - command: touch {{ root }}/ran
    - name: mode
      file: {path: "{{ root }}/motd", mode: "0644"}
"""

pytestmark = pytest.mark.timeout(300)


def test_each_host_is_told_with_what_would_change_and_nothing_does(world):
    world.tree["site.yml"] = FILES
    assert world.deploy(generation=5).state is RunState.SUCCESSFUL
    one, two, three = world.hosts
    (one.root / "motd").write_text("by hand\x1b[2J\n")
    (two.root / "motd").chmod(0o600)
    (two.root / "ran").unlink()
    three.sshd.pause()
    found, outcome = world.look(generation=5, run_id=run_name(50))
    assert outcome.state is RunState.SUCCESSFUL
    changed, mode, lost = found.hosts
    assert (changed.name, changed.sync, changed.more) == ("web1", Sync.OUT, 0)
    (difference,) = changed.differences
    assert (difference.place, difference.task) == ("site.yml:4", "greet")
    assert difference.text.splitlines()[2:] == ["@@ -1 +1 @@", "-by hand\x1b[2J", "+hello"]
    # Two tasks would set the mode; check mode does not know that the first would have.
    assert {(each.place, each.task) for each in mode.differences} == {("site.yml:4", "greet"), ("site.yml:7", "mode")}
    assert '-  "mode": "0600"' in mode.differences[1].text.replace(' "', ' "').replace("-   ", "-  ") or (
        "0600" in mode.differences[1].text
    )
    assert (lost.name, lost.sync) == ("web3", Sync.UNKNOWN)
    assert "does not answer" in lost.detail
    assert (one.read("motd"), two.read("ran")) == ("by hand\x1b[2J\n", None)


def test_a_look_leaves_the_generation_on_the_host_and_an_older_one_finds_it_closed(world):
    assert world.deploy(generation=5).state is RunState.SUCCESSFUL
    assert {host.sync for host in world.look(generation=5, run_id=run_name(51))[0].hosts} == {Sync.SYNCED}
    assert {host.sync for host in world.look(generation=7, run_id=run_name(71))[0].hosts} == {Sync.SYNCED}
    # A look of seven has left no seven behind, and whoever deployed five may do so again.
    assert set(states(world.deploy(generation=6)).values()) == {"ok"}
    late = world.look(generation=5, run_id=run_name(52))[0].hosts[0]
    assert late.sync is Sync.UNKNOWN and "generation 5 is older than what web1 has already seen" in late.detail


def test_what_a_vault_value_may_stand_in_is_withheld_whole(world):
    world.tree["group_vars/all.yml"] = vaulted(world, "password: plum-tree\n")
    world.tree["site.yml"] = FILES.replace("hello\\n", "{{ password }}\\n")
    found, _ = world.look()
    withheld = "its output is withheld, since this environment has vault values"
    assert found.hosts[0].differences[0] == Difference("site.yml:4", "greet", withheld)
    assert "plum-tree" not in str(found)


def test_the_key_of_the_environment_is_withheld_and_so_is_what_says_no_log(world):
    secret = world.key.read_text().splitlines()[2]
    world.tree["site.yml"] = FILES.replace("hello\\n", secret + "\\n")
    found, _ = world.look()
    assert found.hosts[0].differences[0].text == "its output is withheld, since it carries a credential"
    world.tree["site.yml"] = FILES.replace("- name: greet", "- name: greet\n      no_log: true")
    found, _ = world.look()
    # Ansible itself does not say of such a task that it would change anything; only the sum does.
    assert (found.hosts[0].sync, found.hosts[0].differences, found.hosts[0].more) == (Sync.OUT, (), 1)


def test_differences_are_bounded_and_what_fails_after_them_leaves_the_host_out_of_sync(world):
    world.granted = ("web1",)
    world.tree["inventory"] = world.hosts[0].inventory_line() + "\n"
    long = f"    - copy: {{content: {'x' * 9000}, dest: '{{{{ root }}}}/f'}}\n"
    many = "    - {debug: {msg: here}, changed_when: true}\n" * 25
    head = FILES.split("    - name")[0]
    world.tree["site.yml"] = head + long + many + "    - fail: {msg: here}\n"
    (host,) = world.look()[0].hosts
    assert (host.sync, len(host.differences), host.more) == (Sync.OUT, 20, 6), host.detail
    assert host.detail.endswith("here")
    assert all(len(each.text) < 4100 for each in host.differences)
    assert host.differences[0].text.endswith("\n… the rest is too long to be kept")
    world.tree["site.yml"] = head + "    - fail: {msg: here}\n"
    (host,) = world.look()[0].hosts
    assert (host.sync, host.differences) == (Sync.UNKNOWN, ())


def test_where_nothing_can_be_looked_at_it_says_why(world):
    world.playbook = "nowhere.yml"
    found, _ = world.look()
    assert found.hosts == () and "playbook nowhere.yml is not in the repository" in found.detail


PLUGIN = """\
from gitops_hooks.plugin import Deployer, hookimpl

def odd(*_):
    return "fine"

@hookimpl
def gitops_deployers():
    return [Deployer("blind", "", odd), Deployer("odd", "", odd, drift=odd)]
"""


@pytest.mark.parametrize(
    ("deployer", "words"),
    [
        ("blind", "deployer: blind cannot tell how hosts differ from what was deployed"),
        ("odd", "deployer: odd answered str instead of Drift"),
    ],
)
def test_a_deployer_that_cannot_look_or_answers_something_else_ends_in_an_error(world, monkeypatch, deployer, words):
    (world.folder / "odd_looks.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(world.folder))
    found, outcome = world.look(plugins=PluginLists(trusted=("odd_looks",)), deployer=deployer)
    assert found is None and (outcome.state, outcome.detail) == (RunState.ERROR, words)
