"""The check `kubernetes`: manifests fit the version of Kubernetes that the policy names, and CRDs of the repository.

Every YAML or JSON document that says apiVersion and kind is a manifest. Kustomizations are rendered where this server
has `kustomize` or `kubectl`; where it has neither, that is said. Templates (below `templates/` or `files/`, with `{{`
in them) are not manifests yet, and are left alone.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tool, Tree, Workbench, hookimpl

if TYPE_CHECKING:
    from gitops_hooks.plugins.kubernetes_reading import Reading

LOADED_AHEAD = ("gitops_hooks.plugins.kubernetes_reading", "gitops_hooks.plugins.kubernetes_render")

VERSIONS = tuple(f"1.{minor}" for minor in range(25, 38))
_PATHS = ("**/*.yml", "**/*.yaml", "**/*.json")
_NAMES = (*_PATHS, "**/Kustomization")
OPTIONS = (
    Option("version", OptionKind.TEXT, None, "the version of the clusters", choices=VERSIONS),
    Option("manifests", OptionKind.GLOBS, _PATHS, "files that may hold manifests"),
    Option("ignore", OptionKind.GLOBS, (), "files that are not looked at"),
    Option("crds", OptionKind.TEXTS, ("crds", "config/crd"), "files and folders with CustomResourceDefinitions"),
    Option("kustomizations", OptionKind.TEXTS, (), "folders rendered whenever something that they read changes"),
    Option(
        "remote", OptionKind.TEXT, "warning", "what a kustomization from elsewhere is", choices=("error", "warning")
    ),
)
TOOLS = (Tool("kustomize", ("version",)), Tool("kubectl", ("version", "--client")))


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check over manifests, asked when YAML or JSON changed."""
    summary = "manifests fit the version of Kubernetes that the policy names"
    return [Check("kubernetes", summary, check_manifests, ("**",), OPTIONS, TOOLS)]


def check_manifests(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported when there is work: the validator is a library of fifteen megabytes.
    from gitops_hooks.plugins.kubernetes_reading import open_reading
    from gitops_hooks.plugins.kubernetes_render import render_all

    opened = open_reading(change, tree, bench)
    if isinstance(opened, str):
        yield Finding(".gitops/policy.yaml", 0, f"checks: kubernetes: {opened}")
        return
    yield from _judge_all(opened)
    yield from render_all(opened)


def _judge_all(reading: "Reading") -> Iterator[Finding]:
    yield from reading.faults
    for path, documents in reading.files.items():
        yield from reading.judge(path, documents)
    yield from reading.unknown()
