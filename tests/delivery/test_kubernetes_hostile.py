"""The deployer `kubernetes` where somebody means harm, something hangs, or a run is killed on the way."""

import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from gitops_hooks.model.server import Limits
from tests.cluster.server import TOKEN
from tests.delivery.boxed import without_time
from tests.delivery.kubernetes_desk import CONFIG, FOLDER, error, failed, grant, inventory, keep, make_desk
from tests.unpacked import KUBECTL


@pytest.fixture
def desk(tmp_path, cluster):
    return make_desk(tmp_path, cluster)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"user": {"exec": {"command": "touch", "args": ["/tmp/x"]}}},
            "exec: is refused, since it starts a program",
        ),
        ({"user": {"tokenFile": "/etc/passwd"}}, "tokenFile: is refused, since it names another file"),
        (
            {"cluster": {"insecure-skip-tls-verify": True}},
            "insecure-skip-tls-verify: is refused, since nobody would know which server answers",
        ),
        (
            {"user": {"auth-provider": {"name": "gcp"}}},
            "auth-provider: is refused, since it starts a program, or asks another server",
        ),
        ({"user": {"new-thing": "x"}}, "new-thing: is refused, since it is not known"),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_reaches_further_is_refused_by_name(desk, tmp_path, cluster, more, said):
    grant(desk, tmp_path, cluster.kubeconfig(**more))
    assert without_time(desk.deploy()) == error(
        f"kubeconfig: {said}; write all into one file, with a token of a service account: "
        "kubectl config view --raw --flatten --minify"
    )


def test_a_kubeconfig_without_tls_is_refused_and_so_is_none(desk, tmp_path, cluster):
    grant(desk, tmp_path, cluster.kubeconfig(cluster={"server": "http://127.0.0.1:9"}))
    assert without_time(desk.deploy()) == error(
        "kubeconfig: server: must begin with https://, since the token is sent to it"
    )
    desk.granted = replace(desk.granted, kubeconfig=None)
    assert without_time(desk.deploy()) == error(
        "credentials: this environment is granted no kubeconfig; add one to its [[credential]]"
    )


def test_the_inventory_is_no_manifest(desk):
    name = f"gitops-hooks-staging-{hashlib.sha256(b'r1 staging').hexdigest()[:8]}"
    desk.tree[f"{FOLDER}/page.yaml"] = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
    assert without_time(desk.deploy()) == error(
        f"ConfigMap {name} is the inventory of this environment, and no manifest; take it out"
    )


def test_the_token_is_never_told(desk, cluster):
    desk.tree[f"{FOLDER}/page.yaml"] = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {TOKEN}}}\n"
    cluster.refuse.add("ConfigMap")
    (host,) = desk.deploy().hosts
    assert TOKEN not in host.detail


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "manifests: k8s is no folder of the repository; correct the environment's entry"),
        (
            {"k8s/README.md": ""},
            "manifests: k8s holds no kustomization and no YAML or JSON; correct the environment's entry",
        ),
        (
            {"k8s/a.yaml": CONFIG % 1, "k8s/prod/kustomization.yaml": "resources: []\n"},
            "manifests: prod is a kustomization in a folder that is none; add a kustomization.yaml to k8s, or name the "
            "inner folder",
        ),
        ({"k8s/kustomization.yaml": "resources: []\nnamePrefix: a\n"}, None),
    ],
)
def test_what_is_no_manifest_is_an_error_that_says_the_cure(desk, tree, said):
    desk.tree = tree or {"README.md": ""}
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR
    if said:
        assert outcome.detail == said


@pytest.mark.parametrize(
    "resource", ["https://127.0.0.1:9/a.yaml", "github.com/acme/site//k8s?ref=main", "git::https://127.0.0.1:9/a.git"]
)
def test_nothing_is_fetched_from_outside_the_repository(desk, resource):
    desk.tree[f"{FOLDER}/kustomization.yaml"] = f"resources: ['{resource}']\n"
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR
    assert outcome.detail.startswith("k8s cannot be rendered: accumulating resources")
    assert outcome.detail.endswith("; nothing is fetched from outside the repository: put it into the tree")


GENERATOR = """\
apiVersion: acme.example/v1
kind: Maker
metadata:
  name: a
  annotations: {config.kubernetes.io/function: "exec: {path: ./make.sh}"}
"""


def test_no_program_of_the_tree_runs_while_it_is_rendered(desk):
    desk.tree[f"{FOLDER}/kustomization.yaml"] = "generators: [maker.yaml]\n"
    desk.tree[f"{FOLDER}/maker.yaml"] = GENERATOR
    desk.tree[f"{FOLDER}/make.sh"] = (0o100755, f"#!/bin/sh\necho '{CONFIG % 'made'}'\n")
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR and outcome.detail.startswith("k8s cannot be rendered: ")
    desk.tree[f"{FOLDER}/kustomization.yaml"] = "helmCharts: [{name: a, version: 1.0.0}]\n"
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR and "--enable-helm" in outcome.detail


