"""What a program does that waits for another one under signals: for hooks and logins, and of built-in modules alone."""

import os

STDIN_OF_SH, STDOUT_OF_SH = 9, 8
"""Where a hook in sh keeps 0 and 1, since they are its line while it uses that. No digit is higher."""


class Ended(BaseException):
    """A signal asked this process to end."""


def stop_waiting(number: int, frame: object) -> None:
    """The signal handler that ends the wait."""
    raise Ended


def say(line: str, out: int = 2) -> None:
    """One line for the person, who may be gone."""
    try:
        os.write(out, line.encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        return
