"""The check `pre-commit`: the hooks that the target branch names, over changed files, in the box of tools.

Their environments are those that the administrator prepared; nothing is fetched or installed during a push.
"""

import json
import re
from collections.abc import Iterable, Iterator
from posixpath import dirname

from gitops_hooks.plugin import (
    Change,
    Check,
    EdgeError,
    Finding,
    Option,
    OptionKind,
    Ran,
    Severity,
    Tool,
    Tree,
    Workbench,
    hookimpl,
    parse_yaml,
)
from gitops_hooks.plugins.plain import plain_value
from gitops_hooks.plugins.precommit.told import told_findings
from gitops_hooks.plugins.shown import shown_paths

_FILE = ".pre-commit-config.yaml"
_FILES = (0o100644, 0o100755, 0o120000)
_MOST = 1000
_MOST_REPOSITORIES = 20
_GOOD, _FAULTS, _STOPPED = 0, 1, 3
_PROGRAM, _SHELL, _GIT = "pre-commit", "sh", "git"
# Hooks ask git which files there are, and what a commit would add. Ignored files belong to the tree as well.
_REPOSITORY = """\
git init -q -b proposal . && git add -A -f . && git rm -q --cached -- "$@" &&
git -c user.name=tool -c user.email=tool@box commit -q --no-verify --allow-empty -m before &&
git add -f -- "$@" || exit 99
"""
_RUN = _REPOSITORY + 'exec "$0" run -c /given/hooks.yaml --color never --show-diff-on-failure --files "$@"'
_READY = 'git init -q . && exec "$0" install-hooks -c /given/hooks.yaml'
_LOG = re.compile(r"Failed to write to log at |Check the log at ")
_ANY_OWNER = ("GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
_PAGE = "see the page of this check, docs/checks/pre-commit.md"
OPTIONS = (
    Option("home", OptionKind.TEXT, "", "where the environments lie on the server; empty: `hooks` beside its `bin`"),
    Option("folders", OptionKind.TEXTS, (), "what of the tree hooks see; none: all of it while it is small"),
)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check over all files; which hook looks at which is said in the repository."""
    tools = (Tool(_PROGRAM), Tool(_GIT), Tool(_SHELL, ("-c", "echo sh")))
    said = "the hooks of pre-commit that the branch names find nothing and change nothing"
    # The environments lie beside the program, and no version tells of them.
    return [Check("pre-commit", said, check_hooks, options=OPTIONS, tools=tools, kept=False)]


def check_hooks(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    if lacking := [name for name in (_PROGRAM, _GIT) if bench.tool(name) is None]:
        yield Finding(_FILE, 0, f"{lacking[0]} is not installed on the server, so no hook was asked; {_PAGE}")
        return
    yield from _announced(change, tree, bench)
    paths = [file.path for file in change.files if file.mode in _FILES]
    asked = [path for path in paths if not path.startswith("-")]
    for path in paths:
        if path.startswith("-"):
            # `--exit-zero` would be one that a linter obeys.
            yield Finding(path, 0, "hooks would take this name for an option; give the file another")
    hooks = _read(bench.target, _FILE)
    if hooks is None:
        words = "the branch has no such file yet, so no hook was asked about this change"
        yield Finding(_FILE, 0, words, Severity.WARNING)
    elif asked:
        yield from _asked(tree, bench, hooks, asked)


def _announced(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """Hooks that a change brings count after it has landed; what they need must be there by then."""
    if any(file.path == _FILE and not file.deleted for file in change.files):
        hooks = _read(tree, _FILE) or b""
        ran = _run(bench, _READY, hooks, [], [_FILE])
        if ran.status != _GOOD:
            yield from _missing(bench, ran, hooks, "hooks of this file could not be asked about the next change")


def _asked(tree: Tree, bench: Workbench, hooks: bytes, asked: list[str]) -> Iterator[Finding]:
    shown = shown_paths(tree, bench.options["folders"])
    shown = tuple(dict.fromkeys((*shown, *asked))) if shown != (".",) else shown
    if len(asked) > _MOST:
        words = f"only the first {_MOST} of {len(asked)} files were given to hooks"
        yield Finding(asked[_MOST], 0, words, Severity.WARNING)
    bench.say(f"running hooks over {len(asked[:_MOST])} files")
    ran = _run(bench, _RUN, hooks, asked[:_MOST], shown)
    if ran.status == _FAULTS:
        yield from told_findings(ran.stdout.decode("utf-8", "replace"), asked, _FILE)
    elif ran.status != _GOOD:
        yield from _missing(bench, ran, hooks, "no hook was asked")


def _run(bench: Workbench, script: str, hooks: bytes, asked: list[str], shown: Iterable[str]) -> Ran:
    program = bench.tool(_PROGRAM) or _PROGRAM
    home = bench.options["home"] or f"{dirname(dirname(program))}/hooks"
    words = [*_ANY_OWNER, f"PRE_COMMIT_HOME={home}", _SHELL, "-c", script, program, *asked]
    return bench.run(words, files=tuple(shown), given={"hooks.yaml": hooks}, writable=True)


def _missing(bench: Workbench, ran: Ran, hooks: bytes, what: str) -> Iterator[Finding]:
    """Environments that nobody prepared, or what else kept pre-commit from its work."""
    wanted = list(_unprepared(bench, hooks))
    for line, repository in wanted:
        words = (
            f"the environment of {repository[:100]} is not prepared on the server, so {what}; the administrator runs"
        )
        yield Finding(_FILE, line, f"{words} pre-commit install-hooks ({_PAGE})")
    if not wanted:
        said = _LOG.split((ran.stdout + b" " + ran.stderr).decode("utf-8", "replace"))[0]
        yield Finding(_FILE, 0, f"pre-commit does not start, so {what}: {' '.join(said.split())[:300]}")


def _unprepared(bench: Workbench, hooks: bytes) -> Iterator[tuple[int, str]]:
    """It names none itself: each repository of hooks is tried alone, with the line at which it stands."""
    documents, _ = parse_yaml(hooks)
    repos = documents[0].get("repos") if documents else None
    for repo in repos.items[:_MOST_REPOSITORIES] if repos else ():
        named = repo.get("repo")
        alone = json.dumps({"repos": [plain_value(repo)]}).encode()
        if named and _run(bench, _READY, alone, [], [_FILE]).status == _STOPPED:
            yield named.line, named.text


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except EdgeError:
        return None
