"""The program that a fault test puts in git's place: it ends itself and its callers at one named write of a ref.

Run as `failing_git.py FOLDER GIT WORDS…` in place of `GIT WORDS…`, and only for `update-ref --stdin`. FOLDER holds
`armed` (one failpoint as JSON, taken away as it fires) and `written` (one line for each ref that was written). Each
transaction is looked at by itself, however many one git is asked for.
"""

import fnmatch
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

_MOVES = ("create", "update", "delete")


def main() -> int:
    folder = Path(sys.argv[1])
    git = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while asked := _next_transaction():
        refs = [line.split(" ")[1] for line in asked.decode().split("\n") if line.split(" ")[0] in _MOVES]
        point = _take_point(folder, refs)
        if point and point["when"] == "before":
            _end_callers(point["ends"])
        if point and point["when"] == "inside":
            _die_inside(git, asked)
            _end_callers(point["ends"])
        answer = _pass_on(git, asked)
        is_done = answer.endswith(b"commit: ok\n")
        if is_done:
            with (folder / "written").open("a") as written:
                written.writelines(f"{ref}\n" for ref in refs)
        if point:
            _end_callers(point["ends"])
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
        if not is_done:
            break  # git has refused, and ends
    git.stdin.close()
    return git.wait()


def _next_transaction() -> bytes:
    asked = b""
    while not asked.endswith(b"commit\n"):
        asked += (line := sys.stdin.buffer.readline())
        if not line:
            return b""
    return asked


def _pass_on(git: subprocess.Popen[bytes], asked: bytes) -> bytes:
    """What git answers to one transaction; whole where it ends with `commit: ok`."""
    git.stdin.write(asked)
    git.stdin.flush()
    answer = b""
    while not answer.endswith(b"commit: ok\n") and (line := git.stdout.readline()):
        answer += line
    return answer


def _take_point(folder: Path, refs: list[str]) -> dict[str, str] | None:
    """The failpoint, where this is the write that it names; counted down where it names a later one."""
    try:
        point = json.loads((folder / "armed").read_text())
    except FileNotFoundError:
        return None
    if not any(fnmatch.fnmatchcase(ref, point["ref"]) for ref in refs):
        return None
    point["nth"] -= 1
    if point["nth"] > 0:
        (folder / "armed").write_text(json.dumps(point))
        return None
    (folder / "armed").unlink()
    return point


def _die_inside(git: subprocess.Popen[bytes], asked: bytes) -> None:
    """Let git take its locks, and kill it while it holds them: the lock files stay."""
    git.stdin.write(asked.replace(b"commit\n", b""))
    git.stdin.flush()
    while (line := git.stdout.readline()) and line != b"prepare: ok\n":
        pass
    git.send_signal(signal.SIGKILL)
    git.wait()


def _end_callers(ends: str) -> None:
    """SIGKILL to whoever waits for this write, and for `session` to everything of the push on the server."""
    doomed = [os.getppid()]
    if ends == "session":
        session = _push_session()
        doomed += [int(Path(f"/proc/{session}/stat").read_text().rpartition(")")[2].split()[1])]
        doomed += [pid for pid in _numbers() if pid != os.getpid() and _session(pid) == session]
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.kill(os.getpid(), signal.SIGKILL)


def _push_session() -> int:
    """git's, which is not ours where the warm judge's fork writes: found by the lock that all of a push hold."""
    mine = _held(os.getppid())
    for pid in _numbers():
        if b"receive-pack" in _read(f"/proc/{pid}/cmdline") and _session(pid) == pid and mine & _held(pid):
            return pid
    raise AssertionError("this write belongs to no push")


def _held(pid: int) -> set[str]:
    """The markers of living pushes that a program holds open."""
    found = set()
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return found
    for entry in entries:
        try:
            found.add(str(entry.readlink()))
        except OSError:
            continue
    return {name for name in found if name.endswith("/alive")}


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _numbers() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


if __name__ == "__main__":
    sys.exit(main())
