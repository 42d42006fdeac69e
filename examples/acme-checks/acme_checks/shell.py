"""Shell scripts can be parsed; a program of others tells, in its box."""

import re
from collections.abc import Iterator

from gitops_hooks.plugin import Change, Check, EdgeError, Finding, Tool, Tree, Workbench

_FAULT = re.compile(r"[^:]+: line (\d+): (.*)")


def find_faults(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    if bench.tool("bash") is None:
        raise EdgeError("bash", "is not installed on this server, so no script can be judged")
    for file in change.files:
        if file.deleted or not file.path.endswith(".sh"):
            continue
        ran = bench.run(["LC_ALL=C", "bash", "-n", file.path], files=[file.path])
        if ran.status:
            yield _fault(file.path, ran.stderr.decode(errors="replace"))


def _fault(path: str, said: str) -> Finding:
    found = _FAULT.match(said)
    return Finding(path, int(found[1]), found[2]) if found else Finding(path, 0, "bash cannot parse it")


SHELL = Check("acme-shell", "scripts can be parsed", find_faults, ("**/*.sh",), tools=(Tool("bash"),))
