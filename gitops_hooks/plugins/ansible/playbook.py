"""Playbooks and task files: whether plays and tasks are put together as Ansible wants them."""

import difflib
from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Marked, Severity
from gitops_hooks.plugins.ansible.files import LISTS_OF_TASKS, short_name, templated

Fault = tuple[Marked, str, Severity]

# The keywords of ansible-core 2.19 (playbook/*.py), with those that it still takes from older playbooks.
_BASE = frozenset(
    {
        *("name", "connection", "port", "remote_user", "vars", "module_defaults", "environment", "no_log"),
        *("run_once", "ignore_errors", "ignore_unreachable", "check_mode", "diff", "any_errors_fatal", "throttle"),
        *("timeout", "debugger", "become", "become_method", "become_user", "become_flags", "become_exe"),
        *("tags", "collections"),
    }
)
_PLAY = _BASE | {
    *("hosts", "gather_facts", "gather_subset", "gather_timeout", "fact_path", "vars_files", "vars_prompt", "roles"),
    *("handlers", "pre_tasks", "post_tasks", "tasks", "force_handlers", "max_fail_percentage", "serial", "strategy"),
    *("order", "user"),
}
_ASKED = frozenset({"when", "notify", "delegate_to", "delegate_facts"})
_BLOCK = _BASE | _ASKED | {"block", "rescue", "always"}
_TASK = (
    _BASE
    | _ASKED
    | {
        *("async", "changed_when", "delay", "failed_when", "loop", "loop_control", "poll", "register", "retries"),
        *("until", "args", "listen", "action", "local_action", "apply", "first_available_file", "vars_files"),
    }
)
_IMPORTS = ("import_playbook", "include")
_WORK = ("tasks", "roles", "pre_tasks", "post_tasks", "handlers")
_WITH_MODE = frozenset(
    {
        *("assemble", "blockinfile", "copy", "file", "get_url", "lineinfile", "replace", "template", "unarchive"),
        *("community.general.archive", "community.general.ini_file", "community.general.xml"),
    }
)


def is_play(item: Marked) -> bool:
    return any(key == "hosts" or short_name(key) in _IMPORTS for key in item.keys())  # noqa: SIM118  # no dict


def is_playbook(document: Marked) -> bool:
    """By content: a list with a play in it, or the single play that somebody forgot to make a list."""
    alone = document.get("hosts") is not None and has_work(document)
    return alone or any(is_play(item) for item in document.items)


def has_work(play: Marked) -> bool:
    return any(play.get(key) is not None for key in _WORK)


def playbook_faults(document: Marked) -> Iterator[Fault]:
    if document.tag == "null":
        yield document, "this playbook is empty", Severity.ERROR
        return
    if document.tag != "seq":
        yield document, "a playbook is a list of plays; begin each play with '- '", Severity.ERROR
        return
    if not document.items:
        yield document, "this playbook is empty", Severity.ERROR
    for play in document.items:
        yield from _play_faults(play)


def _play_faults(play: Marked) -> Iterator[Fault]:
    if play.tag != "map":
        yield play, "a play is a mapping with 'hosts'", Severity.ERROR
        return
    if any(short_name(key) in _IMPORTS for key in play.keys()):  # noqa: SIM118  # no dict
        return
    hosts = play.get("hosts")
    if hosts is None:
        yield play, "a play needs 'hosts'", Severity.ERROR
    elif not hosts.text and not hosts.items:
        yield hosts, "'hosts' names nobody", Severity.ERROR
    for key, value in play.pairs:
        if key.text not in _PLAY:
            yield key, f"'{key.text[:40]}' is no keyword of a play{_meant(key.text, _PLAY)}", Severity.ERROR
        elif key.text in _WORK and key.text != "roles":
            yield from tasks_faults(value, key.text)
    if not any(_given(play, key) for key in _WORK) and play.get("gather_facts") is None:
        yield play, "this play is empty: it has neither tasks nor roles", Severity.ERROR


