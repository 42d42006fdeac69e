"""After each batch its hosts are asked whether they are well, and one that is not stops the rollout."""

from gitops_hooks.model.deployment import Progress, RunState
from gitops_hooks.model.rollout import HealthCheck, HealthKind, Rollout, Share
from tests.delivery.conftest import details, listen_until, states

ONE_BY_ONE = (Share(1),)
# What a command finds: the home is each host's own.
WELL = HealthCheck(HealthKind.COMMAND, "test ! -e ~/sick || { echo it\\'s sick; exit 3; }", retries=0)
HEALTH = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: sick
      command: test ! -e {{ root }}/sick
      changed_when: false
"""


def greeted(world):
    return [host.read("motd") is not None for host in world.hosts]


def test_a_host_that_is_not_well_stops_the_rollout(world):
    (world.hosts[1].home / "sick").touch()

    running = world.start(rollout=Rollout(ONE_BY_ONE, health=(WELL,)))
    words = listen_until(running, lambda word: not isinstance(word, Progress), 60.0)

    outcome = words[-1]
    assert states(outcome) == {"web1": "changed", "web2": "failed", "web3": "skipped"}
    assert details(outcome)["web2"] == f"health {WELL}: exit 3: it's sick"
    assert outcome.detail == (
        "failed: web2; stopped after batch 2 of 3: 1 of its 1 hosts failed, and max_failed is 0; not begun: web3"
    )
    assert greeted(world) == [True, True, False]
    steps = [step for word in words[:-1] for step in word.steps if step.task == f"health {WELL}"]
    assert [(step.host, step.state.value, step.detail) for step in steps] == [
        ("web1", "ok", ""),
        ("web2", "failed", "exit 3: it's sick"),
    ]


def test_a_host_that_gets_well_in_time_is_well_and_a_command_that_hangs_is_ended(world):
    later = "test -e ~/tried || { touch ~/tried; exit 1; }"
    slow = HealthCheck(HealthKind.COMMAND, "test ! -e ~/slow || sleep 300", timeout=5, retries=0)
    (world.hosts[2].home / "slow").touch()
    health = (HealthCheck(HealthKind.COMMAND, later, retries=1, delay=0), slow)

    outcome = world.deploy(rollout=Rollout(health=health))

    assert states(outcome) == {"web1": "changed", "web2": "changed", "web3": "failed"}
    assert details(outcome)["web3"] == f"health {slow}: no answer in time"
    # Nothing is left there that would keep the next run out.
    (world.hosts[2].home / "slow").unlink()
    assert world.deploy(rollout=Rollout(health=health)).state is RunState.SUCCESSFUL


def test_a_playbook_may_ask_and_only_the_sick_are_asked_again(world):
    world.tree["health.yml"] = HEALTH
    (world.hosts[0].root / "sick").touch()
    asks = HealthCheck(HealthKind.PLAYBOOK, "health.yml", retries=1, delay=0, timeout=60)

    outcome = world.deploy(rollout=Rollout(health=(asks,)))

    assert states(outcome) == {"web1": "failed", "web2": "changed", "web3": "changed"}
    assert details(outcome)["web1"] == "health playbook health.yml: health.yml:4: sick: non-zero return code (2 tries)"
    assert outcome.detail == "failed: web1"


def test_a_playbook_that_is_not_there_ends_it_before_anything_runs(world):
    outcome = world.deploy(rollout=Rollout(health=(HealthCheck(HealthKind.PLAYBOOK, "other.yml"),)))

    assert (outcome.state, outcome.detail) == (
        RunState.ERROR,
        "the playbook of health other.yml is not in the repository; correct the environment's entry in the policy",
    )
    assert greeted(world) == [False, False, False]


def test_what_a_host_says_of_its_health_is_withheld_where_it_carries_a_credential(world):
    world.vault_password = world.folder / "vault"
    world.vault_password.write_text("the-vault-password\n")
    for host in world.hosts:
        (host.home / "told").write_text("the-vault-password\n")
    tells = HealthCheck(HealthKind.COMMAND, "cat ~/told; exit 1", retries=0)

    outcome = world.deploy(rollout=Rollout(health=(tells,)))

    assert details(outcome)["web1"].endswith("exit 1: its output is withheld, since it carries a credential")
    assert "the-vault-password" not in str(outcome)
