"""The deployer `terraform`, with Terraform itself: what is planned is applied, and its state and secrets are kept."""

import fcntl
import json
import time
from contextlib import contextmanager

import pytest

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from tests.delivery.boxed import Boxed, lay, without_time
from tests.delivery.terraform_desk import ONE, make_desk
from tests.plugins.tiny_provider import MODULE, PLACE, PROGRAM

SECRET = "hunter2hunter2"


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state" / "terraform.tfstate"


def inputs(state) -> list[str]:
    found = json.loads(state.read_text())["resources"]
    return [one["instances"][0]["attributes"]["input"]["value"] for one in found]


def told(desk: Boxed) -> list[tuple[str, str]]:
    return [(step.state.value, step.task) for step in desk.steps]


def failed(why: str, state=RunState.FAILED, detail="failed: infra", *, untouched=False) -> Outcome:
    return Outcome(state, (HostOutcome("infra", HostState.FAILED, 0, why, untouched),), 0.0, detail)


def test_a_module_is_planned_and_applied_and_its_state_outlives_the_run(desk, state):
    assert without_time(desk.deploy()) == Outcome(RunState.SUCCESSFUL, (HostOutcome("infra", HostState.CHANGED, 1),))
    assert told(desk) == [
        ("ok", "planned: 1 to add, 0 to change, 0 to destroy"),
        ("changed", "create terraform_data.one"),
        ("ok", "applied: 1 added, 0 changed, 0 destroyed"),
    ]
    assert {step.host for step in desk.steps} == {"infra"}
    assert inputs(state) == ["first"]

    assert without_time(desk.deploy()) == Outcome(RunState.SUCCESSFUL, (HostOutcome("infra", HostState.OK),))
    assert told(desk) == [("ok", "planned: 0 to add, 0 to change, 0 to destroy")]

    desk.tree["infra/main.tf"] = ONE % "second"
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert inputs(state) == ["second"]


def test_a_backend_of_the_tree_that_is_a_file_is_kept_in_the_same_place(desk, state):
    desk.tree["infra/backend.tf"] = 'terraform {\n  backend "local" {\n    path = "mine.tfstate"\n  }\n}\n'
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert inputs(state) == ["first"]


LOCAL = 'terraform {\n  backend "local" {\n    path = "lost.tfstate"\n  }\n}\n'


def test_an_override_of_the_tree_takes_the_state_nowhere_else(desk, state):
    desk.tree["infra/override.tf"] = LOCAL
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert inputs(state) == ["first"]


def test_where_an_override_of_the_tree_has_the_last_word_nothing_runs(desk, state):
    desk.tree["infra/zzzz_override.tf"] = LOCAL
    assert without_time(desk.deploy()) == Outcome(
        RunState.ERROR,
        (),
        0.0,
        "the module infra would keep its state in another file than the server's, and lose it; take the backend out "
        "of its files that end in _override.tf",
    )
    assert not state.exists() and not desk.steps


def test_without_a_place_for_its_state_nothing_runs(desk, tmp_path):
    desk.granted = Credentials(tools=desk.granted.tools)
    assert without_time(desk.deploy()) == Outcome(
        RunState.ERROR,
        (),
        0.0,
        "the module infra keeps its state in a file, which would be lost: it is granted no state_folder; "
        "name a backend in the module, or have an administrator add state_folder to its [[credential]]",
    )


HOLDER = {
    "ID": "a-lock",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "bob@laptop",
    "Version": "1.15.5",
    "Created": "2026-11-26T01:02:03Z",
    "Path": "terraform.tfstate",
}


@contextmanager
def held(state):
    """bob, at work on the same state."""
    info = state.with_name(".terraform.tfstate.lock.info")
    info.write_text(json.dumps(HOLDER))
    with state.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield
        info.unlink()


def test_a_state_that_somebody_holds_is_waited_for(desk, state):
    assert desk.deploy().state is RunState.SUCCESSFUL
    desk.tree["infra/main.tf"] = ONE % "second"
    with desk.start() as running:
        with held(state):
            began = time.monotonic()
            desk.listen(running, lambda: time.monotonic() - began > 6)
            assert running.outcome is None and inputs(state) == ["first"]
        assert desk.follow(running).state is RunState.SUCCESSFUL
    assert inputs(state) == ["second"]


def test_a_state_that_is_not_let_go_is_a_failure_that_names_who_holds_it(desk, state):
    assert desk.deploy().state is RunState.SUCCESSFUL
    desk.tree["infra/main.tf"] = ONE % "second"
    with held(state):
        (host,) = desk.deploy().hosts
    assert host.detail.startswith("Error acquiring the state lock: Error message: resource temporarily unavailable")
    assert "Who: bob@laptop" in host.detail and "-lock=false" not in host.detail
    assert inputs(state) == ["first"]


OVERTAKING = """\
#!/bin/sh
# Somebody else's run has written the state since the plan was made, once.
if [ "$1" = apply ] && [ ! -e /run/state/overtaken ]; then
    touch /run/state/overtaken
    sed -i 's/"serial": [0-9]*/"serial": 40/' /run/state/terraform.tfstate
fi
exec "${0%/*}/terraform-itself" "$@"
"""


