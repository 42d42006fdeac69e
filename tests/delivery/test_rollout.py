"""A rollout goes through its hosts in batches, and stops at the first bad one."""

from gitops_hooks.model.deployment import Progress, RunState
from gitops_hooks.model.rollout import Rollout, Share
from tests.delivery.conftest import SITE, details, listen_until, states

ONE_BY_ONE = (Share(1),)
FULL = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: disk
      command: test ! -e {{ root }}/full
      changed_when: false
"""


def greeted(world):
    return [host.read("motd") is not None for host in world.hosts]


def test_after_a_bad_batch_no_other_is_begun_and_its_hosts_say_so(world):
    world.tree["site.yml"] = FULL + SITE
    (world.hosts[0].root / "full").touch()

    outcome = world.deploy(rollout=Rollout((Share(1), Share(100, percent=True))))

    assert (outcome.state, outcome.detail) == (
        RunState.FAILED,
        "failed: web1; stopped after batch 1 of 2: 1 of its 1 hosts failed, and max_failed is 0; not begun: web2 web3",
    )
    assert states(outcome) == {"web1": "failed", "web2": "skipped", "web3": "skipped"}
    assert details(outcome)["web3"] == "nothing was run on it: the rollout stopped after batch 1 of 2"
    assert greeted(world) == [False, False, False]


def test_as_many_bad_hosts_as_are_allowed_do_not_stop_it_and_it_has_failed_all_the_same(world):
    world.tree["site.yml"] = FULL + SITE
    (world.hosts[0].root / "full").touch()

    outcome = world.deploy(rollout=Rollout(ONE_BY_ONE, Share(1)))

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "failed: web1")
    assert states(outcome) == {"web1": "failed", "web2": "changed", "web3": "changed"}
    assert greeted(world) == [False, True, True]


def test_each_batch_is_done_before_the_next_begins(world):
    running = world.start(rollout=Rollout((Share(1), Share(2))))
    words = listen_until(running, lambda word: not isinstance(word, Progress), 60.0)

    assert [word.task for word in words[:-1] if word.task.startswith("batch")] == [
        "batch 1 of 2: web1",
        "batch 2 of 2: web2 web3",
    ]
    begun = [index for index, word in enumerate(words[:-1]) if word.task.startswith("batch 2")]
    done = {step.host: index for index, word in enumerate(words[:-1]) for step in word.steps}
    assert done["web1"] < begun[0] < min(done["web2"], done["web3"])
    assert states(words[-1]) == dict.fromkeys(("web1", "web2", "web3"), "changed")


def test_a_host_that_is_down_from_the_start_is_left_out_and_stops_nobody(world):
    world.hosts[0].sshd.pause()

    outcome = world.deploy(rollout=Rollout(ONE_BY_ONE))

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "unreachable: web1")
    assert states(outcome) == {"web1": "unreachable", "web2": "changed", "web3": "changed"}


def test_a_task_may_be_delegated_to_a_host_of_a_batch_that_has_not_begun(world):
    told = SITE + "    - {name: told, command: 'touch {{ hostvars.web3.root }}/told', delegate_to: web3}\n"
    world.tree["site.yml"] = told

    assert world.deploy(rollout=Rollout(ONE_BY_ONE)).state is RunState.SUCCESSFUL
    assert world.hosts[2].read("told") == ""
