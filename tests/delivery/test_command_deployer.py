"""The deployer `command`: a script decides by how it ends, and has what it was trusted with and no more."""

import time

import pytest

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect
from gitops_hooks.model.server import Limits
from tests.delivery.boxed import Boxed, environment, lay, without_time

TOKEN = "hunter2hunter2"


@pytest.fixture
def desk(tmp_path):
    return Boxed(
        environment("command", run=("deploy.sh", "one", "two words")), "gitops_hooks.plugins.command_deployer", {}
    )


def script(desk: Boxed, text: str) -> None:
    desk.tree["deploy.sh"] = (0o100755, f"#!/bin/sh\n{text}\n")


def lines(desk: Boxed) -> list[str]:
    return [step.task for step in desk.steps]


def test_a_script_that_ends_well_is_a_deployment_and_its_lines_are_steps(desk):
    desk.tree["page"] = "hello\n"
    script(desk, 'cat page; echo "$1/$2" >&2; echo "$GITOPS_ENVIRONMENT $GITOPS_COMMIT"')

    assert without_time(desk.deploy()) == Outcome(RunState.SUCCESSFUL, (HostOutcome("deploy.sh", HostState.OK),))
    assert lines(desk) == ["hello", "one/two words", "staging " + "c" * 40]
    assert {step.host for step in desk.steps} == {"deploy.sh"}


def test_a_script_that_ends_badly_is_a_failure_with_its_last_line(desk):
    script(desk, "echo fine; echo no such zone; exit 3")

    assert without_time(desk.deploy()) == Outcome(
        RunState.FAILED,
        (HostOutcome("deploy.sh", HostState.FAILED, 0, "ended with 3: no such zone"),),
        0.0,
        "deploy.sh ended with 3",
    )


def test_a_secret_is_withheld_however_its_spaces_are_shown(desk, tmp_path):
    files = lay(tmp_path / "granted", {"environment_file": "TOKEN='correct  horse\tbattery'\n"})
    desk.granted = Credentials.of(files, ())
    script(desk, 'echo "$TOKEN"; echo $TOKEN')

    assert desk.deploy().state is RunState.SUCCESSFUL
    assert lines(desk) == ["withheld, since it carries a credential or a sensitive value"] * 2


LOOK = """\
import os, socket
print("networks", sorted(name for _, name in socket.if_nameindex()))
print("token", os.environ.get("TOKEN"), "key", os.environ.get("GITOPS_KEY"))
print("credentials", os.path.exists("/run/credentials"))
"""


def test_without_trust_there_is_no_network_and_no_further_namespace(desk):
    desk.tree["look.py"] = LOOK
    script(desk, "python3 look.py; unshare --user true 2>/dev/null && echo a namespace || echo no namespace; ulimit -n")

    assert desk.deploy().state is RunState.SUCCESSFUL
    assert lines(desk) == ["networks ['lo']", "token None key None", "credentials False", "no namespace", "1024"]


def test_with_trust_it_has_the_network_and_its_variables_and_what_shows_them_is_withheld(desk, tmp_path):
    desk.tree["look.py"] = LOOK
    files = lay(tmp_path / "granted", {"key": "the private key\n", "known_hosts": "", "environment_file": ""})
    files["environment_file"].write_text(f"# for staging\nTOKEN='{TOKEN}'\nexport ZONE=a\n")
    desk.granted = Credentials.of(files, ("web1",))
    script(
        desk, 'python3 look.py | sed 1d; echo "$ZONE"; cat "$GITOPS_KEY"; test -e /sys || ls /proc/net/dev >/dev/null'
    )

    outcome = desk.deploy()
    withheld = "withheld, since it carries a credential or a sensitive value"
    assert outcome.state is RunState.SUCCESSFUL, outcome
    assert lines(desk) == [withheld, "credentials True", "a", withheld]
    assert TOKEN not in repr((outcome, desk.steps))


def test_a_variable_that_is_none_is_told_by_its_line_alone(desk, tmp_path):
    files = lay(tmp_path / "granted", {"environment_file": f"A=1\n{TOKEN}\n"})
    desk.granted = Credentials.of(files)
    script(desk, "true")

    assert without_time(desk.deploy()) == Outcome(RunState.ERROR, (), 0.0, "environment_file: line 2 is no NAME=value")


def test_the_state_folder_stays_from_one_run_to_the_next(desk, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    desk.granted = Credentials(state_folder=state, network=False)
    script(
        desk, 'cat "$GITOPS_STATE_FOLDER/number" 2>/dev/null; echo "$GITOPS_GENERATION" >"$GITOPS_STATE_FOLDER/number"'
    )

    assert desk.deploy().state is RunState.SUCCESSFUL
    kept = (state / "number").read_text().strip()
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert lines(desk) == [kept]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "run: deploy.sh is no file of the repository; correct the environment's entry in the policy"),
        (
            {"deploy.sh": "#!/bin/sh\n"},
            "run: deploy.sh is not executable; run: git update-index --chmod=+x deploy.sh",
        ),
    ],
)
def test_what_is_no_script_is_an_error_that_says_the_cure(desk, tree, said):
    desk.tree = tree
    assert without_time(desk.deploy()) == Outcome(RunState.ERROR, (), 0.0, said)


