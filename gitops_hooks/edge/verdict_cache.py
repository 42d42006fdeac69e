"""Whether a check has been run on exactly this before: what it was given is the key, what it looked at is compared.

A verdict that is found binds to the tree that is asked about, as one that was just made does.
"""

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pygit2

from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.looks import Answer, open_sight
from gitops_hooks.edge.parts import FILES_FOR_A_TOOL, FILES_OF_A_PART, Part
from gitops_hooks.edge.tool_wire import BESIDE, TOOL, TREE, Look
from gitops_hooks.edge.tools import machine_sign, tool_sign, tool_version
from gitops_hooks.edge.verdict_store import FORMAT, Kept, VerdictStore, store_of
from gitops_hooks.edge.workbench import Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits, ServerFile
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


def open_memory(state: Path, server: ServerFile) -> Memory | None:
    """The memory of a repository with this state; None where the server keeps none, or cannot tell which code it runs.

    Programs that judge, and which tools get a network, are told by the server's file alone: they belong to the code.
    """
    if not server.limits.verdicts:
        return None
    code = code_sign(server.plugins.modules)
    ours = f"{code} {server.plugins.programs!r} {server.own_network!r}"
    return Memory(store_of(state, server.limits), ours) if code else None


class VerdictCache:
    """The kept verdicts of one repository, as one judge asks for them about one change."""

    def __init__(self, memory: Memory, change: Change, grounds: Grounds, limits: Limits) -> None:
        self._store, self._code = memory.store, memory.code
        self._grounds, self._limits = grounds, limits
        self._sight = open_sight(change, grounds.tree, grounds.target)
        self._tools: dict[tuple[Tool, str], Answer] = {}

    def key(self, part: Part) -> str:
        """The name of all that the check is given; empty where its verdict is not kept."""
        check, limits = part.asked.check, [getattr(self._limits, name) for name in _LIMITS]
        if not self._code or not check.kept or not self._store.most:
            return ""
        try:
            return _digest([FORMAT, check.name, self._code, limits, dict(part.asked.options), self._files(part)])
        except _CANNOT:
            return ""

    def _files(self, part: Part) -> list[object]:
        return [
            [file.path, file.old_mode, file.old_oid, file.mode, file.oid, self._sight(Look(TREE, file.path))]
            for file in part.change.files
        ]

    def find(self, key: str, check: Check) -> tuple[Finding, ...] | None:
        """What was found when everything that the check looked at stood as it stands now."""
        for kept in self._store.read(key) if key else ():
            if self._holds(kept, check):
                self._store.use(key)
                return kept.findings
        return None

    def _holds(self, kept: Kept, check: Check) -> bool:
        try:
            return all(self._look(look, check) == answer for look, answer in kept.looks)
        except _CANNOT:
            return False

    def keep(self, key: str, check: Check, looks: Iterable[Look], findings: tuple[Finding, ...]) -> None:
        """Keep what was found; where a place cannot be read, nothing is."""
        try:
            stood = tuple((look, self._look(look, check)) for look in looks)
        except _CANNOT:
            return
        self._store.keep(key, Kept(stood, findings))

    def least(self, check: Check) -> int:
        """How many files are worth a part of their own: few for a check that was seen to run tools."""
        return FILES_FOR_A_TOOL if self._store.read(self._ran(check)) else FILES_OF_A_PART

    def note_tools(self, check: Check) -> None:
        self._store.keep(self._ran(check), Kept((), ()))

    def _ran(self, check: Check) -> str:
        return _digest([FORMAT, "ran tools", check.name, self._code])

    def _look(self, look: Look, check: Check) -> Answer:
        if look.side not in (TOOL, BESIDE):
            return self._sight(look)
        tool = next((tool for tool in check.tools if tool.name == look.path), None)
        if tool is None:
            raise ValueError(look.path)
        if (tool, look.side) not in self._tools:
            self._tools[tool, look.side] = self._tool(tool, look.side)
        return self._tools[tool, look.side]

    def ask_versions(self, check: Check, names: Iterable[str]) -> None:
        """Ask these tools for their versions, so that they are known when what they judge is kept."""
        for name in names:
            with contextlib.suppress(*_CANNOT):
                self._look(Look(TOOL, name), check)

    def _tool(self, tool: Tool, side: str) -> Answer:
        """Which program it is, what the machine has beside it, and what it says of its version; None for none.

        Of one that was not asked for by name the version is not asked: many a tool takes a second to say it.
        """
        folders = self._grounds.folders
        sign = tool_sign(tool, folders)
        if sign is None:
            return None
        facts: list[object] = [
            tool.name,
            tool.version,
            sign,
            [str(folder) for folder in folders],
            machine_sign(folders),
        ]
        return _digest(facts if side == BESIDE else [*facts, self._version(tool, facts)])

    def _version(self, tool: Tool, facts: list[object]) -> str:
        """It is not asked again for some minutes."""
        moment = int(time.time() / _VERSION_SECONDS)
        key = _digest([FORMAT, "version", self._limits.tool_memory, *facts, moment])
        for kept in self._store.read(key):
            return kept.findings[0].message
        said = tool_version(tool, self._grounds.folders, self._limits)
        self._store.keep(key, Kept((), (Finding(tool.name, 0, said),)))
        return said


def _digest(facts: list[object]) -> str:
    """Errors: TypeError, ValueError for what is no JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()
