"""Plans of clusters and modules: what a tree would change, told before it lands, and nothing written."""

import pytest

from gitops_hooks.core.approved_plan import environment_key, items_of, seal_of
from gitops_hooks.core.planned_content import digest_of
from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.kubernetes import Prune
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect
from tests.delivery import terraform_desk
from tests.delivery.kubernetes_desk import CONFIG, FOLDER, SECRET, VALUE, keep, make_desk
from tests.delivery.terraform_desk import ONE

WITHHELD = "withheld, since it carries a credential or a sensitive value"


@pytest.fixture
def desk(tmp_path, cluster):
    made = make_desk(tmp_path, cluster)
    made.deploy()
    cluster.asked.clear()
    return made


def tasks(found: Plan) -> list[str]:
    (host,) = found.hosts
    return [one.task for one in host.differences]


def test_a_tree_that_is_there_already_changes_nothing(desk, cluster):
    assert desk.plan() == Plan((HostPlan(FOLDER, Prospect.UNCHANGED),))
    assert cluster.asked == []


def test_each_object_that_would_change_is_told_and_nothing_is_written(desk, cluster):
    desk.tree[f"{FOLDER}/page.yaml"] = CONFIG % "second"
    desk.tree[f"{FOLDER}/new.yaml"] = CONFIG.replace("page", "new") % "x"
    del desk.tree[f"{FOLDER}/web.yaml"]
    found = desk.plan()
    assert tasks(found) == ["create ConfigMap new", "update ConfigMap page", "prune Deployment shop/web"]
    (host,) = found.hosts
    assert (host.prospect, host.more, host.withheld) == (Prospect.CHANGES, 0, 0)
    assert "-  text: hello\n+  text: second" in host.differences[1].text
    assert cluster.asked == []


def test_what_the_cluster_counts_and_stamps_is_no_part_of_it(desk, cluster):
    desk.tree[f"{FOLDER}/new.yaml"] = CONFIG.replace("page", "new") % "x"
    desk.tree[f"{FOLDER}/page.yaml"] = CONFIG % "second"
    first = desk.plan()
    cluster.edit("ConfigMap", "page", ("metadata", "resourceVersion"), "90000")
    assert digest_of({"shop": desk.plan()}, "t", b"k") == digest_of({"shop": first}, "another", b"k")
    assert "uid" not in repr(first) and "generation" not in repr(first)


def test_values_of_that_name_elsewhere_in_an_object_are_told(desk, cluster):
    desk.tree[f"{FOLDER}/page.yaml"] = (CONFIG % "hello").replace("{text: hello}", "{text: hello, uid: mine}")
    assert "+  uid: mine" in desk.plan().hosts[0].differences[0].text


def test_of_a_secret_only_that_it_would_change_is_told_and_counted_as_withheld(desk, cluster):
    desk.tree[f"{FOLDER}/db.yaml"] = SECRET % VALUE
    found = desk.plan()
    (host,) = found.hosts
    assert host.differences == (Difference("", "create Secret db", WITHHELD),)
    assert host.withheld == 1 and VALUE not in repr(found)


def test_what_would_be_spared_is_not_told_as_pruned(desk, cluster):
    del desk.tree[f"{FOLDER}/web.yaml"]
    keep(desk, prune=Prune.NONE)
    assert desk.plan().hosts[0].prospect is Prospect.UNCHANGED


def test_a_conflict_that_would_fail_the_deployment_is_unknown_with_the_reason(desk, cluster):
    cluster.edit("Deployment", "web", ("spec", "replicas"), 5)
    (host,) = desk.plan().hosts
    assert host.prospect is Prospect.UNKNOWN
    assert host.detail == (
        'Deployment web: Error from server (Conflict): Apply failed with 1 conflict: conflict with "kubectl-edit" '
        "using apps/v1: .spec.replicas"
    )
    keep(desk, force_conflicts=True)
    assert tasks(desk.plan()) == ["update Deployment web"]


