"""Runs on a host in front of every command of one run: only the run that the host belongs to gets through.

Installed as `fence-<run id>` where on_host_fence.sh cannot stand; its own name says which run it stands for. The shared
lock goes on to the command by inheritance, so the host counts as working until the last of them has ended. A command
that is a whole run (`whole`: a Python that is asked for one task after the other) may end before what it started, as
where its line is cut: then this stays, and holds the lock until nothing of that session is left. Nothing newer than
Python 3.6.
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
    except OSError:
        refuse("the lock of this host is held or missing; another run takes the host")
    if current != run:
        os.close(held)
        refuse("this host belongs to run %s now, and run %s is over" % (current, run))
    # Passed on where no command asks for a number of its own, as `exec 3<file` does.
    fcntl.fcntl(held, fcntl.F_DUPFD, 20)
    shell = os.environ.get("SHELL") or "/bin/sh"
    if sys.argv[2:] == ["whole"]:
        stay_behind()
    os.execv(shell, [shell, "-c", sys.argv[1]])


def stay_behind() -> None:
    """Goes on in a child, in a session of its own; returns there, and never here."""
    child = os.fork()
    if not child:
        os.setsid()
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    ended = os.waitpid(child, 0)[1]
    import time

    while any(is_of(child, name) for name in os.listdir("/proc")):
        time.sleep(0.1)
    os._exit(os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else REFUSED)


def is_of(session: int, name: str) -> bool:
    try:
        return name.isdigit() and os.getsid(int(name)) == session
    except OSError:
        return False


def refuse(reason: str) -> None:
    sys.stderr.write("gitops-hooks: %s\n" % reason)
    sys.stderr.flush()
    # The module that is on its way in: Ansible says its own words, and not these, where its pipe breaks. A command that
    # brings none keeps the line open.
    import select

    while select.select([0], [], [], 1)[0] and os.read(0, 65536):
        pass
    os._exit(REFUSED)


if __name__ == "__main__":
    main()
