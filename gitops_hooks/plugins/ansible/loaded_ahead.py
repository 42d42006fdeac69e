"""What ansible-runner starts as `ansible-playbook`: it loads Ansible once, answers questions with it, and then waits.

Started by a script of one line as `python -P PROGRAM WAY ANSWERS WORDS…`; the first two are FIFOs. On the way comes a
line of JSON at a time: questions, `[[WORDS, OUT, ERR], …]`, where OUT and ERR are the files that take what Ansible
says; their exit codes go back, or in words why Ansible cannot be loaded. `"go"` runs the playbook, any other word ends
it. Each question is answered by a fork, side by side, since Ansible keeps what it was asked with for the whole program.
What the run reads of the tree, of hosts and of variables is read after `go`. It imports nothing of ours, so that no
folder but Ansible's is needed. Lookups that run a command here are taken out of it: no check sees into vaulted files,
or knows every file that a task may name. What it prints has no escapes, since ansible-runner looks among its lines for
events, which stand between escapes: a host that brings some along would tell of other hosts. What each fork, or each
first task of a module, would find out again is found out once: what Ansible's own utilities import, and which Pythons a
host has that was looked at.
"""

import ast
import functools
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

GO, LEAVE = "go", "leave"

_BROKE = 250
# So many objects more than were freed, until the youngest are looked through: more than a task makes.
_MADE = 100_000
_CLASSES = {
    "ansible-inventory": ("ansible.cli.inventory", "InventoryCLI"),
    "ansible-playbook": ("ansible.cli.playbook", "PlaybookCLI"),
}
_COMMANDS = ("pipe", "lines")
_UTILITIES = "ansible.module_utils."
_IMPORTS = (ast.Import, ast.ImportFrom)
# Beside the program that reaches a host: where each of these names leads there, empty where it leads nowhere.
PYTHONS = ".pythons"
Question = tuple[Sequence[str], str, str]


def main(way: str, answers: str, words: Sequence[str]) -> int:
    play, cannot = None, ""
    gc.disable()
    try:
        play = _executor("ansible-playbook")
        _take_out_lookups()
        _print_no_escapes()
        _know_pythons()
    except ImportError as error:
        cannot = f"{type(error).__name__}: {error}"
    _spare_forks()
    with Path(way).open(encoding="utf-8") as told:
        while isinstance(word := json.loads(told.readline() or '""'), list):
            _say(answers, cannot or _answer_all(word))
            _know_imports()
    if word == GO and play:
        _know_imports()
        play(["ansible-playbook", *words])
    return _BROKE if cannot else 0


def _spare_forks() -> None:
    """Look for garbage seldom, and never in what is loaded by now.

    Ansible forks for each task of each host; each fork would search all of Ansible, and copy every page it looks at.
    """
    gc.freeze()
    gc.set_threshold(_MADE)
    gc.enable()


def _take_out_lookups() -> None:
    """By whatever name a text asks for one, it comes to the class that is changed here, and so do all forks."""
    from ansible.plugins.loader import lookup_loader

    for name in _COMMANDS:
        found = lookup_loader.get(name, class_only=True)
        if found is not None:
            found.run = _refuse


def _refuse(lookup: object, *_: object, **__: object) -> NoReturn:
    from ansible.errors import AnsibleError

    name = type(lookup).__module__.rpartition(".")[2]
    raise AnsibleError(f"the lookup '{name}' runs a command on the controller; use a task on the host")


def _print_no_escapes() -> None:
    """Everything that Ansible prints comes by here, before ansible-runner's callback puts its events around it."""
    from ansible.utils.display import Display

    show = Display.display

    @functools.wraps(show)
    def display(self: object, msg: str | bytes, *args: object, **words: object) -> object:
        text = msg.decode("utf-8", "replace") if isinstance(msg, bytes) else str(msg)
        return show(self, text.replace("\x1b", "\\x1b"), *args, **words)

    Display.display = display


@functools.cache
def _know_imports() -> None:
    """Read Ansible's utilities once, while hosts are looked at, and not for each module that a run sends to hosts.

    Ansible asks of a utility's tree which imports stand in it, and which of these at its top: no more is kept. Only the
    same text of the same name is answered so, and what is sent is the same byte for byte.
    """
    from ansible.executor import module_common

    read = getattr(module_common, "_compile_module_ast", None)
    if read is None:
        return
    known: dict[tuple[str, str | bytes], ast.Module] = dict(_read_utilities())

    def compile_once(name: str, source: str | bytes) -> ast.Module:
        return known.get((name, source)) or read(name, source)

    module_common._compile_module_ast = compile_once


def _read_utilities() -> Iterator[tuple[tuple[str, bytes], ast.Module]]:
    for name, module in tuple(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "")
        if name.startswith(_UTILITIES) and path.suffix == ".py":
            try:
                source = path.read_bytes()
            except OSError:
                continue
            yield (name, source), _only_imports(ast.parse(source, path))


def _only_imports(tree: ast.Module) -> ast.Module:
    at_top = [node for node in tree.body if isinstance(node, _IMPORTS)]
    others = [node for node in tree.body if not isinstance(node, _IMPORTS)]
    below = [node for each in others for node in ast.walk(each) if isinstance(node, _IMPORTS)]
    return ast.Module([*at_top, ast.If(ast.Constant(False), [*below], [])], [])


def _know_pythons() -> None:
    """A look at a host has seen which Pythons are there: the first task need not ask again, once for each host."""
    from ansible.plugins import action

    ask = getattr(action, "discover_interpreter", None)
    if ask is not None:

        def answer(*args: object, **words: object) -> object:
            return _seen_python(words) or ask(*args, **words)

        action.discover_interpreter = answer


def _seen_python(words: dict[str, object]) -> str:
    """The first of those that Ansible would take, empty where the look does not tell: then Ansible asks the host."""
    from ansible import constants

    connection = getattr(words.get("action"), "_connection", None)
    quiet = str(words.get("discovery_mode")).endswith("_silent")
    if connection is None or connection.transport != "ssh" or words.get("interpreter_name") != "python" or not quiet:
        return ""
    try:
        seen = json.loads(Path(f"{connection.get_option('ssh_executable')}{PYTHONS}").read_bytes())
    except (OSError, ValueError):
        return ""
    names = constants.config.get_config_value("INTERPRETER_PYTHON_FALLBACK", variables=words.get("task_vars"))
    return next((seen[name] for name in names if seen[name]), "") if all(name in seen for name in names) else ""


def _executor(name: str) -> Callable[[list[str]], object]:
    module, cls = _CLASSES[name]
    found: Callable[[list[str]], object] = getattr(importlib.import_module(module), cls).cli_executor
    return found


def _say(answers: str, answer: object) -> None:
    with Path(answers).open("w", encoding="utf-8") as heard:
        heard.write(json.dumps(answer) + "\n")


def _answer_all(questions: Sequence[Question]) -> list[int]:
    forks = []
    for words, out, err in questions:
        fork = os.fork()
        if not fork:
            _answer(words, out, err)
        forks.append(fork)
    return [os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) for fork in forks]


def _answer(words: Sequence[str], out: str, err: str) -> None:
    """Never returns: what follows in the caller is not for a fork."""
    code = _BROKE
    try:
        _turn(0, os.devnull, os.O_RDONLY)
        _turn(1, out, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        _turn(2, err, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        _executor(words[0])(list(words))
        code = 0
    except SystemExit as end:
        code = (end.code or 0) if isinstance(end.code, int | None) else _BROKE
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _turn(number: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
