"""Checks of the house of Acme: what server.toml names, and what a policy then may ask for."""

from collections.abc import Iterable

from acme_checks.roles import ROLES
from acme_checks.shell import SHELL
from gitops_hooks.plugin import Check, hookimpl

NEEDS_API = "1.0"


@hookimpl
def gitops_checks() -> Iterable[Check]:
    return [ROLES, SHELL]