def test_a_plan_that_is_stale_is_made_again(desk, state, tmp_path):
    assert desk.deploy().state is RunState.SUCCESSFUL
    program = tmp_path / "tools" / "terraform"
    program.rename(tmp_path / "tools" / "terraform-itself")
    program.write_text(OVERTAKING)
    program.chmod(0o755)
    desk.tree["infra/main.tf"] = ONE % "second"
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert told(desk) == [
        ("ok", "planned: 0 to add, 1 to change, 0 to destroy"),
        ("ok", "planned: 0 to add, 1 to change, 0 to destroy"),
        ("changed", "update terraform_data.one"),
        ("ok", "applied: 0 added, 1 changed, 0 destroyed"),
    ]
    assert inputs(state) == ["second"] and json.loads(state.read_text())["serial"] > 40


def test_a_fault_is_told_with_its_place_in_the_tree(desk):
    desk.tree["infra/main.tf"] = ONE % "${nonsense.a}"
    assert without_time(desk.deploy()) == failed(
        'infra/main.tf:7: Reference to undeclared resource: A managed resource "nonsense" "a" has not been declared in '
        "the root module.",
        untouched=True,
    )


LEAK = """\
variable "token" {
  type      = string
  sensitive = true
}

resource "terraform_data" "kept" {
  input = sensitive("in-the-state-only")
}

resource "terraform_data" "two" {
  depends_on = [terraform_data.kept]
  provisioner "local-exec" {
    command = "%s; exit 3"
  }
}
"""


@pytest.mark.parametrize("shown", ["echo hunter2hunter2", "echo in-the-state-only"])
def test_what_carries_a_variable_or_a_sensitive_value_is_withheld(desk, tmp_path, shown):
    files = lay(tmp_path / "granted", {"environment_file": f"TF_VAR_token={SECRET}\n"})
    desk.granted = Credentials(
        environment_file=files["environment_file"], state_folder=desk.granted.state_folder, tools=(tmp_path / "tools",)
    )
    desk.tree["infra/main.tf"] = LEAK % shown
    outcome = desk.deploy()
    assert without_time(outcome) == Outcome(
        RunState.FAILED,
        (
            HostOutcome(
                "infra",
                HostState.FAILED,
                1,
                "infra/main.tf:12: withheld, since it carries a credential or a sensitive value",
            ),
        ),
        0.0,
        "failed: infra",
    )
    everything = repr((outcome, desk.steps))
    assert SECRET not in everything and "in-the-state-only" not in everything


FULL = """\
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo full; exit 3"
  }
}
"""


def test_what_carries_none_is_told(desk):
    desk.tree["infra/main.tf"] = (
        'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "echo full; exit 3"\n  }\n}\n'
    )
    (host,) = desk.deploy().hosts
    assert host.detail == (
        "infra/main.tf:2: local-exec provisioner error: Error running command 'echo full; exit 3': exit status 3. "
        "Output: full"
    )


def test_a_provider_of_the_tree_serves_and_nobody_is_asked_for_another(desk):
    desk.tree["infra/main.tf"] = MODULE + 'resource "terraform_data" "one" {\n  input = "x"\n}\n'
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith("init: Failed to query available provider packages: ")
    assert outcome.detail.endswith(
        "; providers come from terraform.d/plugins beside the module, from the server's mirror, or, with a "
        ".terraform.lock.hcl in the tree, from where it was made"
    )
    desk.tree[f"infra/{PLACE}"] = (0o100755, PROGRAM)
    assert desk.deploy().state is RunState.SUCCESSFUL


def test_a_module_from_elsewhere_is_refused(desk):
    desk.tree["infra/main.tf"] = 'module "m" {\n  source = "/run/deployment/project/other"\n}\n'
    desk.tree["other/main.tf"] = ONE % "x"
    assert desk.deploy().detail == (
        "the module m comes from elsewhere, where nobody approved it; put it into the repository and name it by its "
        "path"
    )


def test_a_folder_without_files_of_terraform_is_an_error_of_the_policy(desk):
    desk.tree = {"infra/README.md": "none\n"}
    assert without_time(desk.deploy()) == Outcome(
        RunState.ERROR,
        (),
        0.0,
        "module: infra is no folder of the repository with Terraform files; correct the environment's entry in the "
        "policy",
    )


HELD = """\
resource "terraform_data" "held" {
  provisioner "local-exec" {
    command = "touch /run/state/held; sleep 3"
  }
}

resource "terraform_data" "after" {
  depends_on = [terraform_data.held]
}
"""


def test_a_run_that_is_asked_to_end_finishes_what_it_has_begun_and_unlocks_the_state(desk, state):
    desk.tree["infra/main.tf"] = HELD
    with desk.start() as running:
        desk.listen(running, (state.parent / "held").exists)
        running.terminate()
        outcome = desk.follow(running)
    assert outcome.state is RunState.CANCELED
    assert outcome.detail == "ended on request; deploy again to bring the module to one state"
    assert [one["name"] for one in json.loads(state.read_text())["resources"]] == ["held"]
    assert not (state.parent / ".terraform.tfstate.lock.info").exists()
    desk.tree["infra/main.tf"] = HELD.replace("sleep 3", "true")
    assert desk.deploy().state is RunState.SUCCESSFUL
