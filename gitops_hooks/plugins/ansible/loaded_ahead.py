"""What ansible-runner starts as `ansible-playbook`: it loads Ansible while hosts are looked at, and then waits.

Started by a script of one line as `python -P PROGRAM WAY WORDS…`. One byte on the way, a FIFO, tells it to run the
playbook; any other one ends it. What is read of the tree, of hosts and of variables is read after that. It imports
nothing of ours, so that no folder but Ansible's is needed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

GO, LEAVE = b"g", b"l"


def main(way: str, words: Sequence[str]) -> int:
    from ansible.cli.playbook import PlaybookCLI

    with Path(way).open("rb", buffering=0) as told:
        if told.read(1) != GO:
            return 0
    PlaybookCLI.cli_executor(["ansible-playbook", *words])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
