"""Runs on a host in front of every command of one run: only the run that the host belongs to gets through.

Installed as `fence-<run id>`; its own name says which run it stands for. The shared lock goes on to the command by
inheritance, so the host counts as working until the last of them has ended. Nothing newer than Python 3.6.
"""

# Each import costs time before every task; the shell that is started is the login shell.

import fcntl
import os
import sys

REFUSED = 255  # what ssh itself answers for a lost host, so that Ansible tries nothing more there


def main() -> None:
    folder, name = os.path.split(os.path.abspath(__file__))
    run = name[len("fence-") :]
    try:
        held = os.open(os.path.join(folder, "lock"), os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with open(os.path.join(folder, "current"), encoding="ascii") as text:
            current = text.read().strip()
    except OSError as error:
        refuse("the lock of this host is held or missing (%s); another run takes the host" % error.strerror)
    if current != run:
        refuse("this host belongs to run %s now, and run %s is over" % (current, run))
    os.set_inheritable(held, True)
    shell = os.environ.get("SHELL") or "/bin/sh"
    os.execv(shell, [shell, "-c", sys.argv[1]])


def refuse(reason: str) -> None:
    sys.stderr.write("gitops-hooks: %s\n" % reason)
    sys.stderr.flush()
    os._exit(REFUSED)


if __name__ == "__main__":
    main()
