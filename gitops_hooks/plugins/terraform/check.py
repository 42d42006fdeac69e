"""The check `terraform`: changed HCL files are read, and Terraform or OpenTofu is asked about them in its box."""

from collections.abc import Iterable, Iterator
from posixpath import dirname

from gitops_hooks.plugin import (
    Change,
    Check,
    EdgeError,
    Finding,
    Option,
    OptionKind,
    Severity,
    Tool,
    Tree,
    Workbench,
    hookimpl,
    matches_any,
)
from gitops_hooks.plugins.shown import shown_paths
from gitops_hooks.plugins.terraform.form import form_findings
from gitops_hooks.plugins.terraform.hcl import Hcl, is_too_deep, reach_findings, read_hcl
from gitops_hooks.plugins.terraform.program import PROGRAMS, SHELL, Program
from gitops_hooks.plugins.terraform.valid import valid_findings

LOADED_AHEAD = ("tree_sitter", "tree_sitter_hcl")

_FILES = (0o100644, 0o100755)
_ENDINGS = (".tf", ".tofu", ".tfvars", ".tftest.hcl", ".tofutest.hcl")
_MODULES = (".tf", ".tofu", ".tf.json", ".tofu.json")
_SEVERITIES = ("error", "warning", "ignore")
OPTIONS = (
    Option("program", OptionKind.TEXT, "", "the program to ask; empty: whichever the server has", (*PROGRAMS, "")),
    Option("ignore", OptionKind.GLOBS, ("**/.terraform/**",), "files that are not looked at"),
    Option("format", OptionKind.TEXT, "warning", "what a file is that `fmt` would write in another way", _SEVERITIES),
    Option("external_data", OptionKind.TEXT, "warning", "what `data external` and `data http` are", _SEVERITIES),
    Option("provisioners", OptionKind.TEXT, "warning", "what a provisioner is", _SEVERITIES),
    Option("http_backend", OptionKind.TEXT, "warning", "what a state kept by `backend http` is", _SEVERITIES),
    Option("validate", OptionKind.TRUTH, True, "whether changed modules are validated"),
    Option("folders", OptionKind.TEXTS, (), "what of the tree `validate` sees; none: all of it while it is small"),
)
_VERSION = ("version",)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check, asked when a file of Terraform's changed."""
    paths = tuple(f"**/*{ending}" for ending in (*_ENDINGS, ".tf.json", ".tofu.json"))
    tools = (*(Tool(name, _VERSION) for name in PROGRAMS), Tool(SHELL, ("-c", "echo sh")))
    said = "Terraform files parse, are formatted and valid, and name what runs programs"
    return [Check("terraform", said, check_terraform, paths, OPTIONS, tools)]


def check_terraform(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    ignored = bench.options["ignore"]
    left = [file for file in change.files if not matches_any(ignored, file.path)]
    paths = [file.path for file in left if file.mode in _FILES and file.path.endswith(_ENDINGS)]
    modules = {dirname(file.path): file.path for file in reversed(left) if file.path.endswith(_MODULES)}
    read = list(_read_all(paths, tree))
    unread = [found for found in read if isinstance(found, Finding)]
    yield from unread
    yield from _judged(
        [found for found in read if isinstance(found, Hcl)], {each.path for each in unread}, modules, tree, bench
    )


def _read_all(paths: list[str], tree: Tree) -> Iterator[Hcl | Finding]:
    for path in paths:
        try:
            text = tree.read(path)
        except EdgeError as error:
            yield Finding(path, 0, f"{error.what}; what is not read cannot be judged")
            continue
        deep = Finding(path, 0, "nested too deep; HCL of so many levels is not read")
        yield deep if is_too_deep(text) else read_hcl(path, text)


def _judged(
    read: list[Hcl], unread: set[str], modules: dict[str, str], tree: Tree, bench: Workbench
) -> Iterator[Finding]:
    for hcl in read:
        yield from reach_findings(hcl, bench.options)
    program = _program(bench)
    if program is None:
        yield from _without_program(read, [*(hcl.path for hcl in read), *modules.values()])
        return
    broken = list(form_findings(program, [hcl.path for hcl in read], bench.options["format"]))
    yield from broken
    if bench.options["validate"]:
        faulty = unread | {finding.path for finding in broken if finding.severity is Severity.ERROR and finding.line}
        yield from _validated(program, tree, bench, modules, faulty)


def _program(bench: Workbench) -> Program | None:
    wanted = (bench.options["program"],) if bench.options["program"] else PROGRAMS
    found = next((name for name in wanted if bench.tool(name) is not None), None)
    return Program(bench, found) if found else None


def _without_program(read: list[Hcl], paths: list[str]) -> Iterator[Finding]:
    for hcl in read:
        if hcl.fault:
            line, message = hcl.fault
            yield Finding(hcl.path, line, message)
    if paths:
        words = "neither terraform nor tofu is installed on the server, so formatting and validity were not seen"
        yield Finding(paths[0], 0, words, Severity.WARNING)


def _validated(
    program: Program, tree: Tree, bench: Workbench, modules: dict[str, str], faulty: set[str]
) -> Iterator[Finding]:
    """Modules with a file that cannot be read are told already. `modules`: folders, each with a path that changed."""
    broken = set(map(dirname, faulty))
    sound = {module: path for module, path in sorted(modules.items()) if module not in broken and _holds(tree, module)}
    if not sound:
        return
    shown = shown_paths(tree, bench.options["folders"])
    if not shown:
        words = "the tree is too large to be shown to Terraform at each push; name what its modules need in the option"
        yield Finding(next(iter(sound.values())), 0, f"{words} 'folders' of the check", Severity.WARNING)
        return
    bench.say(f"validating {len(sound)} modules")
    yield from valid_findings(program, sound, shown)


def _holds(tree: Tree, module: str) -> bool:
    return any(entry.mode in _FILES and entry.name.endswith(_MODULES) for entry in tree.list(module))
