"""`terraform validate` over changed modules, without network: with the providers that the tree or the server has.

`init` takes them from `terraform.d/plugins` beside the module and from the server's own mirror; what it cannot have is
said, and that module is then not seen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from posixpath import join, normpath
from typing import Any

from gitops_hooks.plugin import Finding, Ran, Severity
from gitops_hooks.plugins.terraform.program import SHELL, Fault, Program, parse_faults

_MOST = 10
# Both in one run, since what `init` makes is gone with the box. The status is that of `init`.
_SCRIPT = (
    'cd "/tree/$1" && "$0" init -backend=false -input=false -no-color >/dev/null; status=$?; '
    '"$0" validate -json -no-color; exit $status'
)
_ELSEWHERE = (
    *("Error accessing remote module registry", "Failed to download module", "Failed to query available provider"),
    *("Failed to install provider", "Invalid provider registry host", "Error while installing", "Could not retrieve"),
    *("Module source has changed", "Invalid package location"),
)
_UNSEEN = (
    *("Module not installed", "Missing required provider", "Inconsistent dependency lock file"),
    *("Failed to load plugin", "Could not load plugin"),
)


def valid_findings(program: Program, modules: Mapping[str, str], shown: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with each module (a folder, with a path in it to tell of), or why it was not seen."""
    if left := [*modules.values()][_MOST:]:
        words = f"{program.name} validate looks at {_MOST} modules of a change; those of this and {len(left) - 1} other"
        yield Finding(left[0], 0, f"{words} files were not seen", Severity.WARNING)
    unseen: list[tuple[str, str]] = []
    for module, path in [*modules.items()][:_MOST]:
        ran = program.run([SHELL, "-c", _SCRIPT, program.name, module], shown, writable=True)
        told = _told(program, ran)
        if isinstance(told, str):
            unseen.append((path, told))
            continue
        for found in told:
            yield Finding(_placed(module, found.path) or path, found.line, found.message, found.severity)
    if unseen:
        yield _unseen(program, unseen)


def _told(program: Program, ran: Ran) -> list[Finding] | str:
    """Faults, with paths from the folder of the module ("" where none is told); a text is why it was not seen."""
    diagnostics = _diagnostics(ran.stdout)
    faults = list(parse_faults(ran.stderr)) if ran.status else []
    if diagnostics is None:
        return [Finding("", 0, f"{program.name} validate gave no answer, so nothing of it was seen")]
    if seen := [one for one in diagnostics if not str(one.get("summary")).startswith(_UNSEEN)]:
        return [_finding(one) for one in seen]
    if wrong := [fault for fault in faults if not fault.what.startswith(_ELSEWHERE)]:
        return [Finding(fault.path, fault.line, fault.message) for fault in wrong]
    if not faults and not diagnostics:
        return []
    return _short(faults[0]) if faults else str(diagnostics[0].get("summary"))


def _unseen(program: Program, unseen: Sequence[tuple[str, str]]) -> Finding:
    """All in one, since they mostly lack the same provider."""
    (path, why), others = unseen[0], len(unseen) - 1
    which = f"this module and {others} more: they need" if others else "this module: it needs"
    words = f"{program.name} validate did not see {which} what neither the tree nor the server has ({why})"
    return Finding(path, 0, words, Severity.WARNING)


def _short(fault: Fault) -> str:
    """Without how the network failed, which there is none of."""
    return f"{fault.what}: {fault.detail.split(': ')[0]}" if fault.detail else fault.what


def _diagnostics(stdout: bytes) -> list[dict[str, Any]] | None:
    try:
        found = json.loads(stdout)["diagnostics"]
    except (ValueError, KeyError, TypeError):
        return None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def _finding(one: dict[str, Any]) -> Finding:
    place = one.get("range")
    path, line = "", 0
    if isinstance(place, dict) and isinstance(place.get("start"), dict):
        path, line = str(place.get("filename", "")), int(place["start"].get("line", 0))
    detail = " ".join(str(one.get("detail", "")).split())[:300].rstrip(".")
    words = str(one.get("summary", "no reason given")) + (f": {detail}" if detail else "")
    severity = Severity.WARNING if one.get("severity") == "warning" else Severity.ERROR
    return Finding(path, line, words, severity)


def _placed(module: str, told: str) -> str:
    return normpath(join(module, told)) if told else ""
