"""The check `command`: commands of the repository (make test, pytest) pass on what would land.

The policy says which. They are no part of the push: the server runs them after it, in the sandbox of tools, on a
writable copy of the tree that would land, and nothing lands before each has passed on exactly that tree.
"""

import re
from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import (
    Change,
    Check,
    Command,
    EdgeError,
    Option,
    OptionKind,
    Tree,
    Workbench,
    hookimpl,
    matches_any,
)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
OPTIONS = (
    Option("commands", OptionKind.MAP, None, "each command by its name, as a line or a script of /bin/sh"),
    Option("paths", OptionKind.LISTS, {}, "by a command's name, the changed files that it is for; all without them"),
    Option("seconds", OptionKind.NUMBER, 600, "the time that one command may take", least=1, most=24 * 3600),
)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check; which commands there are, its options say."""
    summary = "commands of the repository pass on what would land"
    return [Check("command", summary, check_command, options=OPTIONS, kept=False, commands=True)]


def check_command(change: Change, tree: Tree, bench: Workbench) -> Iterator[Command]:
    """Errors: EdgeError where an option names a command that there is not, or gives one a strange name."""
    commands, paths = bench.options["commands"], bench.options["paths"]
    if not commands:
        raise EdgeError("commands", "is empty; name at least one command, or do not ask for the check")
    for name in commands:
        if not _NAME.fullmatch(name):
            raise EdgeError(f"commands: {name}", "is no name; one has lower-case letters, digits, - and _, at most 32")
    if strange := [name for name in paths if name not in commands]:
        raise EdgeError(f"paths: {strange[0]}", "is for no command that there is")
    changed = [file.path for file in change.files]
    for name, script in commands.items():
        if name not in paths or any(matches_any(paths[name], path) for path in changed):
            yield Command(name, ("/bin/sh", "-e", "-c", script), bench.options["seconds"])
