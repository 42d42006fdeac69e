"""Questions about outside tools: whether they can be run here at all, and which version of one this server has."""

import functools
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gitops_hooks.edge.tool_box import Passwd, View, box_command, find_tool, lay_passwd
from gitops_hooks.edge.tool_run import Bounds, run_boxed
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Ran, Tool

_SECONDS = 10.0
_MEGABYTE = 1024 * 1024
_LEDGERS = (Path("/var/lib/dpkg/status"), Path("/var/lib/rpm/rpmdb.sqlite"), Path("/lib/apk/db/installed"))


def probe_tools(folders: Sequence[Path], limits: Limits) -> str:
    """Empty where tools can be run, else the reason with the line that cures it."""
    try:
        ran = _run(("true",), folders, limits)
    except EdgeError as error:
        return str(error)
    return ran.cut or ("" if ran.status == 0 else f"a tool ends with {ran.status}: {_first_line(ran)}")


def probe_own_network(folders: Sequence[Path], limits: Limits) -> str:
    """Empty where a tool can have a network of its own, else why not."""
    try:
        ran = _run(("true",), folders, limits, partial(View, own_network=True))
    except EdgeError as error:
        return str(error)
    why = ran.cut or ("" if ran.status == 0 else _first_line(ran))
    words = f"own_network: this kernel gives no tool a network of its own ({why}); rulesets are not read"
    return f"{words}, and checks say so" if why else ""


def tool_version(tool: Tool, folders: Sequence[Path], limits: Limits) -> str:
    """What a tool says of its own version, the first line of it; "" where this server has none.

    Asked once a process and program. Errors: EdgeError where it gives no answer.
    """
    path = find_tool(tool.name, folders)
    if path is None:
        return ""
    found = Path(path).stat()
    return _version(tool, path, (found.st_mtime_ns, found.st_size, found.st_ino), tuple(folders), limits)


@functools.lru_cache(maxsize=64)
def _version(tool: Tool, path: str, made: tuple[int, ...], folders: tuple[Path, ...], limits: Limits) -> str:
    """`made` is there for the cache: another program under the same name is asked again."""
    ran = _run((path, *tool.version), folders, limits)
    said = _first_line(ran)
    if ran.cut or not said:
        raise EdgeError(tool.name, f"does not tell its version: {ran.cut or 'it says nothing'}")
    return said


def machine_sign(folders: Sequence[Path]) -> list[list[object]]:
    """What changes when programs or libraries are installed, upgraded or removed by the machine's own means."""
    inside = [
        place for folder in folders for place in (folder, folder / "bin", *folder.glob("lib/python*/site-packages"))
    ]
    return [[str(place), *_made(place)] for place in (*_LEDGERS, *inside) if place.exists()]


def tool_sign(tool: Tool, folders: Sequence[Path]) -> list[object] | None:
    """Which program a tool is: its place, and what is another with every other file there; None where there is none."""
    path = find_tool(tool.name, folders)
    return None if path is None else [path, *_made(Path(path))]


def _made(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _first_line(ran: Ran) -> str:
    lines = (ran.stdout or ran.stderr).decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in lines if line.strip()), "")[:200]


def _run(
    command: Sequence[str], folders: Sequence[Path], limits: Limits, view_of: Callable[[Passwd], View] = View
) -> Ran:
    bounds = Bounds(time.monotonic() + _SECONDS, _SECONDS, limits.tool_memory, _MEGABYTE)
    with tempfile.TemporaryDirectory(prefix="gitops-tool-") as folder:
        view = view_of(lay_passwd(Path(folder)))
        return run_boxed(lambda ends: [*box_command(view, folders, limits, ends), *command], b"", bounds)
