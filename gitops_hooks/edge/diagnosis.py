"""What doctor looks at on the machine: one function a question, each with its cure."""

import importlib.util
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path

from gitops_hooks.edge.authorized_keys import expected_lines, read_block
from gitops_hooks.edge.bell import reconcile_lock
from gitops_hooks.edge.diagnosis_kept import Machine, who_keeps
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.hooks_folder import verify_hooks
from gitops_hooks.edge.launchers import package_folder, reconcile_launcher, verify_launchers
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.server import ServerFile

_OLDEST_GIT = (2, 36)
_SECONDS = 30.0
_LAY = "gitops-hooks repo add NAME --admin NAME lays hooks and settings again"
_JUDGES = ("pre_receive", "proc_receive", "post_receive")
_IMPORTS = ("gitops_hooks.entry.pre_receive", "pluggy", "pygit2", "yaml")


class State(Enum):
    """Whether a line is good, bad, or merely worth knowing."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of doctor; `cure` is what to do about a FAIL or a note."""

    state: State
    name: str
    words: str
    cure: str = ""


def ask(name: str, question: Callable[[], Iterable[Line]]) -> tuple[Line, ...]:
    """The answers; whatever the question runs into is a FAIL of its own and keeps the others from nothing."""
    try:
        return tuple(question())
    except (EdgeError, PolicyError, OSError, ValueError, subprocess.SubprocessError) as error:
        return (Line(State.FAIL, name, str(error), "mend this first, then run doctor again"),)


def verdict(name: str, faults: Iterable[str], good: str, cure: str) -> tuple[Line, ...]:
    """One good line, or a FAIL for each fault with the same cure."""
    found = tuple(Line(State.FAIL, name, fault, cure) for fault in faults)
    return found or (Line(State.OK, name, good),)


def private(path: Path, mode: int) -> str:
    """What is wrong with the owner or mode of a file or folder, or ''."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        return f"{path} belongs to user {found.st_uid}"
    return f"{path} has mode {found.st_mode & 0o777:o}, not {mode:o}" if found.st_mode & 0o777 & ~mode else ""


def home_lines(home: Home) -> Iterable[Line]:
    folders = ((home.path, 0o700), (home.run, 0o700), (home.path / "state", 0o700))
    files = ((home.server_file, 0o600), (home.users_file, 0o600), (home.signing_key, 0o600), (home.nonce_seed, 0o600))
    faults = [fault for path, mode in (*folders, *files) if (fault := private(path, mode))]
    return verdict("home", faults, f"{home.path} is the server user's own", f"chown and chmod below {home.path}")


def hook_lines(home: Home) -> Iterable[Line]:
    yield from verdict("hooks", verify_hooks(home), "the hooks are whole", _LAY)
    yield from verdict("launchers", verify_launchers(home), "the launchers are whole", _LAY)


def judge_lines(home: Home) -> Iterable[Line]:
    """Whether the judges load the way that a hook loads them."""
    script = "import sys; sys.path.append(sys.argv[1]); import site; site.main(); import importlib\n"
    script += "for name in sys.argv[2:]: importlib.import_module('gitops_hooks.entry.' + name)"
    done = _run([sys.executable, "-IS", "-c", script, str(package_folder()), *_JUDGES])
    faults = [f"a hook cannot load its judge: {done.stderr.strip().rpartition(chr(10))[2]}"] if done.returncode else []
    return verdict("judge", faults, "the judges load", "install the release again")


def byte_code_lines(home: Home) -> Iterable[Line]:
    """Without byte code each hook compiles what it imports: four times slower."""
    faults = []
    for name in _IMPORTS:
        found = importlib.util.find_spec(name)
        if found and found.origin and found.origin.endswith(".py"):
            cached = Path(importlib.util.cache_from_source(found.origin))
            if not cached.exists() or cached.stat().st_mtime < Path(found.origin).stat().st_mtime - 1:
                faults.append(f"{name} has no byte code")
    return verdict(
        "byte code", faults, "is there", f"{sys.executable} -m compileall -q {package_folder()}/gitops_hooks"
    )


def git_lines(server: ServerFile) -> Iterable[Line]:
    words = _run([server.git, "--version"]).stdout.strip().partition("\n")[0]
    found = re.match(r"git version (\d+)\.(\d+)", words)
    is_good = found is not None and (int(found[1]), int(found[2])) >= _OLDEST_GIT
    faults = [] if is_good else [f"{server.git} is no git of 2.36 or newer: {words or 'no answer'}"]
    return verdict("git", faults, words, 'install a newer git, and name it in server.toml: git = "/path/to/git"')


def ssh_lines(home: Home, server: ServerFile, people: People) -> Iterable[Line]:
    path = server.authorized_keys or home.authorized_keys
    cure = "gitops-hooks user remove and user add write the block again"
    faults = [] if not people.everybody or path.exists() else [f"{path} is missing"]
    if path.exists():
        faults += [fault] if (fault := private(path, 0o644)) else []
        if read_block(path) != expected_lines(home, people):
            faults.append(f"our block in {path} is not what users.toml says")
    yield from verdict("authorized_keys", faults, f"{path} has a forced command for every key", cure)
    shell = pwd.getpwuid(os.geteuid()).pw_shell
    wrong = (
        [f"the login shell is {shell}, which runs no forced command"] if shell.endswith(("nologin", "false")) else []
    )
    yield from verdict("login shell", wrong, f"{shell} runs the forced command", "usermod -s /bin/sh USER")
    if not _accepts_protocol():
        words = "sshd does not pass GIT_PROTOCOL: each fetch lists every ref"
        yield Line(State.NOTE, "sshd", words, "add to sshd_config:  AcceptEnv GIT_PROTOCOL")


def reconciler_lines(home: Home) -> Iterable[Line]:
    launcher = str(reconcile_launcher(home))
    kept, idle = who_keeps(launcher, Machine.this())
    faults = () if kept else idle or ("nothing starts the reconciler again after a reboot",)
    yield from verdict("reconciler", faults, f"is kept alive by {kept}", f"crontab:  * * * * * {launcher} --ensure")
    hold = try_lock(reconcile_lock(home))
    if hold is not None:
        os.close(hold)
        words = "does not run at this moment; the next SSH command starts it"
        yield Line(State.NOTE, "reconciler", words, f"{launcher} --ensure")


def stop_lines(home: Home) -> Iterable[Line]:
    """A server that deploys nothing is no healthy one, whoever meant it so."""
    if stop := read_stop(home):
        yield Line(State.FAIL, "stop", f"all deployments are stopped {stop.words}", "gitops-hooks env start")


def _accepts_protocol() -> bool:
    files = (Path("/etc/ssh/sshd_config"), *Path("/etc/ssh/sshd_config.d").glob("*.conf"))
    setting = re.compile(r"^\s*AcceptEnv\s.*\bGIT_(PROTOCOL|\*)", re.IGNORECASE | re.MULTILINE)
    for path in files:
        try:
            if setting.search(path.read_text(encoding="utf-8", errors="replace")):
                return True
        except OSError:
            continue
    return False


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS
    )
