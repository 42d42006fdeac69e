"""The check `schema`: documents of YAML, JSON and TOML hold to the JSON Schemas that the policy binds to them.

The schemas are files of the repository, read from the target branch as it stands, so that nobody loosens a schema in
the change that needs it loose. A schema that changes is judged as a schema. Nothing is ever fetched.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gitops_hooks.plugin import Change, Check, EdgeError, Finding, Option, OptionKind, Tree, Workbench, hookimpl
from gitops_hooks.plugin import matches_any as fits

if TYPE_CHECKING:
    from gitops_hooks.plugins.schema_files import SchemaFiles

LOADED_AHEAD = (
    "gitops_hooks.plugins.documents",
    "gitops_hooks.plugins.json_text",
    "gitops_hooks.plugins.schema_files",
    "gitops_hooks.plugins.schema_words",
    "jsonschema_rs",
)

OPTIONS = (
    Option("schemas", OptionKind.LISTS, None, "each schema's path, with the globs of the files that it judges"),
    Option("ignore", OptionKind.GLOBS, (), "files that are not looked at"),
)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check over whatever the policy binds."""
    return [Check("schema", "documents hold to the schemas that the policy names", check_schemas, options=OPTIONS)]


def check_schemas(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported when there is work: the validator is a library of fifteen megabytes.
    from gitops_hooks.plugins.documents import FILES
    from gitops_hooks.plugins.schema_files import SchemaFiles

    bound = bench.options["schemas"]
    changed = [file.path for file in change.files if file.mode in FILES]
    yield from _judge_schemas(change, SchemaFiles(tree), bound)
    held = SchemaFiles(bench.target)
    for path in changed:
        named = [name for name, globs in bound.items() if fits(globs, path) and not fits(bench.options["ignore"], path)]
        if named:
            yield from _judge_file(path, tree, held, named)


def _judge_schemas(change: Change, files: "SchemaFiles", bound: Iterable[str]) -> Iterator[Finding]:
    """Every bound schema that changes, as a schema; one that goes is told, since nothing could be judged by it."""
    from gitops_hooks.plugins.json_text import Fault

    touched = {file.path: file for file in change.files}
    for path in (path for path in bound if path in touched):
        if touched[path].deleted:
            yield Finding(path, 0, "the policy binds files to this schema; take it out of the policy first")
        elif isinstance(found := files.validator(path), Fault):
            yield Finding(path, found.line, found.message)


def _judge_file(path: str, tree: Tree, held: "SchemaFiles", named: Iterable[str]) -> Iterator[Finding]:
    from gitops_hooks.plugins.documents import is_looked_at, read_documents
    from gitops_hooks.plugins.json_text import Fault
    from gitops_hooks.plugins.schema_words import errors_of

    try:
        text = tree.read(path)
    except EdgeError as error:
        yield Finding(path, 0, error.what)
        return
    if not is_looked_at(path, text):
        return
    documents, faults = read_documents(path, text)
    yield from (Finding(path, fault.line, fault.message) for fault in faults)
    for name in named if documents else ():
        validator = held.validator(name)
        if isinstance(validator, Fault):
            yield Finding(path, 0, f"cannot be judged by {name} on the target branch: {validator.message}")
            continue
        for document in documents:
            for fault in errors_of(validator, document):
                yield Finding(path, fault.line, f"{fault.message} ({name})")
