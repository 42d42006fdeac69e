"""A plugin as third parties write them, for the stories: names begin with what the policy says, or are excepted."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, EdgeError, Finding, Option, OptionKind, Tree, Workbench, hookimpl

EXCEPTIONS = ".naming"
OPTIONS = (
    Option("prefix", OptionKind.TEXT, "acme-", "how the name of each role begins"),
    Option("most", OptionKind.NUMBER, 30, "how long a name may be", least=6, most=99),
)


def check_names(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    try:
        excepted = bench.target.read(EXCEPTIONS).decode().split()
    except EdgeError:
        excepted = []
    for file in change.files:
        name = file.path.split("/")[1] if file.path.startswith("roles/") else ""
        if file.deleted or not name or name in excepted:
            continue
        if not name.startswith(bench.options["prefix"]):
            yield Finding(file.path, 0, f"call it {bench.options['prefix']}{name}")
        if len(name) > bench.options["most"]:
            yield Finding(file.path, 0, f"has more than {bench.options['most']} characters")


@hookimpl
def gitops_checks() -> Iterable[Check]:
    return [Check("naming", "roles are named after the house", check_names, ("roles/**",), OPTIONS)]
