"""Three hosts are brought to what the tree says, twice."""

from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import states


def test_three_hosts_converge_and_a_second_run_changes_nothing(world):
    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.SUCCESSFUL, "")
    assert states(outcome) == {"web1": "changed", "web2": "changed", "web3": "changed"}
    assert [host.read("motd") for host in world.hosts] == [f"hello from web{n}\n" for n in (1, 2, 3)]
    assert states(world.deploy()) == {"web1": "ok", "web2": "ok", "web3": "ok"}
