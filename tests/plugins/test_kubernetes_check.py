# ruff: noqa: E501  # a table is read along its lines
"""What the check `kubernetes` finds in manifests, custom resources and kustomizations, and what it leaves alone."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from gitops_hooks.plugin import Severity
from gitops_hooks.plugins.kubernetes_check import VERSIONS, gitops_checks
from gitops_hooks.plugins.kubernetes_patches import Kustomizations
from gitops_hooks.plugins.kubernetes_removed import GONE
from gitops_hooks.plugins.kubernetes_schemas import load_schemas
from gitops_hooks.testing import MemoryTree, run_check

(CHECK,) = gitops_checks()

Told = list[tuple[str, int, str]]


def findings(files: dict[str, str | bytes], severity: Severity | None = None, **more: object) -> Told:
    """What is told of these files on Kubernetes 1.31, or of those of one severity."""
    options = {"version": "1.31"} | more.pop("options", {})
    content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    found = run_check(CHECK, content, options=options, **more)
    return [(each.path, each.line, each.message) for each in found if severity in (None, each.severity)]


def told(text: str, **options: str) -> list[tuple[int, str]]:
    return [(line, words) for _, line, words in findings({"a.yaml": text}, options=options)]


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: shop:1
          resources: {limits: {cpu: 1, memory: 64Mi}}
          ports:
            - containerPort: 80
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 80, targetPort: http}]\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  replicas: 2", "  replica: 2", (6, "spec: 'replica' is not known here")),
        ("replicas: 2", "replicas: two", (6, "spec.replicas: must be a whole number")),
        ("  selector:\n    matchLabels: {app: shop}\n", "", (6, "spec: 'selector' is missing")),
        ("containerPort: 80", "port: 80", (18, "spec.template.spec.containers.0.ports.0: 'port' is not known here")),
        ("        - name: shop\n          image", "        - image", (14, "spec.template.spec.containers.0: 'name' is missing")),
        ("  name: shop\nspec", "  labels: {a: b}\nspec", (3, "metadata: 'name' is missing")),
        ("name: shop\nspec", "name: shop\n  labels: {a: 1}\nspec", (5, "metadata.labels.a: must be a text")),
        ("apps/v1\n", "apps/v2\n", (1, "Kubernetes 1.31 knows no Deployment in apps/v2; it is in apps/v1")),
        ("kind: Deployment", "kind: Deploiment", (1, "Kubernetes 1.31 knows no Deploiment in apps/v1; is its name or that of its group mistyped?")),
        ("apps/v1", "extensions/v1beta1", (1, "Deployment in extensions/v1beta1 is gone since Kubernetes 1.16; use apps/v1")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_manifest_is_told_on_its_line(old, new, expected):
    assert old in DEPLOYMENT
    assert expected in told(DEPLOYMENT.replace(old, new, 1))


@pytest.mark.parametrize(
    "text",
    [
        DEPLOYMENT,
        SERVICE,
        NAMESPACE,
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-, creationTimestamp: null}\nspec: {containers: [{name: a}]}\n",
        "apiVersion: v1\nkind: Config\nclusters: []\n",
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n",
        "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "kind: pipeline\nname: a\n",
        "- hosts: all\n  tasks: []\n",
        DEPLOYMENT.replace("replicas: 2", "replicas: ${REPLICAS}"),
        DEPLOYMENT.replace("replicas: 2", "replicas: {{replicas}}"),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {}\nstringData: {a: b}\n---\n" + NAMESPACE,
    ],
)
def test_good_manifests_and_what_is_none_are_left_alone(text):
    assert told(text) == []


def test_every_item_of_a_list_is_judged_on_its_line():
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n  spek: {}\n"
    )
    assert told(text) == [(7, "'spek' is not known here")]


def test_the_same_manifest_on_another_version():
    text = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n"
    assert told(text, version="1.25") == [(1, "CronJob in batch/v1beta1 is gone since Kubernetes 1.25; use batch/v1")]
    scale = "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec:\n"
    scale += "  maxReplicas: 1\n  scaleTargetRef: {kind: Deployment, name: a}\n"
    assert findings({"a.yaml": scale}, Severity.WARNING, options={"version": "1.25"}) == [
        (
            "a.yaml",
            1,
            "HorizontalPodAutoscaler in autoscaling/v2beta2 is deprecated since Kubernetes 1.23, and gone from 1.26 on; "
            "use autoscaling/v2",
        )
    ]
    assert findings({"a.yaml": scale}, Severity.ERROR, options={"version": "1.25"}) == []


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.acme.example}
spec:
  group: acme.example
  names: {kind: Shop, plural: shops}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: integer, minimum: 1, exclusiveMinimum: true}
                port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
                none: {type: string, nullable: true}
                code: {type: string, pattern: '^(?i)(abort|warn)?$'}
"""
SHOP = "apiVersion: acme.example/v1\nkind: Shop\nmetadata: {name: a}\nspec:\n"


