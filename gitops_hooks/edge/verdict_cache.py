"""Whether a check has been run on exactly this before: what it was given is the key, what it looked at is compared.

A verdict that is found binds to the tree that is asked about, as one that was just made does.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pygit2

from gitops_hooks.edge.looks import open_sight
from gitops_hooks.edge.parts import Part
from gitops_hooks.edge.tool_wire import TREE, Look
from gitops_hooks.edge.tools import machine_sign, tool_sign, tool_version
from gitops_hooks.edge.verdict_store import FORMAT, Kept, VerdictStore
from gitops_hooks.edge.workbench import Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Tool
from gitops_hooks.model.verdict import Finding

# What a broken tree, an option that is no JSON, or a tool that tells no version ends in: the check is run.
_CANNOT = (EdgeError, OSError, KeyError, ValueError, TypeError, RecursionError, pygit2.GitError)
_LIMITS = [
    each.name
    for each in dataclasses.fields(Limits)
    if each.name.startswith(("check_", "tool_")) or each.name == "blob_size"
]
_VERSION_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Memory:
    """Where verdicts are kept, and the sign of the code that made them ("": they are not)."""

    store: VerdictStore
    code: str


class VerdictCache:
    """The kept verdicts of one repository, as one judge asks for them about one change."""

    def __init__(self, memory: Memory, change: Change, grounds: Grounds, limits: Limits) -> None:
        self._store, self._code = memory.store, memory.code
        self._grounds, self._limits = grounds, limits
        self._sight = open_sight(change, grounds.tree, grounds.target)
        self._tools: dict[str, object] = {}

    def key(self, part: Part) -> str:
        """The name of all that the check is given; empty where its verdict is not kept."""
        check = part.asked.check
        if not self._code or not check.kept or not self._store.most:
            return ""
        try:
            return _digest(
                [FORMAT, check.name, self._code, self._settings(check), dict(part.asked.options), self._files(part)]
            )
        except _CANNOT:
            return ""

    def _files(self, part: Part) -> list[object]:
        return [
            [file.path, file.old_mode, file.old_oid, file.mode, file.oid, self._sight(Look(TREE, file.path))]
            for file in part.change.files
        ]

    def _settings(self, check: Check) -> list[object]:
        folders = self._grounds.folders
        limits = [getattr(self._limits, name) for name in _LIMITS]
        if not check.tools:
            return limits
        if check.name not in self._tools:
            machine = [[str(folder) for folder in folders], machine_sign(folders)]
            self._tools[check.name] = [*machine, *(self._tool(tool, machine) for tool in check.tools)]
        return [limits, self._tools[check.name]]

    def _tool(self, tool: Tool, machine: list[object]) -> list[object]:
        """Which program it is, and what it says of its version; it is not asked again for some minutes."""
        sign = tool_sign(tool, self._grounds.folders)
        if sign is None:
            return [tool.name]
        moment = int(time.time() / _VERSION_SECONDS)
        key = _digest([FORMAT, "version", tool.name, tool.version, sign, machine, moment])
        said = next((kept.findings[0].message for kept in self._store.read(key) if kept.findings), None)
        if said is None:
            said = tool_version(tool, self._grounds.folders, self._limits)
            self._store.keep(key, Kept((), (Finding(tool.name, 0, said),)))
        return [tool.name, sign, said]

    def find(self, key: str) -> tuple[Finding, ...] | None:
        """What was found when everything that the check looked at stood as it stands now."""
        for kept in self._store.read(key) if key else ():
            if self._holds(kept):
                self._store.use(key)
                return kept.findings
        return None

    def _holds(self, kept: Kept) -> bool:
        try:
            return all(self._sight(look) == answer for look, answer in kept.looks)
        except _CANNOT:
            return False

    def keep(self, key: str, looks: Iterable[Look], findings: tuple[Finding, ...]) -> None:
        """Keep what was found; where a place cannot be read, nothing is."""
        try:
            stood = tuple((look, self._sight(look)) for look in looks)
        except _CANNOT:
            return
        self._store.keep(key, Kept(stood, findings))


def _digest(facts: list[object]) -> str:
    """Errors: TypeError, ValueError for what is no JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()
