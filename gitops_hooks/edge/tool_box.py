"""The box around one outside tool, made by bubblewrap: no network, no credentials, nothing that stays.

Inside are the system's programs, the folders of tools that the server's file names, and the files that the check
gave; a private /tmp is all that can be written to. Root's tools run as a user of this box alone,
everybody else's in a user namespace.
"""

import math
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops_hooks.edge.box_user import BoxUser, choose_box_user
from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.edge.sandbox_root import user_home
from gitops_hooks.edge.tool_run import Ends
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Tool

TREE, GIVEN, HOME = "/tree", "/given", "/tmp"  # noqa: S108  # a tmpfs of the box

_SOURCE = "/source"
_SHARED = 16 * 1024 * 1024
_ROOTS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "protocols", "services")
_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try")
# A copy of the tree that may be written to; what cannot be copied ends the tool, which would see half a tree.
_COPY = f'cp -R {_SOURCE}/. {TREE}/ && cd {TREE} && exec "$@"'


@dataclass(frozen=True, slots=True)
class Passwd:
    """Who the tool is inside, and the file that says so there: many a program asks for its user's name and home."""

    path: Path
    who: BoxUser


@dataclass(frozen=True, slots=True)
class View:
    """What one tool sees, as folders of the server: `tree` and `given` (None: none); `writable` gives it a copy.

    With `own_network` it may configure one, which is empty and ends with it.
    """

    passwd: Passwd
    tree: Path | None = None
    given: Path | None = None
    writable: bool = False
    own_network: bool = False


def search_path(folders: Sequence[Path]) -> str:
    """Where tools are looked for: the server's own folders of tools, this release, the system."""
    places = [folder / "bin" if os.access(folder / "bin", os.X_OK) else folder for folder in folders]
    return ":".join([*map(str, places), str(Path(sys.prefix) / "bin"), SYSTEM_PATH])


def find_tool(name: str, folders: Sequence[Path]) -> str | None:
    """The whole path of a program, the same inside and outside; None where there is none."""
    return shutil.which(name, path=search_path(folders))


