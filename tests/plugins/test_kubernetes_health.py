"""When an object of a cluster is well: as `kubectl rollout status` and Argo CD say."""

import pytest

from gitops_hooks.plugins.kubernetes.health import Health, Well, is_watched, judge

GOOD = Health(Well.HEALTHY)


def going(why: str) -> Health:
    return Health(Well.PROGRESSING, why)


def bad(why: str) -> Health:
    return Health(Well.DEGRADED, why)


def value(version: str, kind: str, spec: object = None, **status: object) -> dict[str, object]:
    return {"apiVersion": version, "kind": kind, "metadata": {"generation": 2}, "spec": spec or {}, "status": status}


def condition(kind: str, status: str = "True", **more: object) -> dict[str, object]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


SEEN = {"observedGeneration": 2}
ALL = SEEN | {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("spec", "status", "found"),
    [
        ({"replicas": 2}, ALL, GOOD),
        ({"replicas": 0}, SEEN, GOOD),
        ({}, SEEN | {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, GOOD),
        ({"replicas": 2, "paused": True}, {}, GOOD),
        ({"replicas": 2}, ALL | {"observedGeneration": 1}, going("not seen by its controller yet")),
        ({"replicas": 2}, ALL | {"updatedReplicas": 1}, going("1 of 2 replicas are updated")),
        ({"replicas": 2}, ALL | {"replicas": 3}, going("1 old replicas are still there")),
        ({"replicas": 2}, ALL | {"availableReplicas": 1}, going("1 of 2 replicas are available")),
        ({"replicas": 2}, {}, going("not seen by its controller yet")),
        (
            {"replicas": 2},
            ALL | condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="no image"),
            bad("no image"),
        ),
    ],
)
def test_a_deployment_is_well_when_its_replicas_are_new_and_available(spec, status, found):
    assert judge(value("apps/v1", "Deployment", spec, **status)) == found


NEW = {"updateRevision": "a", "currentRevision": "a"}


@pytest.mark.parametrize(
    ("spec", "status", "found"),
    [
        ({"replicas": 2}, SEEN | NEW | {"readyReplicas": 2}, GOOD),
        ({"replicas": 2}, SEEN | NEW | {"readyReplicas": 1}, going("1 of 2 replicas are ready")),
        (
            {"replicas": 2},
            SEEN | NEW | {"readyReplicas": 2, "updateRevision": "b", "updatedReplicas": 1},
            going("1 of 2 replicas are updated"),
        ),
        ({"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, {}, GOOD),
        (
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            SEEN | {"readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"},
            GOOD,
        ),
        (
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            SEEN | {"readyReplicas": 3, "updatedReplicas": 1},
            going("1 of 2 replicas are updated"),
        ),
    ],
)
def test_a_stateful_set_is_well_when_its_replicas_are_ready_and_new(spec, status, found):
    assert judge(value("apps/v1", "StatefulSet", spec, **status)) == found


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (
            value(
                "apps/v1",
                "DaemonSet",
                **SEEN,
                desiredNumberScheduled=2,
                updatedNumberScheduled=2,
                numberAvailable=2,
            ),
            GOOD,
        ),
        (
            value("apps/v1", "DaemonSet", **SEEN, desiredNumberScheduled=2, updatedNumberScheduled=1),
            going("1 of 2 pods are updated"),
        ),
        (
            value("apps/v1", "DaemonSet", **SEEN, desiredNumberScheduled=2, updatedNumberScheduled=2),
            going("0 of 2 pods are available"),
        ),
        (value("batch/v1", "Job", **condition("Complete")), GOOD),
        (value("batch/v1", "Job", {"suspend": True}), GOOD),
        (value("batch/v1", "Job"), going("not complete yet")),
        (value("batch/v1", "Job", **condition("Failed", reason="DeadlineExceeded")), bad("DeadlineExceeded")),
        (value("v1", "PersistentVolumeClaim", phase="Bound"), GOOD),
        (value("v1", "PersistentVolumeClaim", phase="Pending"), going("Pending, not bound yet")),
        (value("v1", "PersistentVolumeClaim", phase="Lost"), bad("its volume is lost")),
        (value("v1", "Pod", phase="Running", **condition("Ready")), GOOD),
        (value("v1", "Pod", phase="Running", **condition("Ready", "False")), going("not ready yet")),
        (value("v1", "Pod", phase="Failed", message="evicted"), bad("evicted")),
        (
            value("apiextensions.k8s.io/v1", "CustomResourceDefinition", **condition("Established")),
            GOOD,
        ),
        (value("apiextensions.k8s.io/v1", "CustomResourceDefinition"), going("not established yet")),
        (
            value(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                **condition("NamesAccepted", "False", message="shops is taken"),
            ),
            bad("shops is taken"),
        ),
        (value("v1", "ConfigMap"), GOOD),
        (value("acme.example/v1", "Deployment"), GOOD),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "status": "nonsense"}, going("0 of 1 replicas are updated")),
    ],
)
def test_other_kinds_are_well_when_what_they_promise_is_there(made, found):
    assert judge(made) == found


def test_only_kinds_with_something_to_wait_for_are_watched():
    assert is_watched("apps/v1", "Deployment")
    assert not is_watched("v1", "ConfigMap")
    assert not is_watched("networking.k8s.io/v1", "Ingress")
    assert is_watched("acme.example/v1", "Deployment")
    assert is_watched("apiregistration.k8s.io/v1", "APIService")


STALLED = condition("Stalled", reason="NoQuota", message="ask for more")


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({}, GOOD),
        ({"phase": "anything"}, GOOD),
        (SEEN | condition("Ready"), GOOD),
        (condition("Ready"), GOOD),
        (condition("Available"), GOOD),
        ({"observedGeneration": 1} | condition("Ready"), going("not seen by its controller yet")),
        (condition("Ready", observedGeneration=1), going("not seen by its controller yet")),
        (SEEN | condition("Ready", "False", reason="Pulling"), going("not ready yet: Pulling")),
        (SEEN | condition("Ready", "Unknown"), going("not ready yet")),
        (SEEN | condition("Available", "False", message="no goods"), going("not available yet: no goods")),
        (SEEN | condition("Reconciling", message="step 2"), going("step 2")),
        (SEEN | condition("Reconciling", "False"), GOOD),
        (SEEN | STALLED, bad("NoQuota: ask for more")),
        ({"observedGeneration": 1} | STALLED, going("not seen by its controller yet")),
        ({"conditions": "garbage"}, GOOD),
    ],
)
def test_a_custom_resource_is_well_by_its_standard_status(status, found):
    assert judge(value("acme.example/v1", "Shop", **status)) == found


def test_a_custom_resource_that_goes_is_not_well():
    going_away = value("acme.example/v1", "Shop") | {"metadata": {"deletionTimestamp": "2026-11-26T09:00:00Z"}}
    assert judge(going_away) == going("it is being deleted")
