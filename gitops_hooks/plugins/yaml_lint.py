"""yamllint's rules, where the repository carries them: run as a program of its own, with the target branch's rules."""

import json
import re
from collections.abc import Iterator, Sequence

from gitops_hooks.plugin import EdgeError, Finding, Marked, Severity, Tree, Workbench, parse_yaml

TOOL = "yamllint"
_RULES = (".yamllint", ".yamllint.yaml", ".yamllint.yml")
_SAID = re.compile(r"\./(.+?):(\d+):\d+: \[(error|warning)\] (.+)")
_AT_ONCE = 500  # files a run: a command line has a limit


def lint(paths: Sequence[str], bench: Workbench) -> Iterator[Finding]:
    """What yamllint says of these files by the rules of the target branch; nothing where it has none."""
    place = next((name for name in _RULES if bench.target.entry(name) is not None), "")
    if not place or not paths:
        return
    if bench.tool(TOOL) is None:
        words = f"these rules were not applied: this server has no {TOOL} for its checks"
        yield Finding(place, 0, words, Severity.WARNING)
        return
    rules = _rules(bench.target, place)
    if isinstance(rules, Finding):
        yield rules
        return
    for first in range(0, len(paths), _AT_ONCE):
        yield from _run(paths[first : first + _AT_ONCE], place, rules, bench)


def _run(paths: Sequence[str], place: str, rules: bytes, bench: Workbench) -> Iterator[Finding]:
    bench.say(f"{TOOL} on {len(paths)} file{'s' if len(paths) > 1 else ''}")
    command = [TOOL, "-f", "parsable", "-c", "/given/rules", "--", *(f"./{path}" for path in paths)]
    ran = bench.run(command, files=paths, given={"rules": rules})
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    found = [match for line in lines if (match := _SAID.fullmatch(line))]
    if ran.status not in (0, 1) or (ran.status == 1 and not found):
        said = " ".join(ran.stderr.decode("utf-8", "replace").split())[-200:]
        yield Finding(place, 0, f"{TOOL} cannot follow these rules: {said or f'it ended with {ran.status}'}")
    for match in found:
        path, line, level, words = match.groups()
        yield Finding(path, int(line), f"{words}; {TOOL}, by {place}", Severity(level))


def _rules(target: Tree, place: str) -> bytes | Finding:
    """The rules, with what they take from other files of the target branch: nothing else is followed."""
    try:
        text = target.read(place)
    except EdgeError as error:
        return Finding(place, 0, error.what)
    documents, faults = parse_yaml(text)
    if faults:
        return Finding(place, faults[0].line, faults[0].message)
    for document in documents[:1]:
        extends = document.get("extends")
        if extends is not None and extends.text not in ("default", "relaxed"):
            words = "extends a file, which is not followed, so no rule was applied; write its rules here"
            return Finding(place, extends.line, words, Severity.WARNING)
        for key, named in document.pairs:
            if key.text == "ignore-from-file":
                return _with_ignored(text, key.line, named, target)
    return text


def _with_ignored(text: bytes, first: int, named: Marked, target: Tree) -> bytes:
    """The rules with what the files that `ignore-from-file` names hold on the target branch, in its place."""
    last = max(node.line for node in (named, *named.items))
    ignored = [line for node in named.items or (named,) for line in _lines(target, node.text)]
    kept = text.decode().split("\n")
    kept[first - 1 : last] = ["ignore:", *(f"  - {json.dumps(line)}" for line in ignored)] if ignored else []
    return "\n".join(kept).encode()


def _lines(target: Tree, path: str) -> list[str]:
    try:
        text = target.read(path).decode("utf-8", "replace")
    except EdgeError:
        return []
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
