"""The deployer `kubernetes`, with kubectl itself and an API server that answers as Kubernetes is documented to."""

import re

import pytest

from gitops_hooks.model.deployment import HostState, RunState
from gitops_hooks.model.kubernetes import Prune
from tests.delivery.boxed import without_time
from tests.delivery.kubernetes_desk import (
    CONFIG,
    FOLDER,
    SECRET,
    VALUE,
    WEB,
    failed,
    good,
    grant,
    inventory,
    keep,
    make_desk,
    told,
)


@pytest.fixture
def desk(tmp_path, cluster):
    return make_desk(tmp_path, cluster)


def test_manifests_are_applied_and_only_what_differs_is_changed(desk, cluster):
    assert without_time(desk.deploy()) == good(2)
    assert told(desk) == [("changed", "create ConfigMap shop/page"), ("changed", "create Deployment shop/web")]
    assert cluster.get("ConfigMap", "page")["data"] == {"text": "hello"}
    assert without_time(desk.deploy()) == good(0)
    desk.tree[f"{FOLDER}/web.yaml"] = WEB % 2
    assert without_time(desk.deploy()) == good(1)
    assert told(desk) == [("changed", "update Deployment shop/web")]


def test_a_kustomization_is_rendered_by_kustomize(desk, cluster):
    desk.tree[f"{FOLDER}/kustomization.yaml"] = "resources: [page.yaml]\nnamePrefix: new-\n"
    assert without_time(desk.deploy()) == good(1)
    assert told(desk) == [("changed", "create ConfigMap shop/new-page")]


def test_what_the_tree_does_not_have_any_more_is_pruned_and_nothing_else(desk, cluster):
    cluster.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-somebody-else"}, "data": {}})
    assert without_time(desk.deploy()) == good(2)
    assert inventory(cluster)[1] == ["Deployment shop/web", "ConfigMap shop/page"]
    del desk.tree[f"{FOLDER}/page.yaml"]
    assert without_time(desk.deploy()) == good(1)
    assert told(desk) == [("changed", "prune ConfigMap shop/page")]
    assert "page" not in cluster.names("ConfigMap") and "of-somebody-else" in cluster.names("ConfigMap")
    assert inventory(cluster)[1] == ["Deployment shop/web"]


def test_nothing_is_pruned_where_the_policy_says_so_and_it_is_not_forgotten(desk, cluster):
    keep(desk, prune=Prune.NONE)
    desk.deploy()
    del desk.tree[f"{FOLDER}/page.yaml"]
    assert without_time(desk.deploy()) == good(0)
    assert cluster.get("ConfigMap", "page")
    keep(desk, prune=Prune.SAFE)
    assert without_time(desk.deploy()) == good(1)
    assert told(desk) == [("changed", "prune ConfigMap shop/page")]


CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec: {accessModes: [ReadWriteOnce]}\n"


def test_what_holds_the_work_of_others_is_pruned_only_where_the_policy_says_all(desk, cluster):
    desk.tree[f"{FOLDER}/claim.yaml"] = CLAIM
    desk.deploy()
    del desk.tree[f"{FOLDER}/claim.yaml"]
    assert without_time(desk.deploy()) == good(0)
    assert told(desk) == [("ok", "kept, since only prune: all deletes it: PersistentVolumeClaim shop/disk")]
    keep(desk, prune=Prune.ALL)
    assert without_time(desk.deploy()) == good(1)
    assert cluster.names("PersistentVolumeClaim") == []


def test_what_somebody_has_made_anew_is_left_alone(desk, cluster):
    desk.deploy()
    cluster.remove("ConfigMap", "page")
    cluster.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"text": "mine"}})
    del desk.tree[f"{FOLDER}/page.yaml"]
    assert without_time(desk.deploy()) == good(0)
    assert told(desk) == [("ok", "left alone, since somebody else has made it anew: ConfigMap shop/page")]
    assert inventory(cluster)[1] == ["Deployment shop/web"]


CONFLICT = (
    'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas; take the field out of '
    "the manifest, or let the policy say force_conflicts: true"
)


def test_a_field_that_somebody_else_owns_is_a_conflict_unless_the_policy_says_force(desk, cluster):
    desk.deploy()
    cluster.edit("Deployment", "web", ("spec", "replicas"), 5)
    desk.tree[f"{FOLDER}/page.yaml"] = CONFIG % "new"
    assert without_time(desk.deploy()) == failed(f"Deployment web: {CONFLICT}", 1)
    assert told(desk) == [("changed", "update ConfigMap shop/page"), ("failed", "Deployment web")]
    assert cluster.get("Deployment", "web")["spec"]["replicas"] == 5
    keep(desk, force_conflicts=True)
    assert without_time(desk.deploy()) == good(1)
    assert cluster.get("Deployment", "web")["spec"]["replicas"] == 2


def test_what_does_not_get_well_is_degraded_and_nothing_is_pruned_for_it(desk, cluster):
    desk.deploy()
    cluster.sick.add("web")
    del desk.tree[f"{FOLDER}/page.yaml"]
    desk.tree[f"{FOLDER}/web.yaml"] = WEB % 2
    why = "Deployment shop/web: not healthy after 3 s: 0 of 2 replicas are available"
    assert without_time(desk.deploy()) == failed(why, 1)
    assert cluster.get("ConfigMap", "page")
    cluster.sick.clear()
    desk.tree[f"{FOLDER}/web.yaml"] = WEB % 3
    assert without_time(desk.deploy()) == good(2)


JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: move}\nspec: {template: {spec: {restartPolicy: Never}}}\n"


