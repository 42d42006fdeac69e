"""The variables that hosts have by the inventory and by group_vars and host_vars of one tree, as Ansible stacks them.

Only files are read, and nothing is run: what a file hides is told as hidden, and a value stays as it is written.
"""

import functools
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, splitext

from gitops_hooks.plugin import Environment, Inventory, Side
from gitops_hooks.plugins.ansible.inventory_words import read_sources
from gitops_hooks.plugins.ansible.variable_values import FILES, FOLDER, VAULT, Unreadable, Values, read_values

_ENDINGS = ("", ".yml", ".yaml", ".json")


class HostVariables:
    """The variables of one side; each file is read once. `hidden` are encrypted files that were in the way."""

    def __init__(self, environment: Environment, side: Side, inventory: Inventory) -> None:
        self.hidden: dict[str, None] = {}
        self._tree, self._inventory = side.tree, inventory
        folder = (entry := side.tree.entry(environment.inventory)) is not None and entry.mode == FOLDER
        beside = environment.inventory if folder else dirname(environment.inventory)
        self._roots = tuple(dict.fromkeys((beside, dirname(environment.playbook))))
        self._told = read_sources(side, environment.inventory, folder)
        self._parents = _parents_of(inventory)
        self._depth = functools.cache(self._depth_of)
        self._of_groups = functools.cache(self._stack_groups)
        self._of_file = functools.cache(self._read_all)

    def groups_of(self, host: str) -> tuple[str, ...]:
        """The groups of a host in the order in which they say what it has, the last one strongest."""
        found = {"all", *(group for group, hosts in self._inventory.own.items() if host in hosts)}
        waiting = list(found)
        while waiting:
            for parent in self._parents.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        if found == {"all"}:
            found.add("ungrouped")
        return tuple(sorted(found, key=lambda name: (self._depth(name), name)))

    def of(self, host: str) -> Values:
        """Everything that a host has. Errors: Unreadable."""
        values = dict(self._of_groups(self.groups_of(host)))
        values |= self._told.hosts.get(host, {})
        for root in self._roots:
            values |= self._of_file(root, "host_vars", host)
        return values

    def _stack_groups(self, groups: tuple[str, ...]) -> Values:
        values = dict(self._told.groups.get("all", {}))
        others = [group for group in groups if group != "all"]
        for group in others:
            values |= self._told.groups.get(group, {})
        for meant in (("all",), others):
            for root in self._roots:
                for group in meant:
                    values |= self._of_file(root, "group_vars", group)
        return values

    def _depth_of(self, group: str) -> int:
        # Ansible counts from `all`; a circle, which it refuses, is cut here.
        seen, level, depth = {group}, {group}, 0
        while level := {parent for name in level for parent in self._parents.get(name, ())} - seen:
            seen |= level
            depth += 1
        return 0 if group == "all" else depth + 1

    def _read_all(self, root: str, kind: str, name: str) -> Values:
        values: Values = {}
        for path in self._paths(join(root, kind, name)):
            values |= self._read(path)
        return values

    def _paths(self, start: str) -> Iterator[str]:
        for ending in _ENDINGS:
            entry = self._tree.entry(start + ending)
            if entry is not None:
                if entry.mode in FILES:
                    yield start + ending
                elif entry.mode == FOLDER and not ending:
                    yield from self._below(start)
                else:
                    raise Unreadable(f"{start}{ending} is no plain file")
                return

    def _below(self, folder: str) -> Iterator[str]:
        for entry in sorted(self._tree.list(folder), key=lambda one: one.name):
            name, ending = entry.name, splitext(entry.name)[1]
            if name.startswith(".") or name.endswith("~"):
                continue
            if entry.mode == FOLDER and not ending:
                yield from self._below(join(folder, name))
            elif entry.mode in FILES and ending in _ENDINGS:
                yield join(folder, name)

    def _read(self, path: str) -> Values:
        text = self._tree.read(path)
        if text.startswith(VAULT):
            self.hidden[path] = None
            return {}
        return read_values(path, text)


def _parents_of(inventory: Inventory) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for parent, children in inventory.children.items():
        for child in children:
            found.setdefault(child, set()).add(parent)
    for group in inventory.own:
        if group != "all":
            found.setdefault(group, set()).add("all")
    return found
