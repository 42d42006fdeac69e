"""The check `cel`: every document of the changed files says yes to the rules that the policy wrote in one line each."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tree, Workbench, hookimpl

LOADED_AHEAD = ("gitops_hooks.plugins.cel_rules",)

RULES = Option(
    "rules",
    OptionKind.RECORDS,
    None,
    "what every document must say yes to",
    fields=("name", "expr", "message", "paths?", "severity?"),
)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check; which files it reads, its rules say."""
    return [Check("cel", "documents say yes to one-line rules of the policy", check_cel, options=(RULES,), each=True)]


def check_cel(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported where it is needed: the policy may ask for nothing of it.
    from gitops_hooks.plugins.cel_rules import judge_documents

    yield from judge_documents(change, tree, bench.options["rules"])