def test_a_job_that_failed_is_degraded_at_once(desk, cluster):
    keep(desk, wait=60)
    cluster.sick.add("move")
    desk.tree[f"{FOLDER}/job.yaml"] = JOB
    why = "Job shop/move: Degraded: BackoffLimitExceeded: it was tried often enough"
    assert without_time(desk.deploy()) == failed(why, 3)


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.acme.example}
spec:
  group: acme.example
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions: [{name: v1, served: true, storage: true}]
"""
CUSTOM = "apiVersion: acme.example/v1\nkind: Shop\nmetadata: {name: a}\nspec: {open: true}\n"


def test_a_kind_of_the_same_tree_is_there_before_its_objects(desk, cluster):
    desk.tree = {f"{FOLDER}/a.yaml": CUSTOM, f"{FOLDER}/b.yaml": DEFINITION}
    assert without_time(desk.deploy()) == good(2)
    assert told(desk) == [
        ("changed", "create CustomResourceDefinition shops.acme.example"),
        ("changed", "create Shop shop/a"),
    ]


def test_a_kind_of_others_is_waited_for_by_its_standard_status(desk, cluster):
    desk.tree = {f"{FOLDER}/a.yaml": CUSTOM, f"{FOLDER}/b.yaml": DEFINITION}
    cluster.sick.add("a")
    why = "Shop shop/a: not healthy after 3 s: not ready yet: no goods"
    assert without_time(desk.deploy()) == failed(why, 2)
    cluster.sick.clear()
    desk.tree[f"{FOLDER}/a.yaml"] = CUSTOM.replace("true", "false")
    assert without_time(desk.deploy()) == good(1)


def test_a_kind_of_others_that_says_nothing_is_waited_for_a_moment_once(desk, cluster):
    desk.tree = {f"{FOLDER}/a.yaml": CUSTOM.replace("name: a", "name: quiet"), f"{FOLDER}/b.yaml": DEFINITION}
    first = desk.deploy()
    assert without_time(first) == good(2)
    assert first.seconds > 1.5
    assert without_time(desk.deploy()) == good(0)


def test_the_namespace_may_be_one_of_the_manifests(desk, cluster):
    keep(desk, namespace="new")
    assert (
        without_time(desk.deploy())
        .hosts[0]
        .detail.endswith('namespaces "new" not found; make the namespace new, or make it one of the manifests')
    )
    desk.tree[f"{FOLDER}/new.yaml"] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n"
    assert without_time(desk.deploy()) == good(3)
    assert cluster.get("ConfigMap", "page", "new")


def test_an_older_deployment_never_writes_after_a_newer_one(desk, cluster):
    desk.deploy()
    (name,) = [name for name in cluster.names("ConfigMap") if name.startswith("gitops-hooks-")]
    cluster.edit("ConfigMap", name, ("data", "generation"), "4000")
    desk.tree[f"{FOLDER}/page.yaml"] = CONFIG % "old"
    (host,) = desk.deploy().hosts
    assert re.fullmatch(
        r"deployment 4000 has been here, and this one is \d+; an older one never writes after a newer one", host.detail
    )
    assert cluster.get("ConfigMap", "page")["data"] == {"text": "hello"}


def test_a_run_that_is_overtaken_writes_no_further(desk, cluster):
    desk.deploy()
    (name,) = [name for name in cluster.names("ConfigMap") if name.startswith("gitops-hooks-")]
    overtaken = []

    def overtake(asked: str) -> None:
        if asked == "PATCH ConfigMap page" and not overtaken:
            overtaken.append(asked)
            cluster.edit("ConfigMap", name, ("data", "generation"), "4000")

    cluster.on_write = overtake
    del desk.tree[f"{FOLDER}/web.yaml"]
    (host,) = desk.deploy().hosts
    assert host.detail.startswith("deployment 4000 has been here")
    assert cluster.get("Deployment", "web")


def test_an_inventory_that_cannot_be_read_is_not_written_over(desk, cluster):
    desk.deploy()
    (name,) = [name for name in cluster.names("ConfigMap") if name.startswith("gitops-hooks-")]
    cluster.edit("ConfigMap", name, ("data", "objects"), "[")
    assert without_time(desk.deploy()) == failed(
        f"inventory shop/{name}: cannot be read, so what it names would be forgotten; mend it, or delete it if all of "
        "that may stay"
    )


def test_what_the_cluster_says_of_a_secret_is_withheld(desk, cluster):
    desk.tree[f"{FOLDER}/db.yaml"] = SECRET % VALUE
    cluster.refuse.add("Secret")
    outcome = desk.deploy()
    assert without_time(outcome) == failed("Secret db: withheld, since it carries a credential or a sensitive value", 2)
    assert VALUE not in repr((outcome, desk.steps))


def test_one_object_that_is_refused_does_not_keep_the_others_back(desk, cluster):
    cluster.refuse.add("Deployment")
    assert without_time(desk.deploy()) == failed(
        'Deployment web: Error from server (Forbidden): deployments "web" is forbidden: gitops cannot write it', 1
    )
    assert told(desk) == [("changed", "create ConfigMap shop/page"), ("failed", "Deployment web")]


def test_a_cluster_that_does_not_answer_is_unreachable(desk, tmp_path, cluster):
    grant(desk, tmp_path, cluster.kubeconfig(cluster={"server": "https://127.0.0.1:9"}))
    outcome = desk.deploy()
    assert outcome.state is RunState.FAILED
    assert outcome.hosts[0].state is HostState.UNREACHABLE
    assert "127.0.0.1:9 was refused" in outcome.hosts[0].detail
