"""Changed files against the policies of the target branch, and changed policies against their tests."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_hooks.plugin import Change, ChangedFile, EdgeError, Finding, Severity, Tree, Workbench, matches_any
from gitops_hooks.plugins.plain_documents import Document, Plain, Unreadable, format_of, read_documents
from gitops_hooks.plugins.rego_engine import Asked, NoAnswer, open_question
from gitops_hooks.plugins.rego_policies import Policies, load_policies
from gitops_hooks.plugins.rego_proof import prove
from gitops_hooks.plugins.tree_paths import paths_named

_FILES = (0o100644, 0o100755)
_LINK = 0o120000

Ask = Callable[[Plain], list[list[str]]]


def judge_policies(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """Errors: EdgeError for policies in force that cannot be asked.

    Policies, and what lies below .gitops/, are asked nothing: a push must be able to mend them.
    """
    folder = bench.options["policy"].strip("/")
    mine = [file for file in change.files if file.path.startswith(folder + "/")]
    if mine:
        yield from prove(load_policies(tree, folder), folder)
    named = [file for file in change.files if file not in mine and _concerns(file.path, bench.options["paths"])]
    if not named or not (bench.options["combine"] or any(not file.deleted for file in named)):
        return
    policies = _in_force(bench.target, folder, change)
    asked = policies.asked(bench.options["namespaces"])
    try:
        ask = open_question(policies.modules, policies.data, asked)
    except NoAnswer as error:
        raise EdgeError(folder, str(error)) from None
    if bench.options["combine"]:
        yield from _combined(named, tree, bench.options, ask, asked)
    else:
        for file in named:
            yield from _single(file, tree, ask, asked)


def _concerns(path: str, globs: tuple[str, ...]) -> bool:
    if path.startswith(".gitops/"):
        return False
    return any("\ud800" <= char <= "\udfff" for char in path) or matches_any(globs, path)


def _in_force(target: Tree, folder: str, change: Change) -> Policies:
    """Errors: EdgeError with the first fault."""
    policies = load_policies(target, folder)
    if policies.faults:
        first = policies.faults[0]
        raise EdgeError(f"{first.path}:{first.line}" if first.line else first.path, first.message)
    if not policies.modules:
        branch = change.target.removeprefix("refs/heads/")
        raise EdgeError(f"{folder}/", f"there is no policy on {branch}; land one first, or take rego out of the checks")
    return policies


def _single(file: ChangedFile, tree: Tree, ask: Ask, asked: list[Asked]) -> Iterator[Finding]:
    if file.mode == _LINK:
        why = "a symbolic link, and what it leads to may change without it; put the file itself here"
        yield Finding(file.path, 0, why)
    if file.mode not in _FILES:
        return
    documents, fault = _documents(file.path, tree)
    if fault:
        yield fault
    for document in documents:
        yield from _answered(file.path, document.line, document.value, ask, asked)


def _documents(path: str, tree: Tree) -> tuple[tuple[Document, ...], Finding | None]:
    try:
        if not format_of(path):
            return (), Finding(path, 0, "is of no format that policies are asked about; narrow the paths of rego")
        return read_documents(path, tree.read(path)), None
    except EdgeError as error:
        return (), Finding(path, 0, f"{error.what}; what is not read cannot be judged")
    except Unreadable as error:
        return (), Finding(path, error.line, f"{error.message}; what is not read cannot be judged")


def _combined(
    named: list[ChangedFile], tree: Tree, options: Mapping[str, Any], ask: Ask, asked: list[Asked]
) -> Iterator[Finding]:
    """All files that the globs name, changed or not, as [{path, contents}]."""
    value: list[Plain] = []
    for path in paths_named(tree, options["paths"], "rego"):
        if not _concerns(path, options["paths"]) or path.startswith(options["policy"].strip("/") + "/"):
            continue
        documents, fault = _documents(path, tree)
        if fault:
            yield fault
        contents = [document.value for document in documents]
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        value.append({"path": shown, "contents": contents[0] if len(contents) == 1 else contents})
    yield from _answered(named[0].path, 0, value, ask, asked)


def _answered(path: str, line: int, value: Plain, ask: Ask, asked: list[Asked]) -> Iterator[Finding]:
    try:
        found = ask(value)
    except NoAnswer as error:
        yield Finding(path, line, f"the policies cannot be answered for this: {error}")
        return
    for each, messages in zip(asked, found, strict=True):
        severity = Severity.WARNING if each.rule.startswith("warn") else Severity.ERROR
        for message in messages:
            yield Finding(path, line, f"{message} ({each.namespace}.{each.rule})", severity)
