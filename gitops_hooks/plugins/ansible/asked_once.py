"""Ansible's answers to several questions, for which it is loaded once: each is answered by a fork, side by side.

Started as a program beside Ansible, in the folder of the tree, with one JSON word: `[[WORDS, OUT, ERR], …]`, where OUT
and ERR are the files that take what Ansible says. Answers the exit codes as JSON. A fork for each, since Ansible keeps
what it was asked with for the whole program. It imports nothing of ours, so that no folder but Ansible's is needed.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence

_BROKE = 250


def main(questions: Sequence[tuple[Sequence[str], str, str]]) -> int:
    from ansible.cli.inventory import InventoryCLI
    from ansible.cli.playbook import PlaybookCLI

    programs = {"ansible-inventory": InventoryCLI.cli_executor, "ansible-playbook": PlaybookCLI.cli_executor}
    forks = []
    for words, out, err in questions:
        fork = os.fork()
        if not fork:
            _say_into(1, out)
            _say_into(2, err)
            _answer(programs[words[0]], words)
        forks.append(fork)
    codes = [os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) for fork in forks]
    sys.stdout.write(json.dumps(codes))
    return 0


def _say_into(number: int, path: str) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.dup2(opened, number)
    os.close(opened)


def _answer(program: Callable[[list[str]], object], words: Sequence[str]) -> None:
    """Never returns: what follows in the caller is not for a fork."""
    code = _BROKE
    try:
        program(list(words))
        code = 0
    except SystemExit as end:
        code = (end.code or 0) if isinstance(end.code, int | None) else _BROKE
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