def test_a_script_that_is_asked_to_end_is_cancelled_and_what_it_started_ends_too(desk):
    script(desk, "trap 'echo bye; exit 7' TERM; sleep 300 & echo here; wait")
    with desk.start() as running:
        desk.listen(running, lambda: bool(desk.steps))
        running.terminate()
        outcome = desk.follow(running)
    assert without_time(outcome) == Outcome(
        RunState.CANCELED,
        (HostOutcome("deploy.sh", HostState.FAILED, 0, "ended with 7: bye"),),
        0.0,
        "ended on request; nobody knows how far it came",
    )


def test_a_script_that_does_not_hear_is_ended_in_time(desk):
    desk.limits = Limits(deploy_seconds=4.0)
    script(desk, "trap '' TERM; echo here; while :; do sleep 1; done")
    began = time.monotonic()
    outcome = desk.deploy()
    assert time.monotonic() - began < 30
    assert outcome.state is not RunState.SUCCESSFUL


def test_what_a_script_says_is_bounded(desk):
    script(desk, "seq 1 20000")
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert len(desk.steps) == 5001
    assert lines(desk)[-1] == "more than 5000 lines; the rest is not kept"


@pytest.fixture
def looking(desk):
    desk.environment = environment("command", run=("deploy.sh",), drift_run=("check.sh", "--all"))
    return desk


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("exit 0", HostDrift("deploy.sh", Sync.SYNCED)),
        ("echo fine; exit 0", HostDrift("deploy.sh", Sync.SYNCED)),
        (
            'echo "page $1"; echo; echo zone; exit 2',
            HostDrift("deploy.sh", Sync.OUT, (Difference("", "page --all"), Difference("", "zone"))),
        ),
        (
            "exit 2",
            HostDrift("deploy.sh", Sync.OUT, (Difference("", "check.sh says so, and not what"),)),
        ),
        (
            "echo no such host; exit 1",
            HostDrift("deploy.sh", Sync.UNKNOWN, detail="check.sh ended with 1: no such host"),
        ),
        ("kill -9 $$", HostDrift("deploy.sh", Sync.UNKNOWN, detail="check.sh was ended by signal 9")),
    ],
)
def test_how_another_script_ends_says_whether_anything_differs(looking, text, found):
    looking.tree["check.sh"] = (0o100755, f"#!/bin/sh\n{text}\n")
    assert looking.look() == Drift((found,))


def test_what_it_tells_is_bounded_and_without_what_it_was_granted(looking, tmp_path):
    files = lay(tmp_path / "granted", {"environment_file": f"TOKEN={TOKEN}\n"})
    looking.granted = Credentials.of(files)
    looking.tree["check.sh"] = (0o100755, '#!/bin/sh\necho "$TOKEN"; seq 1 100; exit 2\n')
    (host,) = looking.look().hosts
    withheld = "withheld, since it carries a credential or a sensitive value"
    assert [one.task for one in host.differences[:2]] == [withheld, "1"]
    assert (len(host.differences), host.more) == (20, 81)


def test_without_a_script_that_looks_nothing_is_known(desk, looking):
    looking.tree = {}
    assert looking.look() == Drift(
        detail="drift_run: check.sh is no file of the repository; correct the environment's entry in the policy"
    )
    looking.environment = environment("command", run=("deploy.sh",))
    assert looking.look() == Drift(detail="the environment has no drift_run, which would say how it is")


@pytest.fixture
def planning(desk):
    desk.environment = environment("command", run=("deploy.sh",), plan_run=("plan.sh", "--all"))
    return desk


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("echo fine; exit 0", HostPlan("deploy.sh", Prospect.UNCHANGED)),
        (
            'echo "page $1"; echo zone; exit 2',
            HostPlan("deploy.sh", Prospect.CHANGES, (Difference("", "page --all"), Difference("", "zone"))),
        ),
        ("exit 2", HostPlan("deploy.sh", Prospect.CHANGES, (Difference("", "plan.sh says so, and not what"),))),
        ("echo no rights; exit 1", HostPlan("deploy.sh", Prospect.UNKNOWN, detail="plan.sh ended with 1: no rights")),
    ],
)
def test_what_a_change_would_do_is_told_by_a_script_of_its_own(planning, text, found):
    planning.tree["plan.sh"] = (0o100755, f"#!/bin/sh\n{text}\n")
    assert planning.plan() == Plan((found,))


def test_a_plan_is_bounded_and_without_what_it_was_granted(planning, tmp_path):
    files = lay(tmp_path / "granted", {"environment_file": f"TOKEN={TOKEN}\n"})
    planning.granted = Credentials.of(files)
    planning.tree["plan.sh"] = (0o100755, '#!/bin/sh\necho "$TOKEN"; seq 1 600; exit 2\n')
    (host,) = planning.plan().hosts
    assert (len(host.differences), host.more, host.withheld) == (500, 101, 1)
    assert TOKEN not in repr(host)


def test_without_a_script_that_plans_a_change_is_unknown(desk, planning):
    planning.tree = {"plan.sh": "#!/bin/sh\n"}
    assert planning.plan() == Plan(
        detail="plan_run: plan.sh is not executable; run: git update-index --chmod=+x plan.sh"
    )
    planning.environment = environment("command", run=("deploy.sh",))
    assert planning.plan() == Plan(detail="the environment has no plan_run, which would say what a change does")
