"""Files of FRR and ifupdown, read by FRR's and ifupdown's own programs in their box, each that changed by itself."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gitops_hooks.plugin import (
    Change,
    ChangedFile,
    EdgeError,
    Finding,
    Ran,
    Severity,
    Tree,
    Workbench,
)
from gitops_hooks.plugins.network_judge import concerns

_FILES = (0o100644, 0o100755)
_FILE = "/given/file"
_FRR = re.compile(r"line (\d+): (?:% )?(.+)")
_NODE = re.compile(r"\[\d+\]: +")  # the place in its grammar, by a number that says nothing to a reader
_INTERFACES = re.compile(rf"ifquery: {re.escape(_FILE)}:(\d+): (.+)")

Told = Iterator[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Reader:
    """A program that reads the files that an option names."""

    name: str
    words: tuple[str, ...]
    ask: Callable[[bytes, Callable[[bytes], Ran]], Told]


def read_by_tools(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """What the programs find; one warning for each that is not there."""
    for option, reader in _READERS.items():
        globs = bench.options[option]
        files = [file for file in change.files if globs and not file.deleted and concerns(file.path, globs)]
        if files and bench.tool(reader.name) is None:
            words = f"this and other files of {option} were not read: this server has no {reader.name} for its checks"
            yield Finding(files[0].path, 0, words, Severity.WARNING)
            continue
        for file in files:
            yield from _read(file, reader, tree, bench)


def _read(file: ChangedFile, reader: Reader, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    text = text_of(file, tree)
    if isinstance(text, Finding):
        yield text
        return
    bench.say(f"{reader.name} reads {file.path}")
    command = [reader.name, *reader.words, _FILE]
    for line, words in reader.ask(text, lambda given: bench.run(command, given={"file": given})):
        yield Finding(file.path, line, f"{words}; {reader.name}")


def text_of(file: ChangedFile, tree: Tree) -> bytes | Finding:
    """What a program can be given; the finding says why it cannot."""
    try:
        text = tree.read(file.path) if file.mode in _FILES else None
    except EdgeError as error:
        return Finding(file.path, 0, f"{error.what}; what is not read cannot be judged")
    if text is None or b"\0" in text:
        what = "holds a NUL" if text else "a symbolic link or a submodule; put the file itself here"
        return Finding(file.path, 0, f"{what}; what is not read cannot be judged")
    return text


def _said(ran: Ran, pattern: re.Pattern[str]) -> list[tuple[int, str]]:
    lines = (ran.stdout + b"\n" + ran.stderr).decode("utf-8", "replace").split("\n")
    return [(int(match[1]), match[2]) for line in lines if (match := pattern.fullmatch(line.strip()))]


def _by_frr(text: bytes, run: Callable[[bytes], Ran]) -> Told:
    """vtysh ends in silence where a file says `exit` too often; a last line that it must complain of proves that it
    read all, and is one that no file can have said before.
    """
    proof = f"gitops-hooks-{secrets.token_hex(8)}"
    whole = text if text.endswith(b"\n") else text + b"\n"
    last = whole.count(b"\n") + 1
    found = _said(run(whole + proof.encode() + b"\n"), _FRR)
    yield from ((line, _NODE.sub(": ", words, count=1)) for line, words in found if line < last)
    if not any(line == last and words.endswith(proof) for line, words in found):
        yield 0, "was not read to its end, as after one exit too many"


def _by_ifupdown(text: bytes, run: Callable[[bytes], Ran]) -> Told:
    ran = run(text)
    found = _said(ran, _INTERFACES)
    yield from found
    if ran.status and not found:
        yield 0, f"cannot be read: {' '.join(ran.stderr.decode('utf-8', 'replace').split())[-200:]}"


_READERS: Mapping[str, Reader] = {
    "frr": Reader("vtysh", ("-C", "-f"), _by_frr),
    "interfaces": Reader("ifquery", ("--list", "--all", "--interfaces"), _by_ifupdown),
}
