"""A failed task is told with its place and its words; what may carry a secret is withheld whole."""

from gitops_hooks.model.deployment import Outcome, Progress, RunState
from tests.delivery.conftest import SITE, details, listen_until, states
from tests.delivery.test_controller_is_closed import vaulted

BREAK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: break on one
      command: sh -c 'echo the disk is full >&2; exit 3'
      when: inventory_hostname == 'web2'
"""


def test_a_failing_task_is_named_with_path_line_and_words(world):
    world.tree["site.yml"] = BREAK

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "failed: web2")
    assert states(outcome) == {"web1": "ok", "web2": "failed", "web3": "ok"}
    assert details(outcome)["web2"] == "site.yml:4: break on one: non-zero return code | the disk is full"


def test_a_failure_in_a_role_names_the_role_s_file(world):
    world.tree["roles/web/tasks/main.yml"] = "- name: look\n  command: 'false'\n"
    world.tree["site.yml"] = "- hosts: web1\n  gather_facts: false\n  roles: [web]\n"

    assert details(world.deploy())["web1"] == "roles/web/tasks/main.yml:1: look: non-zero return code"


def test_no_log_withholds_the_words_and_keeps_the_place(world):
    world.tree["site.yml"] = BREAK + "      no_log: true\n"

    assert details(world.deploy())["web2"] == "site.yml:4: break on one: its output is withheld (no_log)"


def test_with_vault_values_in_the_tree_words_and_made_up_names_are_withheld(world):
    world.tree["group_vars/all.yml"] = vaulted(world, "password: plum-tree\n")
    world.tree["site.yml"] = BREAK.replace("break on one", "say {{ password }}").replace(
        "the disk is full", "{{ password }}"
    )

    words = listen_until(world.start(), lambda word: isinstance(word, Outcome))

    assert details(words[-1])["web2"] == ("site.yml:4: its output is withheld, since this environment has vault values")
    assert "plum" not in repr(words)


def test_a_credential_in_a_message_withholds_the_message(world):
    body = world.key.read_text().splitlines()[2]
    world.tree["site.yml"] = BREAK.replace("the disk is full", body)

    assert details(world.deploy())["web2"] == (
        "site.yml:4: break on one: its output is withheld, since it carries a credential"
    )


def test_long_words_are_cut(world):
    world.tree["site.yml"] = BREAK.replace("the disk is full", "x" * 3000)

    assert len(details(world.deploy())["web2"]) < 600


def test_a_play_that_ends_the_run_leaves_the_others_skipped(world):
    world.tree["site.yml"] = (
        "- hosts: web1\n  gather_facts: false\n  any_errors_fatal: true\n  tasks:\n    - command: 'false'\n"
        + SITE.replace("hosts: all", "hosts: web2:web3")
    )

    outcome = world.deploy()

    assert states(outcome) == {"web1": "failed", "web2": "skipped", "web3": "skipped"}
    assert details(outcome)["web2"] == "no task was run on it: an earlier play ended the run"


def test_tasks_are_told_as_they_come(world):
    words = listen_until(world.start(), lambda word: isinstance(word, Outcome))

    assert words[:2] == [Progress(hosts=("web1", "web2", "web3")), Progress(task="greet")]
    assert words[-1].state is RunState.SUCCESSFUL
