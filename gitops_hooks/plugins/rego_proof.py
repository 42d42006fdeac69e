"""Policies that change are proven by their tests: each has to pass, and none may pass without a rule that it is for."""

from collections.abc import Iterator
from dataclasses import replace

from gitops_hooks.plugin import Finding
from gitops_hooks.plugins.rego_ask import Engine, NoAnswer
from gitops_hooks.plugins.rego_modules import Module, Rule
from gitops_hooks.plugins.rego_policies import Policies
from gitops_hooks.plugins.rego_tests import Test


def prove(policies: Policies, engine: Engine) -> Iterator[Finding]:
    if policies.faults:
        for fault in policies.faults:
            yield Finding(fault.path, fault.line, fault.message)
        return
    failing = _failing(policies, policies.tests, engine)
    if failing is None:
        # One of them has no answer at all, and takes the others with it.
        failing = [test for test in policies.tests if _failing(_alone(policies, test), (test,), engine) != []]
    for test in failing:
        yield Finding(test.path, test.line, f"{test.name} fails")
    if not failing:
        yield from _unproven(policies, engine)


def _failing(policies: Policies, tests: tuple[Test, ...], engine: Engine) -> list[Test] | None:
    if not tests:
        return []
    try:
        return engine.failing_tests((*policies.modules, *policies.trials), policies.data, tests)
    except NoAnswer:
        return None


def _alone(policies: Policies, test: Test) -> Policies:
    return replace(policies, trials=tuple(trial for trial in policies.trials if trial.path == test.path))


def _unproven(policies: Policies, engine: Engine) -> Iterator[Finding]:
    """A rule that may be left out without any test noticing may as well never fire."""
    for module, rule in policies.rules():
        if not rule.name.startswith("warn") and _unnoticed(_without(policies, module, rule), engine):
            yield Finding(
                module.path, rule.line, f"no test fails without this {rule.name}; write one in which it fires"
            )


def _unnoticed(policies: Policies, engine: Engine) -> bool:
    return _failing(policies, policies.tests, engine) == []


def _without(policies: Policies, module: Module, rule: Rule) -> Policies:
    never = f'{rule.name} contains "" if 1 == 2'
    silent = replace(module, text=module.text[: rule.start] + never + module.text[rule.end :])
    return replace(policies, modules=tuple(silent if each is module else each for each in policies.modules))
