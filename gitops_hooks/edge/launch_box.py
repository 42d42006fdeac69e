"""The box around one deployment: its own mount and PID namespace, made by bubblewrap.

Inside are the system's programs and the interpreter, read-only; the credentials of this environment, read-only; and
a private tmpfs for everything else. It dies as a whole with the first program in it.
"""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops_hooks.edge import door, own_door
from gitops_hooks.edge.sandbox_cure import cure
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.errors import EdgeError

MODULE = "gitops_hooks.entry.deployment"
BOX = Path("/run/deployment")
PROJECT = BOX / "project"
SCRATCH = BOX / "scratch"
CREDENTIALS = Path("/run/credentials")
STATE = Path("/run/state")

# Laid beside this release's own Python by `install.sh server`: root's, and all that sudo allows.
DEPLOY_PROGRAM = Path(sys.prefix).parent / "bin" / "deploy"

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROBE_SECONDS = 10.0
# For what the tree brings and nobody trusts: no network, and no namespace in which it would have more rights.
_ALONE = ("--unshare-net", "--unshare-user", "--disable-userns")
_ROOTS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What programs need to resolve names and users and to trust certificates; no host key, no password file.
_ETC = (
    "alternatives", "ca-certificates", "crypto-policies", "gai.conf", "group", "host.conf", "hosts", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "nsswitch.conf", "passwd", "pki/ca-trust", "pki/tls/certs", "protocols",
    "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip

# -I hides the working folder and PYTHONPATH; the launcher's own import folders come after the interpreter's.
_BOOT = (
    "import os, runpy, sys; "
    "sys.path += [p for p in sys.argv[2].split(os.pathsep) if p not in sys.path]; "
    "sys.argv[:] = sys.argv[1:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


def box_command(run_id: str, credentials: Credentials, deploy_as: str = "") -> list[str]:
    """The whole command of one deployment's child. Errors: EdgeError where bubblewrap or sudo is not installed."""
    if not is_other(deploy_as):
        return own_box(run_id, credentials)
    # The other user's rule names one program of root's, which makes the box itself: see entry/deploy_as.py.
    return [*_as_other(deploy_as), "--run-id", run_id, *_credential_words(credentials)]


def own_box(run_id: str, credentials: Credentials) -> list[str]:
    """The box as this user makes it. Errors: EdgeError where bubblewrap is not installed."""
    program = own_program(MODULE, "--run-id", run_id)
    binds = [*_credential_binds(credentials), *_tools(credentials.tools)]
    leave, into = _door(credentials)
    return [
        *leave,
        _bwrap(),
        *_walls(),
        *([] if credentials.network else _ALONE),
        *_view(),
        *binds,
        *into,
        "--",
        *program,
    ]


def _door(credentials: Credentials) -> tuple[list[str], list[str]]:
    """What stands around the box, and what is shown in it, where there is one way out."""
    if credentials.network or not credentials.door or credentials.known_hosts is None:
        return [], []
    into = ["--bind", door.FOLDER, str(door.PLACE)]
    if credentials.own is not None:
        return own_program(own_door.MODULE, str(credentials.own.absolute())), into
    return own_program(door.MODULE, str(credentials.known_hosts.absolute())), into


def own_program(module: str, *words: str) -> list[str]:
    """The command that runs one of our own modules with this interpreter."""
    return [sys.executable, "-I", "-c", _BOOT, module, os.pathsep.join(_import_path()), *words]


def own_probe() -> list[str]:
    """A box that does nothing. Errors: as own_box."""
    return [_bwrap(), *_walls(), *_view(), "--", sys.executable, "-I", "-c", ""]


def probe(deploy_as: str = "") -> str:
    """Empty where deployments can be confined, else the reason with the line that cures it."""
    try:
        command = [*_as_other(deploy_as), "--probe"] if is_other(deploy_as) else own_probe()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env={"PATH": SYSTEM_PATH}, timeout=_PROBE_SECONDS
        )
    except EdgeError as error:
        return str(error)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"bubblewrap gives no answer within {_PROBE_SECONDS:.0f} s"
    return "" if done.returncode == 0 else explain(done.stderr.decode(errors="replace"), deploy_as)


def check_credential(path: Path, deploy_as: str) -> str:
    """Why the deployment user cannot use this credential, or ''. Errors: EdgeError, subprocess.TimeoutExpired."""
    command = [*_as_other(deploy_as), "--check", str(path)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env={"PATH": SYSTEM_PATH}, timeout=_PROBE_SECONDS
    )
    words = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return ""
    return words.removeprefix("deploy: ") if words.startswith("deploy: ") else explain(words, deploy_as)


def explain(words: str, deploy_as: str) -> str:
    """What sudo, bubblewrap or the interpreter said when the box could not be made, with the cure."""
    said = " ".join(words.split())[:300] or "no reason given"
    if "sudo:" in words:
        return f"a deployment cannot run as {deploy_as}: {said}; run as root: ./install.sh server"
    if "bwrap:" in words:
        return f"no mount and PID namespace for deployments here: {said}. {cure()}"
    return f"the deployment's program did not start: {said}"


def is_other(deploy_as: str) -> bool:
    """Whether deployments run as another user than this one."""
    return bool(deploy_as) and deploy_as != pwd.getpwuid(os.geteuid()).pw_name


def _as_other(deploy_as: str) -> list[str]:
    sudo = shutil.which("sudo", path=SYSTEM_PATH)
    if sudo is None:
        raise EdgeError("sudo", f"not installed, but deployments run as {deploy_as}; run: apt-get install sudo")
    return [sudo, "-n", "-u", deploy_as, "--", str(DEPLOY_PROGRAM)]


def _credential_words(credentials: Credentials) -> Iterator[str]:
    for name, path in credentials.files:
        yield from (f"--{name.replace('_', '-')}", str(path))
    if credentials.state_folder is not None:
        yield from ("--state-folder", str(credentials.state_folder))
    if not credentials.network:
        yield from ("--network", "no")
    if credentials.door:
        yield from ("--door", "yes")
    if credentials.tools:
        yield from ("--tool-folders", os.pathsep.join(map(str, credentials.tools)))


def _bwrap() -> str:
    found = shutil.which("bwrap", path=SYSTEM_PATH)
    if found is None:
        raise EdgeError(
            "bubblewrap", "not installed, and no deployment runs without it; run: apt-get install bubblewrap"
        )
    return found


def _walls() -> list[str]:
    words = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]
    words += ["--cap-drop", "ALL", "--clearenv"]
    for name, value in (
        ("PATH", _path()),
        ("LANG", "C.UTF-8"),
        ("HOME", str(SCRATCH)),
        ("TMPDIR", "/tmp"),  # noqa: S108  # a tmpfs of the box
    ):
        words += ["--setenv", name, value]
    return words


