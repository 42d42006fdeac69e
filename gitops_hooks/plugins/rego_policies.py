"""The policies of one tree: modules, data files, the rules that are asked, and the tests."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitops_hooks.plugin import EdgeError, Tree
from gitops_hooks.plugins.plain_documents import Plain, Unreadable, format_of, read_documents
from gitops_hooks.plugins.rego_ask import PACKAGE, Asked, Engine, Fault
from gitops_hooks.plugins.rego_modules import Module, Rule, read_module
from gitops_hooks.plugins.rego_tests import Test
from gitops_hooks.plugins.rego_tokens import BadRego
from gitops_hooks.plugins.tree_paths import paths_named

_ASKED = re.compile(r"(?:deny|violation|warn)(?:_[A-Za-z0-9]+)*")
_DATA = ("yaml", "json")


@dataclass(frozen=True, slots=True)
class Policies:
    """What one tree has below the folder; `data` is what its YAML and JSON files say, by their folders.

    `trials` are the modules with tests, made ready, and `tests` what is in them.
    """

    modules: tuple[Module, ...]
    trials: tuple[Module, ...]
    tests: tuple[Test, ...]
    data: dict[str, Any]
    faults: tuple[Fault, ...]

    def rules(self) -> list[tuple[Module, Rule]]:
        """Every deny, violation and warn that is no test's."""
        return [(module, rule) for module in self.modules for rule in module.rules if _ASKED.fullmatch(rule.name)]

    def asked(self, namespaces: Sequence[str]) -> list[Asked]:
        """What is asked of these packages. Errors: EdgeError for one that has nothing to say."""
        found = dict.fromkeys(Asked(module.package, rule.name) for module, rule in self.rules())
        for namespace in namespaces:
            if not any(each.namespace == namespace for each in found):
                raise EdgeError(
                    f"namespace {namespace[:60]}", "has no rule deny, violation or warn on the target branch"
                )
        return [each for each in found if each.namespace in namespaces]


def load_policies(tree: Tree, folder: str, engine: Engine) -> Policies:
    """Errors: EdgeError where there is more than is read."""
    modules: list[Module] = []
    faults: list[Fault] = []
    given: dict[str, Any] = {}
    for path in paths_named(tree, (f"{folder}/**",), "rego"):
        try:
            if path.endswith(".rego"):
                modules.append(read_module(path, tree.read(path)))
                _refuse_ours(modules[-1].package)
            elif format_of(path) in _DATA:
                _put(given, path.removeprefix(folder + "/").split("/")[:-1], path, tree)
                _refuse_ours(PACKAGE if PACKAGE in given else "")
        except (BadRego, Unreadable) as error:
            faults.append(Fault(path, error.line, error.message))
        except EdgeError as error:
            faults.append(Fault(path, 0, error.what))
    faults += engine.faults(modules) if not faults else []
    trials, tests = _untied([module for module in modules if module.tests], engine, faults)
    plain = tuple(module for module in modules if not module.tests)
    found = Policies(plain, tuple(trials), tuple(tests), given, tuple(faults))
    return replace(found, faults=(*faults, *_strange_rules(found)))


def _refuse_ours(name: str) -> None:
    """What asks the policies must not be answered by them. Errors: BadRego."""
    if name.partition(".")[0] == PACKAGE:
        raise BadRego(1, f"the name {PACKAGE} is taken; name it otherwise")


def _untied(modules: Sequence[Module], engine: Engine, faults: list[Fault]) -> tuple[list[Module], list[Test]]:
    trials: list[Module] = []
    tests: list[Test] = []
    for module in modules:
        try:
            trial, found = engine.untie(module)
        except BadRego as error:
            faults.append(Fault(module.path, error.line, error.message))
            continue
        trials.append(trial)
        tests += found
    return trials, tests


def _strange_rules(policies: Policies) -> list[Fault]:
    found = [
        Fault(module.path, rule.line, f"{rule.name} is a set of messages; write {rule.name} contains msg if")
        for module, rule in policies.rules()
        if rule.kind != "set"
    ]
    for module in policies.modules:
        found += [
            Fault(module.path, rule.line, "conftest's exceptions are not read; write them into the rules")
            for rule in module.rules
            if rule.name == "exception"
        ]
    return found


def _put(given: dict[str, Any], folders: Sequence[str], path: str, tree: Tree) -> None:
    """Put a data file where its folders say, as OPA does. Errors: Unreadable, EdgeError."""
    for document in read_documents(path, tree.read(path)):
        here = given
        for name in folders:
            here = here.setdefault(name, {})
        if not isinstance(document.value, dict):
            raise Unreadable(document.line, "a data file holds a mapping")
        _merge(here, document.value, document.line)


def _merge(here: dict[str, Any], value: dict[str, Plain], line: int) -> None:
    for name, each in value.items():
        if name not in here:
            here[name] = each
        elif isinstance(here[name], dict) and isinstance(each, dict):
            _merge(here[name], each, line)
        else:
            raise Unreadable(line, f"'{name[:60]}' is said by another data file too")
