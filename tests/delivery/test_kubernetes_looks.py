"""Looks of the deployer `kubernetes`: what differs in the cluster is told object by object, and nothing is written."""

import pytest

from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from tests.delivery.kubernetes_desk import CONFIG, FOLDER, SECRET, VALUE, grant, make_desk


@pytest.fixture
def desk(tmp_path, cluster):
    made = make_desk(tmp_path, cluster)
    made.tree[f"{FOLDER}/db.yaml"] = SECRET % VALUE
    made.deploy()
    cluster.asked.clear()
    return made


def names(found: Drift) -> list[str]:
    (host,) = found.hosts
    assert host.sync is Sync.OUT
    return [one.task for one in host.differences]


def test_what_is_as_it_was_deployed_is_in_sync(desk, cluster):
    assert desk.look() == Drift((HostDrift(FOLDER, Sync.SYNCED),))
    assert cluster.asked == []


def test_a_field_that_somebody_changed_is_told_with_both_values(desk, cluster):
    cluster.edit("ConfigMap", "page", ("data", "text"), "by hand")
    (host,) = desk.look().hosts
    (difference,) = host.differences
    assert (host.sync, difference.task) == (Sync.OUT, "update ConfigMap page")
    assert difference.text == (
        "--- cluster\n+++ deployed\n@@ -1,6 +1,6 @@\n apiVersion: v1\n data:\n-  text: by hand\n+  text: hello\n"
        " kind: ConfigMap\n metadata:\n   name: page"
    )
    assert cluster.asked == []


def test_what_somebody_deleted_is_told(desk, cluster):
    cluster.remove("Deployment", "web")
    assert names(desk.look()) == ["create Deployment web"]


def test_of_a_secret_only_that_it_differs_is_told(desk, cluster):
    cluster.edit("Secret", "db", ("stringData", "password"), "another-value")
    found = desk.look()
    (host,) = found.hosts
    assert host.differences == (
        Difference("", "update Secret db", "withheld, since it carries a credential or a sensitive value"),
    )
    assert VALUE not in repr(found) and "another-value" not in repr(found)


def test_an_inventory_that_is_gone_is_a_difference(desk, cluster):
    (name,) = [name for name in cluster.names("ConfigMap") if name.startswith("gitops-hooks-")]
    cluster.remove("ConfigMap", name)
    assert names(desk.look()) == ["the inventory of this environment is gone"]


def test_a_namespace_that_is_gone_is_out_of_sync_with_everything_in_it(desk, cluster):
    for place in [place for place in cluster.objects if place[1] == "shop" or place[2] == "shop"]:
        del cluster.objects[place]
    assert names(desk.look()) == [
        "the inventory of this environment is gone",
        "create ConfigMap page",
        "create Secret db",
        "create Deployment web",
    ]


def test_what_is_told_is_bounded(desk, cluster):
    for number in range(25):
        desk.tree[f"{FOLDER}/more{number}.yaml"] = CONFIG.replace("page", f"more{number}") % ("x" * 6000)
    (host,) = desk.look().hosts
    assert (len(host.differences), host.more) == (20, 5)
    assert all(len(one.text) < 4100 for one in host.differences)


def test_a_cluster_that_does_not_answer_leaves_everything_unknown(desk, tmp_path, cluster):
    grant(desk, tmp_path, cluster.kubeconfig(cluster={"server": "https://127.0.0.1:9"}))
    found = desk.look()
    assert found.hosts == () and "127.0.0.1:9 was refused" in found.detail


def test_one_object_that_cannot_be_compared_hides_no_other(desk, cluster):
    cluster.edit("ConfigMap", "page", ("data", "text"), "by hand")
    cluster.refuse.add("Deployment")
    (host,) = desk.look().hosts
    assert [one.task for one in host.differences] == ["update ConfigMap page"]
    assert host.detail == (
        'Deployment web: Error from server (Forbidden): deployments "web" is forbidden: gitops cannot write it'
    )
