"""A git that dies at a named write: the server's file names the program, so production code knows no test mode.

It is started as `git … update-ref --stdin`, reads the transaction, and when a line moves a ref that fits the
pattern in the file `point` beside it, kills what that file says, once: before the write, after it, or between
taking the ref's lock and the move (which leaves the lock file behind).
"""

import fnmatch
import os
import signal
import subprocess
import sys
from pathlib import Path

REAL = "/usr/bin/git"


def main() -> None:
    point = Path(__file__).with_name("point")
    words = sys.argv[1:]
    if "update-ref" not in words or not point.exists():
        os.execv(REAL, [REAL, *words])
    text = sys.stdin.buffer.read()
    when, who, pattern = point.read_text().split(" ")
    if not _fits(text.decode(), pattern):
        sys.exit(subprocess.run([REAL, *words], input=text, check=False).returncode)
    point.unlink()
    if when == "after":
        subprocess.run([REAL, *words], input=text, check=False)
    if when == "locked":
        _leave_lock(words, text.decode())
    _kill(who)


def _moves(text: str) -> list[str]:
    lines = [line.split(" ") for line in text.splitlines()]
    return [line[1] for line in lines if line[0] in ("create", "update", "delete")]


def _fits(text: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(ref, pattern) for ref in _moves(text))


def _leave_lock(words: list[str], text: str) -> None:
    repository = Path(words[words.index("--git-dir") + 1])
    lock = repository / f"{_moves(text)[0]}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("")


def _kill(who: str) -> None:
    """`judge` is the process that asked for the write; `push` is every process of its session."""
    mine = os.getsid(0)
    if who == "push":
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid() and _session(int(entry.name)) == mine:
                os.kill(int(entry.name), signal.SIGKILL)
    else:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


if __name__ == "__main__":
    main()