def test_a_custom_resource_is_judged_by_the_definition_in_the_repository():
    good = SHOP + "  size: 2\n  port: http\n  free: {a: x, b: 1}\n  none: null\n  code: Abort\nstatus: {x: 1}\n"
    bad = SHOP + "  sizes: 2\n  port: [1]\n  free: {a: 1}\n  code: stop\n"
    files = {"crds/shop.yaml": CRD, "good.yaml": good, "bad.yaml": bad}
    assert sorted(findings(files, changed=["good.yaml", "bad.yaml"])) == [
        ("bad.yaml", 5, "spec: 'size' is missing"),
        ("bad.yaml", 5, "spec: 'sizes' is not known here"),
        ("bad.yaml", 6, "spec.port: fits none of the forms that are allowed here (must be a whole number; or must be a text)"),
        ("bad.yaml", 6, "spec.port: must be a whole number or a text"),
        ("bad.yaml", 7, "spec.free.a: must be a text"),
    ]  # fmt: skip


def test_a_definition_that_comes_with_the_change_counts():
    assert findings({"x/shop.yaml": CRD, "a.yaml": SHOP + "  size: 0\n"}) == [
        ("a.yaml", 5, "spec.size: the value is less than or equal to the minimum of 1")
    ]


def test_a_definition_elsewhere_is_named_by_an_option():
    files = {"infra/defs/shop.yaml": CRD, "a.yaml": SHOP + "  size: x\n"}
    assert findings(files, Severity.ERROR, changed=["a.yaml"]) == []
    assert findings(files, changed=["a.yaml"], options={"crds": ("infra/defs",)}) == [
        ("a.yaml", 5, "spec.size: must be a whole number")
    ]


def test_a_kind_without_a_schema_is_told_once_and_refuses_nothing():
    files = {"a.yaml": SHOP, "b.yaml": SHOP}
    words = "no schema of Shop in acme.example/v1 is known, so it was not looked at; "
    words += "name the folder of its CustomResourceDefinition in the option crds"
    assert findings(files) == findings(files, Severity.WARNING) == [("a.yaml", 1, words)]


@pytest.mark.parametrize("spec", ["[]", "{}", "{group: a, names: {}}", "{group: a, names: {kind: B}, versions: [x]}"])
def test_a_definition_that_cannot_be_read_is_told(spec):
    text = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: " + spec
    assert ("a.yaml", 1, "is no CustomResourceDefinition that can be read") in findings({"a.yaml": text})


PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  replicas: 3\n  $patch: merge\n"


@pytest.mark.parametrize("entry", ["patches: [{path: p.yaml}]", "patches: [p.yaml]", "patchesStrategicMerge: [p.yaml]"])
def test_a_patch_may_leave_out_what_it_does_not_change(entry):
    files = {"prod/kustomization.yaml": f"resources: [../base]\n{entry}\n", "prod/p.yaml": PATCH}
    assert [each for each in findings(files, Severity.ERROR) if each[0] == "prod/p.yaml"] == []
    wrong = files | {"prod/p.yaml": PATCH.replace("replicas: 3", "replicas: x")}
    assert ("prod/p.yaml", 5, "spec.replicas: must be a whole number") in findings(wrong)
    alone = {"prod/p.yaml": PATCH}
    assert len(findings(alone, Severity.ERROR)) == 3


KUSTOMIZED = {
    "base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "base/deployment.yaml": DEPLOYMENT,
    "prod/kustomization.yaml": "resources: [../base]\nreplicas: [{name: shop, count: 3}]\n",
}


class NoTools:
    """A workbench of a server that has no tools."""

    def __init__(self, version: str = "1.31") -> None:
        self.options = {option.name: option.default for option in CHECK.options} | {"version": version}
        self.target = MemoryTree({})

    def tool(self, name: str) -> None:
        return None


def test_without_a_tool_a_kustomization_that_is_touched_is_told_and_not_passed_in_silence():
    from gitops_hooks.testing import a_change

    tree = MemoryTree({path: text.encode() for path, text in KUSTOMIZED.items()})
    found = list(CHECK.run(a_change(tree, ["base/deployment.yaml"]), tree, NoTools()))
    words = "not rendered, and so not looked at: this server has neither kustomize nor kubectl for its checks"
    assert [(each.path, each.message, each.severity) for each in found] == [
        ("base/kustomization.yaml", words, Severity.WARNING)
    ]