LOOK = """\
import os, socket, sys
names = sorted(name for _, name in socket.if_nameindex())
sys.exit(str((names, os.listdir("/run/credentials"))))
"""


def test_what_is_rendered_sees_no_network_and_no_credential(desk, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir(mode=0o755)
    (tools / "kubectl").write_text(f"#!{sys.executable} -I\n{LOOK}")
    (tools / "kubectl").chmod(0o755)
    desk.granted = replace(desk.granted, tools=(tools,))
    assert without_time(desk.deploy()) == error("k8s cannot be rendered: (['lo'], [])")


def test_a_kustomization_that_explodes_is_an_error_in_time(desk):
    bomb = "".join(f"  {chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
    desk.tree[f"{FOLDER}/page.yaml"] = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: &a [x]\n{bomb}"
    )
    began = time.monotonic()
    outcome = desk.deploy()
    assert outcome.state is RunState.ERROR and outcome.detail.startswith("k8s cannot be rendered: ")
    assert time.monotonic() - began < 30


def test_what_renders_more_than_anybody_reads_is_an_error(desk):
    desk.tree[f"{FOLDER}/kustomization.yaml"] = f"resources: [{', '.join(f'a{n}.yaml' for n in range(20))}]\n"
    for number in range(20):
        text = "x" * 900_000
        desk.tree[f"{FOLDER}/a{number}.yaml"] = (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{number}}}\ndata: {{x: {text}}}\n"
        )
    assert without_time(desk.deploy()) == error("k8s renders more than 16 MiB; split the environment")


def hanging(tmp_path, word: str) -> Path:
    """A kubectl that says nothing any more as soon as it is asked for this."""
    tools = tmp_path / "hanging"
    tools.mkdir(mode=0o755)
    (tools / "itself").symlink_to(KUBECTL / "kubectl")
    text = f'#!/bin/sh\ntrap "" TERM\n[ "$1" != {word} ] || while :; do sleep 1; done\nexec {KUBECTL}/kubectl "$@"\n'
    (tools / "kubectl").write_text(text)
    (tools / "kubectl").chmod(0o755)
    return tools


def test_a_kubectl_that_never_stops_talking_is_ended(desk, tmp_path):
    tools = tmp_path / "talking"
    tools.mkdir(mode=0o755)
    (tools / "kubectl").write_text(f'#!/bin/sh\n[ "$1" != get ] || exec yes\nexec {KUBECTL}/kubectl "$@"\n')
    (tools / "kubectl").chmod(0o755)
    desk.granted = replace(desk.granted, tools=(tools, KUBECTL))
    assert without_time(desk.deploy()) == failed("kubectl: said more than 64 MiB at once")


def test_a_kubectl_that_hangs_is_ended_in_time(desk, tmp_path):
    desk.granted = replace(desk.granted, tools=(hanging(tmp_path, "apply"), KUBECTL))
    desk.limits = Limits(deploy_seconds=8.0)
    began = time.monotonic()
    outcome = desk.deploy()
    assert time.monotonic() - began < 25
    assert outcome.state is not RunState.SUCCESSFUL


def test_a_run_that_is_asked_to_end_says_so(desk, cluster):
    keep(desk, wait=60)
    cluster.sick.add("web")
    with desk.start() as running:
        desk.listen(running, lambda: len(desk.steps) == 2)
        running.terminate()
        outcome = desk.follow(running)
    assert without_time(outcome) == Outcome(
        RunState.CANCELED,
        (HostOutcome(FOLDER, HostState.FAILED, 2, "ended early (canceled)"),),
        0.0,
        "ended on request; deploy again to bring the cluster to one state",
    )


@pytest.mark.parametrize("at", ["POST ConfigMap", "PATCH ConfigMap page", "PATCH Deployment web", "DELETE", "PUT"])
def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next_one(desk, cluster, at):
    if at in ("DELETE", "PUT"):
        desk.tree[f"{FOLDER}/old.yaml"] = CONFIG.replace("page", "old") % 1
        desk.deploy()
        del desk.tree[f"{FOLDER}/old.yaml"]
        desk.tree[f"{FOLDER}/new.yaml"] = CONFIG.replace("page", "new") % 1
    reached = []
    cluster.on_write = lambda asked: reached.append(asked) if asked.startswith(at) else None
    with desk.start() as running:
        desk.listen(running, lambda: bool(reached))
        running.kill()
        desk.follow(running)
    # What it had applied goes with the tree that it came from, though it never came to an end.
    desk.tree = {f"{FOLDER}/other.yaml": CONFIG.replace("page", "other") % 1}
    assert desk.deploy().state is RunState.SUCCESSFUL
    assert inventory(cluster)[1] == ["ConfigMap shop/other"]
    assert [name for name in cluster.names("ConfigMap") if not name.startswith("gitops-hooks-")] == ["other"]
    assert cluster.names("Deployment") == []
