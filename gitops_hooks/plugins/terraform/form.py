"""`terraform fmt` over changed files: what cannot be read, and what it would write in another way."""

import re
from collections.abc import Iterator, Sequence

from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.terraform.program import Program, parse_faults

_MOST = 500
_RUNS = 10  # it stops at the first file that it cannot read
_WORDS = ("fmt", "-check", "-diff", "-write=false", "-no-color", "--")
_DIFFERENCE = re.compile(
    r"^--- old/(?P<path>.*)\n\+\+\+ new/.*\n@@ -(?P<line>\d+)[^\n]*\n(?P<body>(?: .*\n)*)", re.MULTILINE
)
_AS_IT_STANDS, _DIFFERENT = 0, 3


def form_findings(program: Program, paths: Sequence[str], severity: str) -> Iterator[Finding]:
    """One finding for each file that differs, at its first line that does, and every fault of syntax."""
    if len(paths) > _MOST:
        words = f"only the first {_MOST} of {len(paths)} files were given to {program.name}"
        yield Finding(paths[_MOST], 0, words, Severity.WARNING)
    asked = list(paths[:_MOST])
    for _ in range(_RUNS):
        if not asked:
            return
        ran = program.run([program.name, *_WORDS, *asked], asked)
        if ran.status in (_AS_IT_STANDS, _DIFFERENT):
            if severity != "ignore":
                yield from _differences(program, ran.stdout, Severity(severity))
            return
        faults = list(parse_faults(ran.stderr))
        if not faults:
            yield Finding(asked[0], 0, f"{program.name} fmt ended with {ran.status}, so nothing of it was seen")
            return
        yield from (Finding(fault.path or asked[0], fault.line, fault.message) for fault in faults)
        faulty = {fault.path or asked[0] for fault in faults}
        asked = [path for path in asked if path not in faulty]
    if asked:
        yield Finding(asked[0], 0, "was not read any more after this many faults; correct them first", Severity.WARNING)


def _differences(program: Program, stdout: bytes, severity: Severity) -> Iterator[Finding]:
    for match in _DIFFERENCE.finditer(stdout.decode("utf-8", "replace")):
        line = int(match["line"]) + match["body"].count("\n")
        cure = f"run: {program.name} fmt {match['path']}"
        yield Finding(match["path"], line, f"{program.name} fmt writes this in another way; {cure}", severity)
