"""Changed files against the policies of the target branch, and changed policies against their tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_hooks.plugin import Change, ChangedFile, EdgeError, Finding, Severity, Tree, Workbench, matches_any
from gitops_hooks.plugins.plain_documents import Document, Plain, Unreadable, format_of, read_documents
from gitops_hooks.plugins.rego_ask import Ask, Asked, Engine, NoAnswer
from gitops_hooks.plugins.rego_choice import choose_engine
from gitops_hooks.plugins.rego_policies import Policies, load_policies
from gitops_hooks.plugins.rego_proof import prove
from gitops_hooks.plugins.tree_paths import paths_named

_FILES = (0o100644, 0o100755)
_LINK = 0o120000


@dataclass(frozen=True, slots=True)
class Part:
    """A document that policies are asked about, and where it stands."""

    path: str
    line: int
    value: Plain


def judge_policies(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """Errors: EdgeError for policies in force that cannot be asked.

    Policies, and what lies below .gitops/, are asked nothing: a push must be able to mend them.
    """
    folder = bench.options["policy"].strip("/")
    mine = [file for file in change.files if file.path.startswith(folder + "/")]
    named = [file for file in change.files if file not in mine and _concerns(file.path, bench.options["paths"])]
    about = bool(named) and (bench.options["combine"] or any(not file.deleted for file in named))
    if not mine and not about:
        return
    engine = choose_engine(bench)
    if mine:
        yield from prove(load_policies(tree, folder, engine), engine)
    if not about:
        return
    policies = _in_force(bench.target, folder, change, engine)
    asked = policies.asked(bench.options["namespaces"])
    try:
        ask = engine.open_question(policies.modules, policies.data, asked)
    except NoAnswer as error:
        raise EdgeError(folder, str(error)) from None
    parts = _combined(named, tree, bench.options) if bench.options["combine"] else _apart(named, tree)
    yield from _answered(list(parts), ask, asked)


def _concerns(path: str, globs: tuple[str, ...]) -> bool:
    if path.startswith(".gitops/"):
        return False
    return any("\ud800" <= char <= "\udfff" for char in path) or matches_any(globs, path)


def _in_force(target: Tree, folder: str, change: Change, engine: Engine) -> Policies:
    """Errors: EdgeError with the first fault."""
    policies = load_policies(target, folder, engine)
    if policies.faults:
        first = policies.faults[0]
        raise EdgeError(f"{first.path}:{first.line}" if first.line else first.path, first.message)
    if not policies.modules:
        branch = change.target.removeprefix("refs/heads/")
        raise EdgeError(f"{folder}/", f"there is no policy on {branch}; land one first, or take rego out of the checks")
    return policies


def _apart(named: Sequence[ChangedFile], tree: Tree) -> Iterator[Part | Finding]:
    """Every document of each file; what cannot be read is a finding."""
    for file in named:
        if file.mode == _LINK:
            why = "a symbolic link, and what it leads to may change without it; put the file itself here"
            yield Finding(file.path, 0, why)
        if file.mode in _FILES:
            documents, fault = _documents(file.path, tree)
            if fault:
                yield fault
            yield from (Part(file.path, document.line, document.value) for document in documents)


def _documents(path: str, tree: Tree) -> tuple[tuple[Document, ...], Finding | None]:
    try:
        if not format_of(path):
            return (), Finding(path, 0, "is of no format that policies are asked about; narrow the paths of rego")
        return read_documents(path, tree.read(path)), None
    except EdgeError as error:
        return (), Finding(path, 0, f"{error.what}; what is not read cannot be judged")
    except Unreadable as error:
        return (), Finding(path, error.line, f"{error.message}; what is not read cannot be judged")


def _combined(named: Sequence[ChangedFile], tree: Tree, options: Mapping[str, Any]) -> Iterator[Part | Finding]:
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
    yield Part(named[0].path, 0, value)


def _answered(parts: Sequence[Part | Finding], ask: Ask, asked: Sequence[Asked]) -> Iterator[Finding]:
    """In the order of the parts, whatever is asked at once."""
    answers = iter(ask([part.value for part in parts if isinstance(part, Part)]))
    for part in parts:
        if isinstance(part, Finding):
            yield part
            continue
        answer = next(answers)
        if isinstance(answer, NoAnswer):
            yield Finding(part.path, part.line, f"the policies cannot be answered for this: {answer}")
            continue
        for each, messages in zip(asked, answer, strict=True):
            severity = Severity.WARNING if each.rule.startswith("warn") else Severity.ERROR
            for message in messages:
                yield Finding(part.path, part.line, f"{message} ({each.namespace}.{each.rule})", severity)
