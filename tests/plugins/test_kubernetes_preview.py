"""The objects that a change creates, updates and leaves out, from what the tree renders before and after."""

from collections.abc import Mapping

import pytest

from gitops_hooks.edge.render import BothTrees
from gitops_hooks.hookspec import Check, Rendering
from gitops_hooks.model.kubernetes import Kubernetes, Prune
from gitops_hooks.model.policy import Environment
from gitops_hooks.plugins.kubernetes.deployer import gitops_deployers
from gitops_hooks.testing import a_bench
from tests.plugins.previewed import Files, lines, preview_of, rendered
from tests.unpacked import KUBECTL

PAGE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {text: %s}\n"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: "web:%s", env: [{name: DB_PASSWORD, value: %s}]}]}}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {word: %s}\n"
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\n"
PLAIN = {
    "k8s/page.yaml": PAGE % ("page", "hello"),
    "k8s/sub/web.yaml": WEB % (1, "hunter2hunter2"),
    "k8s/secret.yaml": SECRET % "first",
    "README.md": "x\n",
}
OVERLAY = {
    "base/kustomization.yaml": "resources: [page.yaml]\n",
    "base/page.yaml": PAGE % ("page", "hello"),
    "k8s/kustomization.yaml": "resources: [../base]\nnamePrefix: live-\n",
}


def told(edit: Files, files: Mapping[str, str] = PLAIN, prune: Prune = Prune.SAFE) -> list[str]:
    keys = Kubernetes("k8s", prune=prune)
    environment = Environment("shop", "refs/heads/main", "kubernetes", "", "", None, "", kubernetes=keys)
    preview = preview_of(files, edit, environment)
    (deployer,) = gitops_deployers()
    assert deployer.render is not None
    tools = Check("render", "", lambda change, tree, bench: (), tools=deployer.render.tools)
    both = BothTrees(preview.old.tree, preview.new.tree)
    bench = a_bench(tools, tree=both, tool_folders=(KUBECTL,))
    return list(lines(rendered(Rendering(deployer.render.run), preview, bench=bench)))


def test_objects_are_told_one_by_one() -> None:
    edit = {
        "k8s/page.yaml": None,
        "k8s/new.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}',
    }
    assert told({**edit, "k8s/sub/web.yaml": WEB % (2, "hunter2hunter2")}) == [
        "objects: 1 created, 1 updated, 1 left out",
        "create ConfigMap new",
        "prune ConfigMap page",
        "update Deployment web: @@ -11,3 +11,3 @@\n           value: withheld\n"
        "-        image: web:1\n+        image: web:2\n         name: web",
    ]


def test_no_secret_is_told() -> None:
    found = told({"k8s/secret.yaml": SECRET % "second", "k8s/sub/web.yaml": WEB % (1, "other2other2")})
    assert found == ["objects: 2 updated", "update Secret db: withheld", "update Deployment web: withheld"]


def test_a_change_of_nothing_that_is_rendered_tells_nothing() -> None:
    assert told({"README.md": "y\n"}) == []
    assert told({"k8s/page.yaml": "# said\n" + PAGE % ("page", "hello")}) == ["objects: none differs"]


@pytest.mark.parametrize(
    ("prune", "words"),
    [
        (Prune.SAFE, ["prune ConfigMap page", "no more, and left in the cluster: PersistentVolumeClaim disk"]),
        (Prune.ALL, ["prune ConfigMap page", "prune PersistentVolumeClaim disk"]),
        (
            Prune.NONE,
            [
                "no more, and left in the cluster: ConfigMap page",
                "no more, and left in the cluster: PersistentVolumeClaim disk",
            ],
        ),
    ],
)
def test_what_goes_is_told_as_the_policy_prunes(prune: Prune, words: list[str]) -> None:
    files = {**PLAIN, "k8s/claim.yaml": CLAIM}
    assert told({"k8s/claim.yaml": None, "k8s/page.yaml": None}, files, prune)[1:] == words


def test_a_kustomization_is_rendered_with_what_it_stands_on() -> None:
    assert told({"base/page.yaml": PAGE % ("page", "bye")}, OVERLAY) == [
        "objects: 1 updated",
        "update ConfigMap live-page: @@ -2,3 +2,3 @@\n data:\n-  text: hello\n+  text: bye\n kind: ConfigMap",
    ]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            {"k8s/kustomization.yaml": "resources: ['https://example.org/a.yaml']\n"},
            "? k8s brings https://example.org/a.yaml from outside the repository",
        ),
        ({"k8s/kustomization.yaml": "resources: [gone.yaml]\n"}, "? the new tree cannot be rendered: accumulating"),
        ({"base/page.yaml": "kind: ConfigMap\n"}, "? the new tree cannot be rendered: "),
    ],
)
def test_what_cannot_be_rendered_says_so(edit: Files, why: str) -> None:
    (found,) = told(edit, OVERLAY)
    assert found.startswith(why)
