"""What a program does that waits for another one under signals: for hooks and logins, and of built-in modules alone."""

import os


class Ended(BaseException):
    """A signal asked this process to end."""


def stop_waiting(number: int, frame: object) -> None:
    """The signal handler that ends the wait."""
    raise Ended


def say(line: str) -> None:
    """One line for the person, who may be gone."""
    try:
        os.write(2, line.encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        return
