"""Documents of changed files against rules in CEL.

A rule that cannot be compiled, or asks for names that nobody has, makes the check an ERROR. A rule that cannot be
evaluated on a document, or answers anything but true, is a finding: nothing passes because it was not understood.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import Change, ChangedFile, EdgeError, Finding, Marked, Severity, Tree, matches_any, parse_yaml
from gitops_hooks.plugins.cel_engine import Refused, compile_rule, prepare
from gitops_hooks.plugins.plain_documents import Document, Unreadable, format_of, read_documents

_FILES = (0o100644, 0o100755)
_LINK = 0o120000
_SUFFIX = re.compile(r".*\.([A-Za-z0-9]+)")
_KINDS = ("yaml", "json", "toml", "ini", "hcl")
_PATHS = "**/*.yml **/*.yaml **/*.json"
_READ = "*.yml, *.yaml, *.json, *.toml, *.ini, *.tf, *.tofu, *.tfvars, *.hcl"
_LONGEST = 4000
_POLICY = ".gitops/policy.yaml"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled: `program` answers for a prepared document."""

    name: str
    program: Callable[[object], object]
    message: str
    paths: tuple[str, ...]
    severity: Severity

    def asks(self, path: str) -> bool:
        """A path that is not UTF-8 can be matched by no pattern, and therefore meets every one."""
        return any("\ud800" <= char <= "\udfff" for char in path) or matches_any(self.paths, path)


def judge_documents(change: Change, tree: Tree, given: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """Errors: EdgeError for a rule in force that is none.

    What lies below .gitops/ is asked nothing: a policy with such a rule must be mendable by a push.
    """
    files = [file for file in change.files if not file.deleted and not file.path.startswith(".gitops/")]
    if any(file.path == _POLICY and not file.deleted for file in change.files):
        yield from _check_policy(tree)
    if not any(format_of(file.path) in _KINDS for file in files):
        return
    rules = [_rule(each) for each in given]
    names = [rule.name for rule in rules]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise EdgeError(f"rule {twice[:60]}", "there are two of this name; give each its own")
    for file in files:
        if asking := [rule for rule in rules if format_of(file.path) in _KINDS and rule.asks(file.path)]:
            yield from _check_file(file, asking, change.target, tree)


def _check_policy(tree: Tree) -> Iterator[Finding]:
    """The rules of a policy that is proposed; all else in it is judged by the judge."""
    try:
        documents, _ = parse_yaml(tree.read(_POLICY))
    except EdgeError:
        return
    node: Marked | None = documents[0] if documents else None
    for key in ("checks", "cel", "rules"):
        node = node.get(key) if node is not None else None
    for item in node.items if node is not None else ():
        given = {key.text: value.text for key, value in item.pairs}
        if {"name", "expr", "message"} <= given.keys():
            try:
                _rule(given)
            except EdgeError as error:
                yield Finding(_POLICY, item.line, str(error))


def _rule(given: Mapping[str, str]) -> Rule:
    """Errors: EdgeError, by the rule's name."""
    name, paths = given["name"], tuple(given.get("paths", _PATHS).split())
    where = f"rule {name[:60]}"
    try:
        severity = Severity(given.get("severity", "error"))
    except ValueError:
        raise EdgeError(where, f"severity '{given['severity'][:40]}' is not one of error, warning") from None
    for glob in paths:
        suffix = _SUFFIX.fullmatch(glob.rpartition("/")[2])
        if suffix and format_of(f"x.{suffix.group(1)}") not in _KINDS:
            raise EdgeError(where, f"no file of {glob[:60]} can be read; rules read {_READ}")
    if not paths or len(given["expr"]) > _LONGEST:
        raise EdgeError(where, "paths name nothing" if not paths else f"longer than {_LONGEST} characters")
    try:
        program = compile_rule(given["expr"])
    except Refused as error:
        raise EdgeError(where, str(error)) from None
    return Rule(name, program, given["message"], paths, severity)


def _check_file(file: ChangedFile, rules: list[Rule], target: str, tree: Tree) -> Iterator[Finding]:
    if file.mode == _LINK:
        why = "a symbolic link, and what it leads to may change without it; put the file itself here"
        yield Finding(file.path, 0, f"{why} (rule {rules[0].name})")
    if file.mode not in _FILES:
        return
    try:
        documents = read_documents(file.path, tree.read(file.path))
    except EdgeError as error:
        yield Finding(file.path, 0, f"{error.what}; what is not read cannot be judged")
        return
    except Unreadable as error:
        yield Finding(file.path, error.line, f"{error.message}; what is not read cannot be judged")
        return
    for document in documents:
        yield from _check_document(file.path, document, rules, target)


def _check_document(path: str, document: Document, rules: list[Rule], target: str) -> Iterator[Finding]:
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    try:
        prepared = prepare({"doc": document.value, "path": shown, "branch": target.removeprefix("refs/heads/")})
    except Refused as error:
        yield Finding(path, document.line, f"{error}; what is not read cannot be judged")
        return
    for rule in rules:
        try:
            answer = rule.program(prepared)
        except Refused as error:
            yield Finding(path, document.line, f"rule {rule.name} cannot be answered: {error}")
            continue
        if answer is not True:
            told = rule.message if answer is False else f"answers neither true nor false: {str(answer)[:60]}"
            severity = rule.severity if answer is False else Severity.ERROR
            yield Finding(path, document.line, f"{told} (rule {rule.name})", severity)
