"""What an environment deploys, as one word: a plan or an outcome of another one is worth nothing."""

from dataclasses import replace

from gitops_hooks.entry.limiting import definition_of
from gitops_hooks.model.kubernetes import Kubernetes, Prune
from gitops_hooks.model.policy import Environment

ONE = Environment("shop", "refs/heads/main", "kubernetes", "", "", None, "policy.yaml:9", kubernetes=Kubernetes("k8s"))


def test_every_key_that_says_what_becomes_of_a_cluster_makes_another_definition():
    others = (
        Kubernetes("other"),
        Kubernetes("k8s", "shop"),
        Kubernetes("k8s", force_conflicts=True),
        Kubernetes("k8s", prune=Prune.ALL),
    )
    found = {definition_of(replace(ONE, kubernetes=keys)) for keys in (ONE.kubernetes, *others)}
    assert len(found) == 5


def test_how_long_somebody_waits_is_no_part_of_it():
    assert definition_of(ONE) == definition_of(replace(ONE, kubernetes=Kubernetes("k8s", wait=9)))
