"""The inventory as Ansible itself reads it, and the hosts that the playbook means; nothing of the tree decides how."""

import getpass
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gitops_hooks.plugin import EdgeError, Environment, HealthKind, Workplace
from gitops_hooks.plugins.ansible.answers import Ask, Refusal, ask_ansible
from gitops_hooks.plugins.ansible.controller import refused_variable
from gitops_hooks.plugins.ansible.pinned import Route
from gitops_hooks.plugins.ansible.target import Target

_CONNECTION = ("ansible_host", "ansible_port", "ansible_user", "ansible_python_interpreter")
_ASKED_TO_LOOK = ("", "auto", "auto_legacy", "auto_silent", "auto_legacy_silent")


@dataclass(frozen=True, slots=True)
class Intended:
    """The hosts that the playbook means, and how every granted host of the inventory is reached."""

    targets: tuple[Target, ...]
    routes: tuple[Route, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(target.name for target in self.targets)

    def limited(self, hosts: Sequence[str] | None) -> "Intended":
        """Of the hosts that the playbook means, those that this deployment may touch."""
        if hosts is None:
            return self
        return replace(self, targets=tuple(target for target in self.targets if target.name in hosts))


def read_intended(environment: Environment, workplace: Workplace, ask: Ask, withhold: bool) -> Intended:
    """Ask Ansible for inventory and matched hosts, and judge both; `ask` is that of the run that follows.

    `withhold` keeps Ansible's words to ourselves, since they may quote a decrypted file. Errors: Refusal, EdgeError.
    """
    playbook = _inside(workplace.project, environment.playbook, "playbook")
    inventory = _inside(workplace.project, environment.inventory, "inventory")
    for check in environment.rollout.health:
        if check.kind is HealthKind.PLAYBOOK:
            _inside(workplace.project, check.what, "the playbook of health")
    asked = (
        ["ansible-inventory", "-i", str(inventory), "--playbook-dir", str(playbook.parent), "--list"],
        ["ansible-playbook", "-i", str(inventory), "--list-hosts", str(playbook)],
    )
    listed, matched = ask_ansible(asked, workplace, ask, withhold)
    hosts = _parse_inventory(listed)
    meant = _parse_matched(matched)
    if not meant:
        raise Refusal(_no_match(environment), nothing=True)
    names = tuple(name for name in hosts if name in meant) + tuple(sorted(meant - set(hosts)))
    if workplace.credentials.some:
        names = tuple(name for name in names if name in workplace.credentials.hosts)
    _refuse_ungranted(names, workplace.credentials.hosts, environment.name)
    _refuse_variables(names, hosts, environment.inventory)
    return Intended(
        tuple(_target(name, hosts.get(name, {})) for name in names),
        tuple(_route(name, hosts[name]) for name in hosts),
    )


def _inside(project: Path, name: str, what: str) -> Path:
    path = (project / name).resolve()
    if not path.is_relative_to(project.resolve()) or not path.exists():
        raise Refusal(f"{what} {name} is not in the repository; correct the environment's entry in the policy")
    return path


def _parse_inventory(text: str) -> dict[str, Mapping[str, object]]:
    """Every host with its variables, groups' ones merged in by Ansible. Errors: EdgeError where it is no inventory."""
    try:
        found = json.loads(text)
        known = found["_meta"]["hostvars"]
        groups = [group for name, group in found.items() if name != "_meta"]
        names = dict.fromkeys([host for group in groups for host in group.get("hosts", ())] + list(known))
        return {str(name): dict(known.get(name, {})) for name in names}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise EdgeError("ansible-inventory", "answered something that is no inventory") from None


def _parse_matched(text: str) -> set[str]:
    """The hosts of all plays, from `hosts (2):` and the lines that follow it; their order there is chance."""
    names: set[str] = set()
    lines = iter(text.splitlines())
    for line in lines:
        if found := re.fullmatch(r"    hosts \((\d+)\):", line):
            names.update(next(lines, "").strip() for _ in range(int(found[1])))
    return names - {""}


def _no_match(environment: Environment) -> str:
    return (
        f"no host matched: the plays of {environment.playbook} name no host of {environment.inventory}; "
        "correct 'hosts:' or the inventory"
    )


def _refuse_ungranted(names: Sequence[str], granted: Sequence[str], environment: str) -> None:
    foreign = [name for name in names if name not in granted]
    if foreign:
        listed = ", ".join(foreign[:10]) + (", …" if len(foreign) > 10 else "")
        raise Refusal(
            f"the server grants this environment no credential for host {listed}; "
            f"an administrator adds it to the hosts of {environment} in server.toml, or the inventory loses it"
        )


def _refuse_variables(names: Sequence[str], hosts: Mapping[str, Mapping[str, object]], inventory: str) -> None:
    faults = sorted({fault for name in names for fault in _variable_faults(name, hosts.get(name, {}))})
    if faults:
        raise Refusal(f"{inventory}: " + "; ".join(faults[:10]))


def _variable_faults(host: str, variables: Mapping[str, object]) -> Iterator[str]:
    for name, value in variables.items():
        # The check has seen what is written plainly; here also what a vaulted file brings.
        if refused_variable(name):
            yield f"{name} changes how {host} is reached; only {', '.join(_CONNECTION)} may be set"
        elif name not in _CONNECTION:
            continue
        elif isinstance(value, bool) or not isinstance(value, str | int) or "{{" in str(value) or "{%" in str(value):
            yield f"{name} of {host} must be written as a plain value"
        elif name == "ansible_port" and not (str(value).isdecimal() and 0 < int(value) < 65536):
            yield f"ansible_port of {host} is no port"
        elif str(value).startswith("-") or not str(value).isprintable() or " " in str(value):
            yield f"{name} of {host} must be one word and not begin with '-'"


def _target(name: str, variables: Mapping[str, object]) -> Target:
    route = _route(name, variables)
    python = str(variables.get("ansible_python_interpreter", ""))
    return Target(name, route.address, route.port, route.user, "" if python in _ASKED_TO_LOOK else python)


def _route(name: str, variables: Mapping[str, object]) -> Route:
    port = str(variables.get("ansible_port", 22))
    return Route(
        name,
        str(variables.get("ansible_host", name)),
        int(port) if port.isdecimal() else 22,
        str(variables.get("ansible_user", getpass.getuser())),
    )
