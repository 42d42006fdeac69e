"""The check `toml`: every changed *.toml file is TOML 1.0.

Not looked at: symbolic links, files that ansible-vault encrypted, and templates of TOML (below a folder named
`templates` or `files`, with `{{` or `{%` in them). The parser stops at the first fault of a file.
"""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tree, Workbench, hookimpl

LOADED_AHEAD = ("gitops_hooks.plugins.documents", "gitops_hooks.plugins.toml_text")

OPTIONS = (Option("ignore", OptionKind.GLOBS, (), "files that are not looked at"),)
_PATHS = ("**/*.toml",)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check, asked when a TOML file changed; starting a child takes as long as reading some eighty files."""
    return [Check("toml", "TOML files parse", check_toml, _PATHS, OPTIONS, each=True, parts=4)]


def check_toml(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported when there is work: no push pays for the patterns of a check that it does not need.
    from gitops_hooks.plugins.documents import open_texts
    from gitops_hooks.plugins.toml_text import parse_toml

    for path, text in open_texts(change, tree, _PATHS, bench.options["ignore"]):
        if isinstance(text, Finding):
            yield text
            continue
        for fault in parse_toml(text)[1]:
            yield Finding(path, fault.line, fault.message)
