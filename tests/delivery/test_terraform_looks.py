"""Looks of the deployer `terraform`, with Terraform itself: a plan that is thrown away, and no value told."""

import json

import pytest

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from tests.delivery.boxed import lay
from tests.delivery.terraform_desk import ONE, make_desk
from tests.delivery.test_terraform_deployer import held

SECRET = "hunter2hunter2"


@pytest.fixture
def desk(tmp_path):
    made = make_desk(tmp_path)
    assert made.deploy().state is RunState.SUCCESSFUL
    return made


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state" / "terraform.tfstate"


def out(*tasks: str, more: int = 0) -> Drift:
    return Drift((HostDrift("infra", Sync.OUT, tuple(Difference("", task) for task in tasks), more),))


def test_what_is_as_it_was_deployed_is_in_sync_and_nothing_is_written(desk, state):
    before = state.read_bytes()
    assert desk.look() == Drift((HostDrift("infra", Sync.SYNCED),))
    assert state.read_bytes() == before
    assert sorted(path.name for path in state.parent.iterdir()) == ["terraform.tfstate"]


def test_what_a_plan_would_change_is_told_by_address_and_action(desk, state):
    found = json.loads(state.read_text())
    found["resources"][0]["instances"][0]["attributes"]["input"]["value"] = SECRET
    state.write_text(json.dumps(found))
    before = state.read_bytes()
    drift = desk.look()
    assert drift == out("update terraform_data.one")
    assert SECRET not in repr((drift, desk.steps))
    assert state.read_bytes() == before


def test_what_is_gone_would_be_made_again(desk, state):
    state.unlink()
    assert desk.look() == out("create terraform_data.one")


def test_outputs_alone_are_a_difference_too(desk, state):
    found = json.loads(state.read_text())
    found["outputs"] = {}
    state.write_text(json.dumps(found))
    assert desk.look() == out("update outputs")


def test_what_is_told_is_bounded(desk):
    desk.tree["infra/more.tf"] = 'resource "terraform_data" "more" {\n  count = 30\n}\n'
    (host,) = desk.look().hosts
    assert (len(host.differences), host.more) == (20, 10)


def test_a_look_takes_no_lock_and_waits_for_none(desk, state):
    with held(state):
        assert desk.look() == Drift((HostDrift("infra", Sync.SYNCED),))


def test_a_module_that_cannot_be_planned_is_unknown_with_the_reason(desk):
    desk.tree["infra/main.tf"] = ONE % "${nonsense.a}"
    (host,) = desk.look().hosts
    assert (host.sync, host.differences) == (Sync.UNKNOWN, ())
    assert host.detail.startswith("infra/main.tf:7: Reference to undeclared resource")


LEAK = """\
variable "token" {
  type      = string
  sensitive = true
}

resource "terraform_data" "one" {
  input = "x"
  lifecycle {
    precondition {
      condition     = var.token == ""
      error_message = "it is ${nonsensitive(var.token)}"
    }
  }
}
"""


def test_a_reason_that_carries_a_variable_is_withheld(desk, tmp_path):
    files = lay(tmp_path / "granted", {"environment_file": f"TF_VAR_token={SECRET}\n"})
    desk.granted = Credentials(
        environment_file=files["environment_file"], state_folder=desk.granted.state_folder, tools=(tmp_path / "tools",)
    )
    desk.tree["infra/main.tf"] = LEAK
    (host,) = desk.look().hosts
    assert (host.sync, SECRET in repr(host)) == (Sync.UNKNOWN, False)
    assert "withheld, since it carries a credential or a sensitive value" in host.detail
