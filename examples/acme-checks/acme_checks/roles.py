"""Roles are named after the house."""

from collections.abc import Iterator

from gitops_hooks.plugin import Change, Check, EdgeError, Finding, Option, OptionKind, Tree, Workbench

EXCEPTIONS = ".acme-roles"
PREFIX = Option("prefix", OptionKind.TEXT, "acme-", "how the name of each role begins")


def find_roles(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """One finding a role, at the first of its paths that changed."""
    prefix, seen = bench.options["prefix"], _excepted(bench.target)
    for file in change.files:
        parts = file.path.split("/")
        if file.deleted or parts[0] != "roles" or len(parts) < 3 or parts[1] in seen:
            continue
        seen.add(parts[1])
        if not parts[1].startswith(prefix):
            yield Finding(file.path, 0, f"call the role {prefix}{parts[1]}, or except it in {EXCEPTIONS}")


def _excepted(target: Tree) -> set[str]:
    # From the target: whoever brings a role together with its exception has excepted nothing yet.
    try:
        return set(target.read(EXCEPTIONS).decode(errors="replace").split())
    except EdgeError:
        return set()


ROLES = Check("acme-roles", "roles are named after the house", find_roles, ("roles/**",), (PREFIX,))