def _given(play: Marked, key: str) -> bool:
    """Whether something stands there; `tasks: []` says on purpose that only facts are gathered."""
    return (value := play.get(key)) is not None and value.tag != "null"


def tasks_faults(tasks: Marked, what: str) -> Iterator[Fault]:
    """Faults of one list of tasks; nothing at all is allowed, anything but a list is not."""
    if tasks.tag == "null" or (tasks.tag == "str" and templated(tasks.text)):
        return
    if tasks.tag != "seq":
        yield tasks, f"'{what}' is a list of tasks; begin each task with '- '", Severity.ERROR
    for task in tasks.items:
        yield from _task_faults(task)


def _task_faults(task: Marked) -> Iterator[Fault]:
    if task.tag != "map":
        yield task, "a task is a mapping with a module's name in it", Severity.ERROR
    elif is_play(task) and task.get("hosts") is not None:
        yield task, "a play among tasks; a file holds plays or tasks, never both", Severity.ERROR
    elif task.get("block") is not None:
        yield from _block_faults(task)
    else:
        yield from _action_faults(task)


def _block_faults(block: Marked) -> Iterator[Fault]:
    for key, value in block.pairs:
        if key.text in LISTS_OF_TASKS and key.text in _BLOCK:
            yield from tasks_faults(value, key.text)
        elif key.text not in _BLOCK:
            yield key, f"'{key.text[:40]}' is no keyword of a block{_meant(key.text, _BLOCK)}", Severity.ERROR


def actions_of(task: Marked) -> list[tuple[Marked, Marked]]:
    """What is no keyword of a task, and so a module's name with its arguments."""
    return [(key, value) for key, value in task.pairs if _is_action(key)]


def _is_action(key: Marked) -> bool:
    return key.text not in _TASK and not key.text.startswith("with_") and key.tag != "merge"


def _action_faults(task: Marked) -> Iterator[Fault]:
    actions = actions_of(task)
    named = [key.text for key, _ in actions]
    said = [key for key in ("action", "local_action") if task.get(key) is not None]
    merged = any(key.tag == "merge" for key, _ in task.pairs)
    if not named and not said and not merged:
        yield task, "this task does nothing: it names no module", Severity.ERROR
    elif len(named) + len(said) > 1:
        odd, hint = _misspelt(actions)
        words = f"one task names two modules: {', '.join([*said, *named])[:80]}{hint}"
        yield odd, words, Severity.ERROR
    for key, value in actions:
        yield from _mode_faults(short_name(key.text), value)
    if arguments := task.get("args"):
        yield from (fault for name in named for fault in _mode_faults(short_name(name), arguments))


def _misspelt(actions: list[tuple[Marked, Marked]]) -> tuple[Marked, str]:
    """The one that was probably meant as a keyword (`debug` is no misspelt `debugger`), else the last."""
    for key, _ in actions:
        hint = _meant(key.text, _TASK)
        if hint and f"'{key.text}" not in hint:
            return key, hint
    return actions[-1][0], ""


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), 1, 0.75)
    return f"; did you mean '{close[0]}'?" if close else ""


def _mode_faults(module: str, arguments: Marked) -> Iterator[Fault]:
    if module not in _WITH_MODE:
        return
    for key, value in arguments.pairs:
        if key.text in ("mode", "directory_mode") and value.tag == "int" and value.plain:
            yield _mode_fault(key.text, value)


def _mode_fault(key: str, value: Marked) -> Fault:
    digits = value.text
    octal = digits.isdigit() and set(digits) <= set("01234567")
    if octal and digits.startswith("0") and len(digits) > 1:
        words = f"'{key}: {digits}' is octal to YAML 1.1 alone; write '{digits}' in quotes"
        return value, words, Severity.WARNING
    cure = f"write '{digits.zfill(4)}'" if octal else "write it octal and in quotes, as in '0644'"
    return value, f"'{key}: {digits[:20]}' is a decimal number; {cure}", Severity.WARNING
