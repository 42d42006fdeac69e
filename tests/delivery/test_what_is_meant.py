"""Playbook and inventory decide who is meant; the server decides who may be."""

from gitops_hooks.model.deployment import Progress, RunState
from tests.delivery.conftest import SITE, details, listen_until, states


def test_a_playbook_that_matches_no_host_is_a_failure(world):
    world.tree["site.yml"] = SITE.replace("hosts: all", "hosts: databases")

    outcome = world.deploy()

    assert outcome.state is RunState.FAILED
    assert outcome.detail == (
        "no host matched: the plays of site.yml name no host of inventory; correct 'hosts:' or the inventory"
    )


def test_a_host_that_the_server_did_not_grant_ends_it_before_anything_runs(world):
    world.granted = ("web1", "web2")

    outcome = world.deploy()

    assert outcome.state is RunState.ERROR
    assert outcome.detail == (
        "the server grants this environment no credential for host web3; "
        "an administrator adds it to the hosts of staging in server.toml, or the inventory loses it"
    )
    assert [host.read("motd") for host in world.hosts] == [None, None, None]


def test_only_the_hosts_of_the_plays_are_meant_and_they_are_told_first(world):
    world.tree["site.yml"] = SITE.replace("hosts: all", "hosts: web3:web2")

    words = listen_until(world.start(), lambda word: isinstance(word, Progress) and word.hosts)

    assert words == [Progress(hosts=("web2", "web3"))]


def test_a_deployment_visits_exactly_the_hosts_that_it_is_limited_to(world):
    outcome = world.deploy(hosts=("web2", "web9"))

    assert (outcome.state, states(outcome)) == (RunState.SUCCESSFUL, {"web2": "changed"})
    assert [host.read("motd") for host in world.hosts] == [None, "hello from web2\n", None]
    assert [(host.home / ".gitops-hooks").exists() for host in world.hosts] == [False, True, False]


def test_where_no_play_means_the_hosts_that_are_to_be_visited_nothing_is_run(world):
    world.tree["site.yml"] = SITE.replace("hosts: all", "hosts: web3")

    outcome = world.deploy(hosts=("web1",))

    assert (outcome.state, outcome.hosts) == (RunState.SUCCESSFUL, ())
    assert outcome.detail == "no play means any of the hosts that are to be visited"
    assert [(host.home / ".gitops-hooks").exists() for host in world.hosts] == [False, False, False]


def test_a_missing_playbook_or_one_outside_is_told(world):
    for name in ("other.yml", "../../etc/passwd"):
        world.playbook = name
        outcome = world.deploy()
        assert outcome.state is RunState.ERROR
        assert outcome.detail == (
            f"playbook {name} is not in the repository; correct the environment's entry in the policy"
        )


def test_a_playbook_that_ansible_cannot_read_is_told_with_its_place(world):
    world.tree["site.yml"] = SITE.replace("lineinfile:", "no_such_module:")

    outcome = world.deploy()

    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith("ansible-playbook cannot read this: ")
    assert "couldn't resolve module/action 'no_such_module'" in outcome.detail
    assert "site.yml:4:7" in outcome.detail
    assert "/run/" not in outcome.detail


def test_a_delegated_task_reaches_only_hosts_of_this_run(world):
    world.tree["site.yml"] = SITE.replace("hosts: all", "hosts: web1") + "      delegate_to: web2\n"
    assert details(world.deploy())["web1"] == "site.yml:4: greet: web2 is not ready in this run"

    world.tree["site.yml"] = SITE.replace("greet", "hello").replace("hosts: all", "hosts: web1:web2") + (
        "      delegate_to: \"{{ 'web2' if inventory_hostname == 'web1' else omit }}\"\n"
        "      when: inventory_hostname == 'web1'\n"
    )
    assert world.deploy().state is RunState.SUCCESSFUL
    assert (world.hosts[0].home / ".gitops-hooks").exists()
