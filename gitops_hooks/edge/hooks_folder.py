"""The folder of hooks that git is pointed at: laid whole, and verified before git starts.

git lets a push through when a hook is missing, empty or not executable, so nothing else may be in doubt.
"""

import os
import shlex
import sys
from pathlib import Path

import gitops_hooks
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import first_lines, interpreters, lay_launchers, package_folder
from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.errors import EdgeError

_JUDGING, _LAST = ("pre-receive", "proc-receive"), ("post-receive",)
NAMES = (*_JUDGING, *_LAST)

_THROUGH_LOGIN = "through-login"
_PYTHON = "#!@PYTHON@\n"
_PACKAGE = '"@PACKAGE@"'


def lay_hooks(home: Home) -> None:
    """Write the three hooks, and the scripts that sshd and cron start. Errors: OSError, EdgeError."""
    make_folder(home.hooks, 0o755)
    for name in NAMES:
        replace_file(home.hooks / name, _render(name, Path(sys.executable)), 0o755)
    lay_launchers(home)


def lay_for_push(folder: Path, *, with_last: bool, through_login: bool) -> None:
    """This release's hooks for one push alone: whatever is laid in the home meanwhile, it ends as it began.

    Those that judge may be such as ask through the login. The last one only tells of what the push began, and is laid
    by proc-receive where it began something (`lay_last`): git looks for each hook when its turn comes. Errors: OSError,
    EdgeError.
    """
    make_folder(folder)
    for name in _JUDGING:
        _lay(folder / name, _render_through_login(name) if through_login else _render(name, Path(sys.executable)))
    if with_last:
        lay_last(folder)


def lay_last(folder: Path) -> None:
    """The hook that follows what the push began. Errors: OSError, EdgeError."""
    for name in _LAST:
        _lay(folder / name, _render(name, Path(sys.executable)))


def _lay(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o700)
    with os.fdopen(handle, "wb") as hook:
        hook.write(content)


def verify_hooks(home: Home) -> tuple[str, ...]:
    """What is wrong with the hooks, a line each; empty means that git may start."""
    try:
        folder = home.hooks.stat()
        # git runs no hook whose name begins with a dot; a write that was cut off may have left one.
        present = {entry.name for entry in home.hooks.iterdir() if not entry.name.startswith(".")}
    except OSError as error:
        return (f"the hooks folder cannot be read: {error.strerror}",)
    faults = [f"there is a foreign file in the hooks folder: {name!a}" for name in sorted(present - set(NAMES))]
    if folder.st_mode & 0o022 or folder.st_uid not in (0, os.geteuid()):
        faults.append("the hooks folder is writable by others")
    for name in NAMES:
        faults.extend(f"{name} {fault}" for fault in _verify(home.hooks / name))
    return tuple(faults)


def _verify(path: Path) -> list[str]:
    try:
        found, content = path.lstat(), path.read_bytes()
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    if not content:
        return ["is empty"]
    faults = []
    if found.st_mode & 0o170022 != 0o100000 or found.st_uid not in (0, os.geteuid()):
        faults.append("is writable by others, or no regular file")
    if not os.access(path, os.X_OK):
        faults.append("is not executable")
    if not any(content == _render(path.name, interpreter) for interpreter in interpreters()):
        faults.append("was changed, or belongs to another release")
    return faults


def _render(name: str, interpreter: Path) -> bytes:
    """The script as it must stand. Errors: EdgeError where the release itself is not whole."""
    return (first_lines(interpreter, "-IS") + _script(name)).encode()


def _render_through_login(name: str) -> bytes:
    """One of sh that has its login ask, and becomes the script where that could not. Errors: as _render."""
    words = {"NAME": name.replace("-", "_"), "PYTHON": sys.executable, "SCRIPT": _script(name)}
    text = _template(_THROUGH_LOGIN)
    for word, value in words.items():
        if text.count(f" @{word}@ ") != 1:
            raise _damaged(name)
        text = text.replace(f" @{word}@ ", f" {shlex.quote(value)} ")
    return text.encode()


def _script(name: str) -> str:
    """What Python runs. Errors: EdgeError where the release itself is not whole."""
    text = _template(name)
    if not text.startswith(_PYTHON) or text.count(_PACKAGE) != 1:
        raise _damaged(name)
    # ascii() also keeps a quote or a newline in the path inside its string.
    return text.replace(_PACKAGE, ascii(str(package_folder()))).removeprefix(_PYTHON)


def _damaged(name: str) -> EdgeError:
    return EdgeError(name, "this hook's template is damaged; install the release again")


def _template(name: str) -> str:
    package = Path(gitops_hooks.__file__).resolve().parent
    for folder in (package / "hooks", package.parent / "hooks"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise EdgeError(name, "this hook's template is missing; install the release again")