def _path() -> str:
    return f"{Path(sys.executable).parent}:{SYSTEM_PATH}"


def _view() -> list[str]:
    words = ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp", "--dir", "/var/tmp"]  # noqa: S108
    words += ["--ro-bind", "/usr", "/usr"]
    for root in map(Path, _ROOTS):
        if root.is_symlink():
            words += ["--symlink", str(root.readlink()), str(root)]
        elif root.is_dir():
            words += ["--ro-bind", str(root), str(root)]
    for name in _ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for folder in _interpreter_folders():
        words += ["--ro-bind", str(folder), str(folder)]
    return [*words, "--perms", "0700", "--tmpfs", str(BOX), "--chdir", str(BOX)]


def _credential_binds(credentials: Credentials) -> Iterator[str]:
    for name, source in credentials.files:
        yield from ("--ro-bind", str(source.absolute()), str(CREDENTIALS / name))
    if credentials.state_folder is not None:
        yield from ("--bind", str(credentials.state_folder.absolute()), str(STATE))


def _tools(folders: Sequence[Path]) -> Iterator[str]:
    """Programs of the administrator's, before those of the system; one that is not there is left out."""
    for folder in folders:
        yield from ("--ro-bind-try", str(folder), str(folder))
    places = [str(folder / "bin" if (folder / "bin").is_dir() else folder) for folder in folders]
    if places:
        yield from ("--setenv", "PATH", ":".join([*places, _path()]))


def _interpreter_folders() -> Sequence[Path]:
    """Where Python, its packages and this one are; never a folder that holds a home or the whole machine."""
    package = Path(__file__).resolve().parent.parent
    prefixes = [Path(name) for name in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)]
    found = [*prefixes, Path(sys.executable).resolve().parent, package]
    found += [folder for folder in map(Path, _import_path()) if folder != package.parent]
    wanted = sorted(
        {folder for folder in found if folder.is_dir() and not _too_wide(folder)}, key=lambda one: one.parts
    )
    return [
        folder for folder in wanted if not any(folder != other and folder.is_relative_to(other) for other in wanted)
    ]


def _too_wide(folder: Path) -> bool:
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir).resolve()
    return folder.resolve().is_relative_to("/usr") or home.is_relative_to(folder.resolve())


def _import_path() -> tuple[str, ...]:
    package = Path(__file__).resolve().parent.parent
    folders = (str(Path(name)) for name in sys.path if name and Path(name).is_dir())
    return tuple(dict.fromkeys((*folders, str(package.parent))))
