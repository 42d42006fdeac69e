"""gpgv, asked whether a key signed some bytes: one key, no home, no trust, no network, and small bounds.

Everything is handed over in memory, so nothing lies on a disk, whatever ends whom. Where the kernel has Landlock,
gpgv reads the system's libraries and nothing else; root's gpgv runs as nobody.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge import sandbox_landlock as landlock
from gitops_hooks.edge.box_user import NOBODY
from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.model.errors import EdgeError

INSTALL = "apt-get install gpgv"

_SECONDS = 20.0
_PREFIX = b"[GNUPG:] "
_LIMITS = (
    (resource.RLIMIT_CPU, 5),
    (resource.RLIMIT_AS, 256 * 1024 * 1024),
    (resource.RLIMIT_FSIZE, 64 * 1024),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NPROC, 0),
    (resource.RLIMIT_NOFILE, 64),
)


def find_gpgv() -> str:
    """Where it is. Errors: EdgeError with the line that installs it."""
    found = shutil.which("gpgv", path=SYSTEM_PATH)
    if found is None:
        raise EdgeError("gpgv", f"not installed, and no OpenPGP signature is taken without it; run: {INSTALL}")
    return found


def ask_gpgv(keyring: bytes, signature: bytes, payload: bytes) -> tuple[tuple[str, ...], ...]:
    """The words of each status line, in order. Errors: EdgeError where gpgv is missing or did not come to an end."""
    program = find_gpgv()
    with contextlib.ExitStack() as stack:
        ring, signed, content = (_in_memory(stack, each) for each in (keyring, signature, payload))
        told = _in_memory(stack, b"")
        options = ("--homedir", "/nonexistent", "--status-fd", "1", "--ignore-time-conflict")
        weak = ("--weak-digest", "SHA1", "--weak-digest", "RIPEMD160")
        files = ("--keyring", *(f"/proc/self/fd/{number}" for number in (ring, signed, content)))
        _run([program, *options, *weak, *files], told, (ring, signed, content))
        lines = os.pread(told, 64 * 1024, 0).split(b"\n")
    said = (line.removeprefix(_PREFIX).decode("utf-8", "replace") for line in lines if line.startswith(_PREFIX))
    return tuple(tuple(line.split(" ")) for line in said)


def _in_memory(stack: contextlib.ExitStack, content: bytes) -> int:
    number = os.memfd_create("signed", os.MFD_CLOEXEC)
    stack.callback(os.close, number)
    view = memoryview(content)
    while view:
        view = view[os.write(number, view) :]
    return number


def _run(command: list[str], told: int, given: tuple[int, ...]) -> None:
    nobody = NOBODY if os.geteuid() == 0 else None
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.DEVNULL,
            env={"PATH": SYSTEM_PATH, "LC_ALL": "C"},
            cwd="/",
            pass_fds=given,
            timeout=_SECONDS,
            # Only a program with one thread asks, so what runs between fork and exec cannot wait for another's lock.
            preexec_fn=_confinement(),
            user=nobody,
            group=nobody,
            extra_groups=None if nobody is None else (),
        )
    except subprocess.TimeoutExpired:
        raise EdgeError("gpgv", f"no answer within {_SECONDS:.0f} s") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise EdgeError("gpgv", f"does not start ({type(error).__name__})") from None
    if done.returncode < 0:
        raise EdgeError("gpgv", f"was ended by {signal.Signals(-done.returncode).name}")


def _confinement() -> Callable[[], None]:
    readable = [path for path in map(Path, ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")) if path.exists()]

    def confine() -> None:
        kernel.die_with_parent(signal.SIGKILL)
        kernel.forbid_new_privileges()
        with contextlib.suppress(OSError):
            landlock.restrict_self(readable)
        for name, most in _LIMITS:
            hard = resource.getrlimit(name)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(name, (least, least))

    return confine