def find_tools(
    tools: Sequence[Tool], folders: Sequence[Path], own_network: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Those that may be run here, with their paths, and which of them get a network of their own."""
    allowed = [tool for tool in tools if not tool.own_network or tool.name in own_network]
    found = {tool.name: find_tool(tool.name, folders) for tool in allowed}
    with_network = tuple(tool.name for tool in allowed if tool.own_network)
    return {name: path for name, path in found.items() if path}, with_network


def box_command(view: View, folders: Sequence[Path], limits: Limits, ends: Ends) -> list[str]:
    """The command that goes before the tool's own.

    Errors: EdgeError where bubblewrap or what sets limits is not installed.
    """
    words = [_program("bwrap", "bubblewrap"), *_NAMESPACES, "--die-with-parent", "--new-session"]
    words += ["--hostname", "box", *([] if os.geteuid() == 0 else _user_namespace(view))]
    words += [*_environment(folders), *_system(), *_files(view, limits)]
    words += [*_folders(visible_folders(folders)), "--remount-ro", "/"]
    words += ["--cap-drop", "ALL", "--json-status-fd", str(ends.status)]
    # Who makes a network needs a user namespace to make it in.
    words += [] if view.own_network else ["--seccomp", str(ends.rules)]
    if os.geteuid() == 0:
        words += [word for name in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{name}")]
    return [*words, "--", *_drop(view.passwd.who), *_limits(limits), *_begin(view)]


def _user_namespace(view: View) -> list[str]:
    """No further ones inside, but for who makes a network there."""
    return ["--unshare-user"] if view.own_network else ["--unshare-user", "--disable-userns"]


def lay_passwd(folder: Path) -> Passwd:
    """Choose the user of a box, and write its file in a folder of the server. Errors: OSError."""
    passwd = Passwd(folder / "passwd", choose_box_user())
    passwd.path.write_text(f"tool:x:{passwd.who.user}:{passwd.who.group}:tool:{HOME}:/bin/sh\n")
    passwd.path.chmod(0o644)
    return passwd


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        raise EdgeError(package, f"not installed, and no tool runs without it; run: apt-get install {package}")
    return found


def _environment(folders: Sequence[Path]) -> list[str]:
    values = {"PATH": search_path(folders), "HOME": HOME, "TMPDIR": HOME, "LANG": "C.UTF-8", "USER": "tool"}
    return ["--clearenv", *(word for name, value in values.items() for word in ("--setenv", name, value))]


def _system() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", str(_SHARED), "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev")  # noqa: S108
    yield from ("--ro-bind", "/usr", "/usr")
    for root in map(Path, _ROOTS):
        if root.is_symlink():
            yield from ("--symlink", str(root.readlink()), str(root))
        elif root.is_dir():
            yield from ("--ro-bind", str(root), str(root))
    # Made first: bubblewrap gives a folder on the way to what root alone may read to root alone.
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def _files(view: View, limits: Limits) -> Iterator[str]:
    room = ("--size", str(limits.tool_room), "--perms", "1777", "--tmpfs")
    yield from (*room, HOME, "--ro-bind", str(view.passwd.path), "/etc/passwd")
    if view.tree is None:
        yield from ("--dir", TREE)
    elif view.writable:
        yield from ("--ro-bind", str(view.tree), _SOURCE, *room, TREE)
    else:
        yield from ("--ro-bind", str(view.tree), TREE)
    if view.given is not None:
        yield from ("--ro-bind", str(view.given), GIVEN)
    yield from ("--chdir", TREE)


def _folders(visible: Sequence[Path]) -> Iterator[str]:
    """Folders at their own places; what is above them could be root's alone outside, and is not here."""
    above = {parent for folder in visible for parent in folder.parents} - {Path("/")}
    for parent in sorted(above, key=lambda one: one.parts):
        yield from ("--perms", "0755", "--dir", str(parent))
    for folder in visible:
        yield from ("--ro-bind", str(folder), str(folder))


def _drop(who: BoxUser) -> list[str]:
    if os.geteuid() != 0:
        return []
    alone = (f"--reuid={who.user}", f"--regid={who.group}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
    return [_program("setpriv", "util-linux"), *alone, "--no-new-privs"]


def _limits(limits: Limits) -> list[str]:
    bounds = {
        "core": 0,
        "nproc": limits.tool_tasks,
        "data": limits.tool_memory,
        "fsize": limits.tool_room,
        "nofile": 1024,
        "cpu": math.ceil(limits.check_seconds * (os.cpu_count() or 1)) + 1,
        "memlock": 0,
        "msgqueue": 0,
    }
    return [_program("prlimit", "util-linux"), *(f"--{name}={most}:{most}" for name, most in bounds.items())]


def _begin(view: View) -> list[str]:
    """env takes the settings that stand before the tool's name; a shell copies the tree first where it is writable."""
    copying = ["/bin/sh", "-c", _COPY, "sh"] if view.writable and view.tree is not None else []
    return [*copying, *(_networked() if view.own_network else ()), "/usr/bin/env"]


def _networked() -> list[str]:
    """A user namespace with a network that belongs to it, and of all rights there the one to configure that."""
    alone = [_program("unshare", "util-linux"), "--user", "--net", "--map-root-user", "--"]
    rights = ("--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin", "--no-new-privs", "--")
    return [*alone, _program("setpriv", "util-linux"), *rights]


def visible_folders(configured: Sequence[Path]) -> tuple[Path, ...]:
    """The folders that a box shows beside the system's own: those of the server's file and this release's Python."""
    wanted = [*configured, Path(sys.prefix), Path(sys.base_prefix)]
    found = sorted(
        {folder for folder in wanted if os.access(folder, os.R_OK | os.X_OK) and not _too_wide(folder)},
        key=lambda one: one.parts,
    )
    return tuple(one for one in found if not any(one != other and one.is_relative_to(other) for other in found))


def _too_wide(folder: Path) -> bool:
    """In the box already, or a folder that holds a home or the whole machine."""
    real = folder.resolve()
    return real.is_relative_to("/usr") or user_home().is_relative_to(real)