def test_a_tree_that_cannot_be_rendered_says_why(desk):
    desk.tree[f"{FOLDER}/kustomization.yaml"] = "resources: [gone.yaml]\n"
    found = desk.plan()
    assert found.hosts == () and found.detail.startswith("k8s cannot be rendered: ")


@pytest.fixture
def module(tmp_path):
    made = terraform_desk.make_desk(tmp_path)
    assert made.deploy().state is RunState.SUCCESSFUL
    return made


def test_a_module_is_planned_by_address_and_action_and_its_state_stays_as_it_is(module, tmp_path):
    state = tmp_path / "state" / "terraform.tfstate"
    before = state.read_bytes()
    assert module.plan() == Plan((HostPlan("infra", Prospect.UNCHANGED),))
    module.tree["infra/main.tf"] = ONE % VALUE
    found = module.plan()
    assert found == Plan(
        (HostPlan("infra", Prospect.CHANGES, (Difference("", "update terraform_data.one"),), withheld=1),)
    )
    assert VALUE not in repr(found) and state.read_bytes() == before


def test_a_plan_without_its_values_is_of_this_tree_alone(module):
    module.tree["infra/main.tf"] = ONE % "second"
    found = {"dns": module.plan()}
    assert digest_of(found, "one tree", b"k") != digest_of(found, "another", b"k")


def test_a_module_that_cannot_be_planned_is_unknown_with_the_reason(module):
    module.tree["infra/main.tf"] = ONE % "${nonsense.a}"
    (host,) = module.plan().hosts
    assert host.prospect is Prospect.UNKNOWN
    assert host.detail.startswith("infra/main.tf:7: Reference to undeclared resource")


KEY = environment_key(b"k" * 32, "dns")


def approve(desk, found):
    """As the reconciler does where the landing rested on this plan."""
    desk.approved = ApprovedPlan("plan 5f3a of change 2", "t1", KEY, seal_of(found, "t1", KEY), items_of(found, KEY))


def refused(outcome):
    (host,) = outcome.hosts
    assert (outcome.state, host.untouched, host.changed) == (RunState.FAILED, True, 0)
    return host.detail


def test_a_module_is_applied_as_it_was_approved(module):
    module.tree["infra/main.tf"] = ONE % "second"
    approve(module, module.plan())
    assert module.deploy().state is RunState.SUCCESSFUL
    # What is there already may be deployed again.
    assert module.deploy().state is RunState.SUCCESSFUL


def test_a_module_whose_plan_is_another_by_now_is_not_applied(module, tmp_path):
    module.tree["infra/main.tf"] = ONE % "second"
    approve(module, module.plan())
    state = tmp_path / "state" / "terraform.tfstate"
    state.unlink()
    assert refused(module.deploy()).startswith(
        "nothing was applied: what would be done is not plan 5f3a of change 2, which was approved: "
        "create terraform_data.one; land a change whose plan is approved"
    )
    assert not state.exists()


def test_a_plan_that_cannot_be_compared_is_not_applied(module):
    module.tree["infra/main.tf"] = ONE % "second"
    module.approved = ApprovedPlan("the plan of change 2", why="its record is gone")
    assert "cannot be compared: its record is gone" in refused(module.deploy())


def test_a_cluster_is_written_to_as_it_was_approved_and_not_otherwise(desk, cluster):
    keep(desk, force_conflicts=True)
    desk.tree[f"{FOLDER}/page.yaml"] = CONFIG % "second"
    approve(desk, desk.plan())
    cluster.edit("ConfigMap", "page", ("data", "text"), "by hand")
    assert "which was approved: update ConfigMap page; land a change" in refused(desk.deploy())
    assert cluster.get("ConfigMap", "page")["data"] == {"text": "by hand"}
    approve(desk, desk.plan())
    assert desk.deploy().state is RunState.SUCCESSFUL
