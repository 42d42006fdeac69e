"""The check `json`: every changed *.json and *.jsonc file is JSON, and says each thing once.

Files that programs read with comments and trailing commas in them (option `comments`) may have both. Not looked at:
symbolic links, files that ansible-vault encrypted, and templates of JSON (below a folder named `templates` or `files`,
with `{{` or `{%` in them).
"""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tree, Workbench, hookimpl, matches_any

LOADED_AHEAD = ("gitops_hooks.plugins.documents", "gitops_hooks.plugins.json_text")

COMMENTS = (
    *("**/*.jsonc", "**/.vscode/**", "**/tsconfig*.json", "**/jsconfig*.json", "**/devcontainer.json"),
    *("**/.devcontainer/**", "**/.eslintrc.json", "**/renovate.json", "**/.renovaterc.json", "**/.swcrc.json"),
    *("**/.markdownlint.json", "**/api-extractor.json"),
)
OPTIONS = (
    Option("ignore", OptionKind.GLOBS, (), "files that are not looked at"),
    Option("comments", OptionKind.GLOBS, COMMENTS, "files that may hold comments and trailing commas"),
)
_PATHS = ("**/*.json", "**/*.jsonc")


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check, asked when a JSON file changed.

    Starting a child takes as long as reading some 350 files, so that there are no more of them than most machines have
    cores.
    """
    return [Check("json", "JSON files parse and hold no key twice", check_json, _PATHS, OPTIONS, each=True, parts=2)]


def check_json(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported when there is work: no push pays for the patterns of a check that it does not need.
    from gitops_hooks.plugins.documents import open_texts
    from gitops_hooks.plugins.json_text import is_json, parse_json, without_comments

    for path, text in open_texts(change, tree, _PATHS, bench.options["ignore"]):
        if isinstance(text, Finding):
            yield text
            continue
        if is_json(text):
            # Without comments, therefore: whether it may hold any is asked of other files alone.
            continue
        commented = matches_any(bench.options["comments"], path)
        for fault in parse_json(without_comments(text) if commented else text)[1]:
            yield Finding(path, fault.line, fault.message)
