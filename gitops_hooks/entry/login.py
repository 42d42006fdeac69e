"""What sshd starts: it asks the warm judge what becomes of a push or fetch, and runs git.

Only built-in modules are imported here, as in `parent`. Where the warm judge does not run or does not answer well, and
for everything that is not git, `shell` decides in this process, by the same code.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitops_hooks.edge.warm_login import Answer

_OPTIONS = ["--user", "--key"]


def main(home: str, options: list[str]) -> int:
    """Serve one SSH command; answers the exit code that the client sees."""
    found = _ask_warm(home, options)
    if found is None:
        from gitops_hooks.entry import shell

        return shell.main(["--home", home, *options])
    answer, holds, judge = found
    if isinstance(answer, int):
        return answer
    from gitops_hooks.entry.git_run import run

    code = run(*answer, holds, judge)
    # All has been said, and the client would wait some 2 ms while an interpreter is taken down in order.
    os._exit(code)


def _ask_warm(home: str, options: list[str]) -> "Answer | None":
    if options[::2] != _OPTIONS or len(options) != 2 * len(_OPTIONS):
        return None
    # Not imported where it could be missing: the login then decides by itself, or says what is wrong.
    try:
        from gitops_hooks.edge.warm_login import ask_for_login
    except ImportError:
        return None
    return ask_for_login(home, options[1], options[3], _load_git_run)


def _load_git_run() -> None:
    """While the answer is made: this process has nothing else to do."""
    try:
        import gitops_hooks.entry.git_run  # noqa: F401
    except ImportError:
        return  # told when it is needed
