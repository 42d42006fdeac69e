"""A plugin of somebody who means harm, or does not know better: each of its checks is asked for one file."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

from gitops_hooks.plugin import Change, Check, Finding, Tree, Workbench, hookimpl

MARK = "gitops-rogue-4711"  # what it starts has this word in its arguments


def hang() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(60)


def spin() -> None:
    while True:
        pass


def leave_others_behind() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", MARK], start_new_session=True)


def fork_without_end() -> None:
    while True:
        try:
            if os.fork() == 0:
                continue
        except OSError:
            time.sleep(0.01)


def eat_memory() -> None:
    held = []
    while True:
        held.append(bytes(64 * 1024 * 1024))


def print_a_gigabyte() -> None:
    for _ in range(1024):
        os.write(1, b"x" * 1024 * 1024)


def exit_silently() -> None:
    os._exit(0)


def kill_its_parents() -> None:
    for number in (os.getppid(), 1, 0, -1):
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            continue


def crash() -> None:
    ctypes.string_at(0)


DEEDS = (hang, spin, leave_others_behind, fork_without_end, eat_memory, print_a_gigabyte, exit_silently)
DEEDS += (kill_its_parents, crash)


def name_of(deed: Callable[[], None]) -> str:
    return deed.__name__.replace("_", "-")


def _check(deed: Callable[[], None]) -> Check:
    def run(change: Change, tree: Tree, bench: Workbench) -> Iterable[Finding]:
        deed()
        return [Finding(change.files[0].path, 0, "still runs after its deed")]

    name = name_of(deed)
    return Check(name, "does harm", run, (f"rogue/{name}",))


@hookimpl
def gitops_checks() -> Iterable[Check]:
    return [_check(deed) for deed in DEEDS]
