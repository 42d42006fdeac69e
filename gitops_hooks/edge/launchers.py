"""The small scripts that start us from outside: they name the interpreter and the folder of this package.

sshd, cron and git start programs by path; a checkout that was never installed into its interpreter has none.
"""

import os
import sys
from pathlib import Path

import gitops_hooks
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.store import make_folder, replace_file

_LONGEST_SHEBANG = 120  # Linux before 5.1 cut the first line at 127 bytes and ran what was left
_SHELL = """\
{start}import sys
sys.tracebacklimit = 0
sys.path.append({package!r})
from gitops_hooks.entry.login import main
sys.exit(main({home!r}, sys.argv[1:]))
"""
_RECONCILE = """\
{start}import sys
sys.path.append({package!r})
from gitops_hooks.entry.reconciler import main
sys.exit(main(["--home", {home!r}, *sys.argv[1:]]))
"""


def shell_launcher(home: Home) -> Path:
    """What the lines in authorized_keys run; `--user` and `--key` follow it."""
    return home.path.absolute() / "bin" / "gitops-shell"


def reconcile_launcher(home: Home) -> Path:
    """What systemd, cron and every SSH command start; `--once`, `--ensure` or `--stop` may follow it."""
    return home.path.absolute() / "bin" / "gitops-reconcile"


def lay_launchers(home: Home) -> None:
    """Write both scripts. Errors: OSError."""
    make_folder(home.path / "bin")
    for path, text in _expected(home, Path(sys.executable)).items():
        replace_file(path, text.encode(), 0o700)


def verify_launchers(home: Home) -> tuple[str, ...]:
    """What is wrong with them, a line each."""
    faults = []
    good = [_expected(home, interpreter) for interpreter in interpreters()]
    for path in (shell_launcher(home), reconcile_launcher(home)):
        try:
            if path.read_text(encoding="utf-8") not in [each[path] for each in good] or not os.access(path, os.X_OK):
                faults.append(f"{path.name} was changed, or belongs to another release")
        except (OSError, UnicodeDecodeError):
            faults.append(f"{path.name} is missing or cannot be read")
    return tuple(faults)


def package_folder() -> Path:
    """The folder that holds the package `gitops_hooks`."""
    return Path(gitops_hooks.__file__).resolve().parent.parent


def interpreters() -> tuple[Path, ...]:
    """This interpreter under each of its names: `python` and `python3` of one environment are the same."""
    me = Path(sys.executable)
    names = ("python", "python3", f"python3.{sys.version_info.minor}")
    others = (me.with_name(name) for name in names)
    return (me, *(path for path in others if path != me and path.exists() and path.samefile(me)))


def first_lines(interpreter: Path, flags: str) -> str:
    """How a script names its interpreter: `#!…`, or a detour over sh where the path is too long or has a space."""
    line = f"#!{interpreter} {flags}\n"
    if len(line.encode()) <= _LONGEST_SHEBANG and not any(char.isspace() for char in str(interpreter)):
        return line
    # sh reads '''exec' as the word exec; to Python the same lines are a string that nobody uses.
    quoted = str(interpreter).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f"#!/bin/sh\n'''exec' \"{quoted}\" {flags} \"$0\" \"$@\"\n' '''\n"


def _expected(home: Home, interpreter: Path) -> dict[Path, str]:
    values = {"package": str(package_folder()), "home": str(home.path.absolute())}
    # The forced command needs no installed package for git, so it starts without looking for any (-S).
    return {
        shell_launcher(home): _SHELL.format(start=first_lines(interpreter, "-IS"), **values),
        reconcile_launcher(home): _RECONCILE.format(start=first_lines(interpreter, "-I"), **values),
    }
