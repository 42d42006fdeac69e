"""Terraform or OpenTofu in the box: how it is started, and how it tells faults where it knows no JSON."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import Ran, Workbench

PROGRAMS = ("tofu", "terraform")
SHELL = "sh"
_SETTINGS = "terraform.rc"
_ENVIRONMENT = ("CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_REGISTRY_DISCOVERY_RETRY=0")
_FAULT = re.compile(r"^Error: (?P<what>[^\n]+)\n(?:\n+  on (?P<path>.+?) line (?P<line>\d+)[^\n]*\n)?", re.MULTILINE)
_SOURCE = re.compile(r"^ *\d+: .*$|^    ├.*$|^    │.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """One of the two by its name, and the workbench that runs it."""

    bench: Workbench
    name: str

    def run(self, words: Sequence[str], files: Sequence[str], writable: bool = False) -> Ran:
        """The configuration of its command line is empty, whatever the tree holds."""
        settings = [*_ENVIRONMENT, f"TF_CLI_CONFIG_FILE=/given/{_SETTINGS}"]
        given = {_SETTINGS: b"disable_checkpoint = true\n"}
        return self.bench.run([*settings, *words], files=files, given=given, writable=writable)


@dataclass(frozen=True, slots=True)
class Fault:
    """What it says of a fault; `path` is from where it stood, "" where it names no file."""

    what: str
    path: str
    line: int
    detail: str

    @property
    def message(self) -> str:
        return f"{self.what}: {self.detail}" if self.detail else self.what


def parse_faults(stderr: bytes) -> Iterator[Fault]:
    """Every `Error:` of a text made for people."""
    text = stderr.decode("utf-8", "replace")
    starts = [match.start() for match in _FAULT.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        match = _FAULT.match(text, start)
        if match:
            detail = " ".join(_SOURCE.sub("", text[match.end() : end]).split())
            yield Fault(match["what"], match["path"] or "", int(match["line"] or 0), detail[:300].rstrip("."))