def test_what_comes_from_outside_the_repository_is_told():
    files = {"prod/kustomization.yaml": "resources: ['https://github.com/acme/base?ref=v1']\n"}
    words = "brings https://github.com/acme/base?ref=v1 from outside the repository, so what it makes was not looked at"
    assert findings(files, Severity.WARNING) == [("prod/kustomization.yaml", 0, words)]
    assert findings(files, Severity.ERROR, options={"remote": "error"}) == [("prod/kustomization.yaml", 0, words)]


def test_what_a_kustomization_reads_is_found_through_its_bases():
    tree = MemoryTree({path: text.encode() for path, text in KUSTOMIZED.items()})
    assert Kustomizations(tree).below("prod") == ({"prod", "base", "base/deployment.yaml"}, [])
    circle = MemoryTree(
        {"a/kustomization.yaml": b"resources: [../b]\n", "b/kustomization.yaml": b"resources: [../a]\n"}
    )
    assert Kustomizations(circle).below("a") == ({"a", "b"}, [])


HAS_TOOL = bool(shutil.which("kustomize") or shutil.which("kubectl"))


def test_a_kustomization_is_rendered_where_a_tool_is_and_what_it_makes_is_judged():
    wrong = KUSTOMIZED | {
        "prod/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: add, path: /spec/x, value: 1}\n"
    }
    found = findings(wrong, changed=["prod/kustomization.yaml"])
    if HAS_TOOL:
        assert found == [("prod/kustomization.yaml", 0, "Deployment shop as rendered: spec: 'x' is not known here")]
    else:
        assert [words for _, _, words in found if words.startswith("not rendered")]


def test_an_overlay_that_the_option_names_is_rendered_when_its_base_changes():
    broken = KUSTOMIZED | {"prod/kustomization.yaml": "resources: [../base, gone.yaml]\n"}
    found = findings(broken, changed=["base/deployment.yaml"], options={"kustomizations": ("prod",)})
    prod = [words for path, _, words in found if path == "prod/kustomization.yaml"]
    assert len(prod) == 1
    assert prod[0].startswith("cannot be rendered: " if HAS_TOOL else "not rendered, ")


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 25_000, b"\xff", NAMESPACE.encode("utf-16"), b"a: &a [x]\nb: &b [*a, *a]\n", b"\xef\xbb\xbf" + NAMESPACE.encode(),
        b"apiVersion: 1\nkind: 2\n", b"apiVersion: v1\nkind: []\n", b"apiVersion: v1\nkind: List\nitems: 5\n",
        b"apiVersion: v1\nkind: List\nitems: [5, null]\n", b"apiVersion: v1\nkind: Namespace\nmetadata: 5\n",
        b"apiVersion: ${V}\nkind: Namespace\n",
    ],
    ids=range(11),
)  # fmt: skip
def test_bad_input_ends_the_check_nowhere(text):
    findings({"a.yaml": text, "kustomization.yaml": text, "crds/a.yaml": text})


def test_what_cannot_be_read_is_told_by_its_line():
    assert findings({"a.yaml": "a: [\n", "b.json": "{", "c.yaml": b"\xff", "d/files/a.yaml": "{{ a }}: [\n"}) == [
        ("a.yaml", 2, "did not find expected node content, while parsing a flow node"),
        ("b.json", 1, "ends before the object of line 1 is closed"),
        ("c.yaml", 1, "not UTF-8; save the file as UTF-8"),
    ]


def test_templates_are_no_manifests_yet():
    assert findings({"chart/templates/a.yaml": NAMESPACE + "x: {{ .Values.x }}\n"}) == []


def test_the_versions_that_a_policy_may_name_are_those_that_the_server_has():
    spec = find_spec("kubernetes_validate")
    folder = Path(spec.origin).parent / "kubernetes-json-schema"
    there = {each.name.removeprefix("v").removesuffix(".0-local-strict") for each in folder.glob("v*-local-strict")}
    assert there == set(VERSIONS)
    assert load_schemas("1.9") == "this server has no schemas of Kubernetes 1.9"


def test_what_is_gone_has_no_schema_from_then_on_and_had_one_before():
    kinds = {version: load_schemas(version).names for version in VERSIONS}
    for (version, kind), gone in GONE.items():
        for minor in range(25, 38):
            if gone.removed and gone.removed <= minor:
                assert (version, kind) not in kinds[f"1.{minor}"], (version, kind, minor)
            elif minor == gone.removed - 1:
                assert (version, kind) in kinds[f"1.{minor}"], (version, kind, minor)
