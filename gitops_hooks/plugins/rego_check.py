"""The check `rego`: OPA policies of the target branch are asked about changed files, by conftest's conventions."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tool, Tree, Workbench, hookimpl

LOADED_AHEAD = ("gitops_hooks.plugins.rego_judge", "gitops_hooks.plugins.rego_opa")

_PATHS = (
    *("**/*.yml", "**/*.yaml", "**/*.json", "**/*.toml", "**/*.ini", "**/Dockerfile", "**/Dockerfile.*"),
    *("**/*.tf", "**/*.tofu", "**/*.tfvars", "**/*.hcl"),
)
OPTIONS = (
    Option("policy", OptionKind.TEXT, "policy", "the folder of the policies, read from the target branch"),
    Option("namespaces", OptionKind.TEXTS, ("main",), "the packages whose deny, violation and warn are asked"),
    Option("paths", OptionKind.GLOBS, _PATHS, "the files that they are asked about"),
    Option("combine", OptionKind.TRUTH, False, "ask about all these files of the tree at once, as a list"),
    Option("engine", OptionKind.TEXT, "", "who answers; empty: opa where the server has it", ("opa", "regorus", "")),
)
TOOLS = (Tool("opa", ("version",)),)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check; which files it reads, its options say."""
    says = "documents pass the OPA policies of the target branch"
    return [Check("rego", says, check_rego, options=OPTIONS, tools=TOOLS)]


def check_rego(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported where it is needed: the policy may ask for nothing of it.
    from gitops_hooks.plugins.rego_judge import judge_policies

    yield from judge_policies(change, tree, bench)
