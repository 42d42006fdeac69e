"""Rulesets of nftables: `nft -c` reads them and asks the kernel, in an empty network of its own."""

import posixpath
import re
from collections.abc import Iterator

from gitops_hooks.plugin import Change, ChangedFile, Finding, Ran, Severity, Tree, Workbench
from gitops_hooks.plugins.network_judge import concerns
from gitops_hooks.plugins.network_tools import text_of

_PROGRAM, _FILE = "nft", "/given/file"
_FAULT = re.compile(
    r"(?P<path>/[^:\n]+):(?P<line>\d+):\d+-\d+: (?P<kind>Error|Warning): (?P<words>[^\n]+)", re.MULTILINE
)
# What the machine that loads it has, and this one need not have.
_ELSEWHERE = (
    *("Interface does not exist", "Could not resolve", "User does not exist", "Group does not exist"),
    *("File not found: /", "Could not process rule: Operation not"),
)
# Said before anything of the file is read, so that nothing in it can say so.
_CANNOT = re.compile(rb"(?:unshare|setpriv): |netlink: Error: cache initialization failed: Operation not ")


def read_rulesets(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    globs = bench.options["nftables"]
    files = [file for file in change.files if globs and not file.deleted and concerns(file.path, globs)]
    if files and bench.tool(_PROGRAM) is None:
        yield _unseen(files[0], "this server has no nft, or own_network of its server.toml does not name it")
        return
    for file in files:
        text = text_of(file, tree)
        if isinstance(text, Finding):
            yield text
            continue
        bench.say(f"{_PROGRAM} reads {file.path}")
        ran = _run(bench, posixpath.dirname(file.path), text)
        if _CANNOT.match(ran.stderr):
            why = " ".join(ran.stderr.decode("utf-8", "replace").split("\n", 1)[0].split())[:120]
            yield _unseen(file, f"nft may not ask the kernel here ({why})")
            return
        yield from _told(file.path, ran)


def _run(bench: Workbench, folder: str, text: bytes) -> Ran:
    """With what lies beside it, which it may include by name."""
    command = [_PROGRAM, "-c", "-I", f"/tree/{folder}", "-f", _FILE]
    return bench.run(command, files=[folder] if folder else [], given={"file": text})


def _unseen(file: ChangedFile, why: str) -> Finding:
    return Finding(file.path, 0, f"this and other rulesets of nftables were not read: {why}", Severity.WARNING)


def _told(path: str, ran: Ran) -> Iterator[Finding]:
    said = (ran.stdout + b"\n" + ran.stderr).decode("utf-8", "replace")
    found = list(_FAULT.finditer(said))
    for fault in found:
        words, kind = fault["words"].strip(), Severity.ERROR if fault["kind"] == "Error" else Severity.WARNING
        if words.startswith(_ELSEWHERE):
            kind = Severity.WARNING
            words = f"{words}: that is for the machine that loads it, and the kernel was not asked about the whole"
        yield Finding(*_place(fault, path), f"{words}; nft", kind)
    if ran.status and not found:
        why = " ".join(ran.stderr.decode("utf-8", "replace").split())[-200:] or f"it ended with {ran.status}"
        yield Finding(path, 0, f"cannot be read: {why}; nft")


def _place(fault: re.Match[str], path: str) -> tuple[str, int]:
    """In the file, or in one that it includes; a file of this server is nobody's to be told of."""
    line = int(fault["line"])
    if fault["path"] == _FILE:
        return path, line
    inside = fault["path"].startswith("/tree/")
    return (posixpath.normpath(fault["path"].removeprefix("/tree/")), line) if inside else (path, 0)
