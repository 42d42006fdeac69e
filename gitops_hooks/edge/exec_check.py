"""A check in any language: a program of the administrator's, boxed as every tool, asked and answered in JSON."""

from collections.abc import Iterator
from functools import partial

from gitops_hooks.core.exec_wire import parse_answer, write_question
from gitops_hooks.hookspec import Check, Tree, Workbench
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import ExecCheck
from gitops_hooks.model.tool import Ran, Tool
from gitops_hooks.model.verdict import Finding

_SUBMODULE = 0o160000


def exec_check(program: ExecCheck) -> Check:
    """The check that asks this program."""
    tools = (Tool(program.command[0]),)
    ask = partial(_ask, program)
    return Check(program.name, program.summary, ask, program.paths, program.options, tools, kept=program.kept)


def _ask(program: ExecCheck, change: Change, tree: Tree, bench: Workbench) -> tuple[Finding, ...]:
    """Errors: EdgeError where there is no verdict: whatever the program does wrong, it has not passed."""
    name = program.command[0]
    if bench.tool(name) is None:
        raise EdgeError(name, "is not installed on this server, or not in one of its tool_folders")
    seen = tuple(dict.fromkeys((*_changed(change), *_there(program, tree))))
    given = dict(_of_target(program, bench.target))
    about = None if program.kept else (change.number, change.target, change.base, change.head)
    question = write_question(program.name, change.files, about, bench.options, (seen, tuple(given)))
    ran = bench.run(program.command, files=seen, given=given, stdin=question)
    if ran.status:
        raise EdgeError(name, f"ended with {ran.status}{_last_words(ran)}")
    answer = parse_answer(ran.stdout)
    if isinstance(answer, str):
        raise EdgeError(name, answer)
    return answer


def _changed(change: Change) -> Iterator[str]:
    return (file.path for file in change.files if not file.deleted and file.mode != _SUBMODULE)


def _there(program: ExecCheck, tree: Tree) -> Iterator[str]:
    return (path for path in program.tree if path == "." or tree.entry(path))


def _of_target(program: ExecCheck, target: Tree) -> Iterator[tuple[str, bytes]]:
    for path in program.target:
        if target.size(path) >= 0:
            yield path, target.read(path)


def _last_words(ran: Ran) -> str:
    lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1][:200]}" if lines else ""
