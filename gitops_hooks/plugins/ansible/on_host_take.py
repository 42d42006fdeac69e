"""Runs on a host, alone: takes it for one run, keeps it while the run's connection lives, and says so in one line.

Sent as text and started with `python3 -I -S -c`, so it uses the standard library only, and nothing newer than
Python 3.6. The last line of the text, which our side adds, calls `main` with the job. Standard input brings the two
forms of the fence and then a sign of life from time to time; its end gives the host back. See fence.py for what the
files mean.
"""

# pathlib and newer string forms cost time, or are not there on old hosts. So does json: a third of all that this takes.

import fcntl
import os
import select
import sys
import time

MYPY = False
if MYPY:  # importing it would cost as much as json
    from typing import Any

DAYS = 2
SHELL = "/bin/sh"
# Those that pass a descriptor above 2 on to what they start; the shells of Korn close it.
SHELLS = ("bash", "busybox", "dash")


def main(job: "dict[str, Any]") -> None:
    """Its `fence` and `light` say how many bytes of each form come in; none of one that is not wanted."""
    fence, light = (take_in(job[form]) for form in ("fence", "light"))
    os.umask(0o077)
    top = os.path.join(os.path.expanduser("~"), ".gitops-hooks")
    folder = os.path.join(top, job["host"])
    os.makedirs(folder, 0o700, exist_ok=True)
    os.chmod(top, 0o700)
    deadline = time.monotonic() + job["wait"]
    if lock(folder, "run", deadline) < 0:
        say({"state": "busy", "by": read(folder, "current")})
        return
    idle = lock(folder, "lock", deadline)
    if idle < 0:
        say({"state": "working", "by": holders(os.path.join(folder, "lock"))})
        return
    newest = read(folder, "generation-" + job["environment"]) or "0 none"
    number, owner = newest.split()
    taken = int(number) == job["generation"] and owner != job["run"] and not job["look"]
    if int(number) > job["generation"] or taken:
        say({"state": "newer", "by": newest})
        return
    if not job["look"]:
        write(folder, "generation-" + job["environment"], "%d %s" % (job["generation"], job["run"]))
    write(folder, "current", job["run"])
    sweep(folder)
    shell = SHELL if light and has_flock() else ""
    write(folder, "fence-" + job["run"], light if shell else fence)
    os.close(idle)
    place = os.path.join(folder, "fence-" + job["run"])
    word = {"state": "taken", "fence": place, "python": sys.executable, "shell": shell}
    say(dict({name: found_as(name) for name in job["pythons"]}, **word))
    keep(job["silence"])


def take_in(size: int) -> str:
    """Text of so many bytes, straight from the descriptor: what comes later must wake select."""
    found = b""
    while len(found) < size:
        part = os.read(0, size - len(found))
        if not part:
            sys.exit("the fence did not arrive whole")
        found += part
    return found.decode()


def lock(folder: str, name: str, deadline: float) -> int:
    """The descriptor that holds it exclusively, or -1 where somebody else does until the deadline."""
    held = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT, 0o600)
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
        except OSError:
            if time.monotonic() >= deadline:
                os.close(held)
                return -1
            time.sleep(0.05)


def has_flock() -> bool:
    """Whether the fence that is written for the shell can stand here."""
    shell = os.path.basename(os.path.realpath(SHELL))
    places = os.environ.get("PATH", os.defpath).split(":")
    return shell in SHELLS and any(os.access(os.path.join(place, "flock"), os.X_OK) for place in places)


def found_as(name: str) -> str:
    """What `command -v` says of it: the path of the program, or nothing."""
    places = [""] if "/" in name else os.environ.get("PATH", os.defpath).split(":")
    for path in (os.path.join(place, name) for place in places):
        if path.startswith("/") and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return ""


def sweep(folder: str) -> None:
    """Drop fences that no run can still stand before; younger ones tell their run in words that it is over."""
    for name in os.listdir(folder):
        old = os.path.join(folder, name)
        if name.startswith("fence-") and os.stat(old).st_mtime < time.time() - DAYS * 86400:
            os.unlink(old)


def holders(path: str) -> str:
    """Numbers and names of programs that hold the file open, as far as this user may see them."""
    import glob

    found = []
    for entry in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            number = entry.split("/")[2]
            if os.readlink(entry) == path and int(number) != os.getpid():
                with open("/proc/%s/comm" % number, "rb") as name:
                    found.append("%s %s" % (number, ascii(name.read().decode("utf-8", "replace").strip())[1:-1]))
        except OSError:
            continue
    return ", ".join(sorted(set(found)))


def read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="ascii") as text:
            return text.read().strip()
    except FileNotFoundError:
        return ""


def write(folder: str, name: str, text: str) -> None:
    """Beside, flushed to disk, then renamed: after a crash the old or the new text stands there, never half of one."""
    beside = os.path.join(folder, name + ".new")
    with open(beside, "w", encoding="ascii") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.rename(beside, os.path.join(folder, name))


def say(word: "dict[str, str]") -> None:
    """In JSON."""
    sys.stdout.write("{%s}\n" % ", ".join("%s: %s" % (quoted(name), quoted(value)) for name, value in word.items()))
    sys.stdout.flush()


def quoted(text: str) -> str:
    return '"%s"' % "".join(one if " " <= one <= "~" and one not in '"\\' else escaped(one) for one in text)


def escaped(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass").hex()
    return "".join("\\u" + units[at : at + 4] for at in range(0, len(units), 4))


def keep(silence: float) -> None:
    """Until standard input ends or says nothing for so many seconds: a cut cable must not keep the host for ever."""
    while select.select([0], [], [], silence)[0] and os.read(0, 4096):
        pass
