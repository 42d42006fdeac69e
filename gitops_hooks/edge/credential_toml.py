"""What a `[[credential]]` of the server's file grants to its environment."""

import re
from collections.abc import Iterable
from pathlib import Path

from gitops_hooks.edge.toml_text import SOME, Table
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.server import DEPLOY, PLAN, USES, CredentialEntry

GRANTED = (
    *("hosts", "key", "known_hosts", "vault_password"),
    *("environment_file", "state_folder", "trusted_command", "kubeconfig"),
)
OF_PLANS = ("use", "user", "become")
_SSH = ("hosts", "key", "known_hosts", "vault_password")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,253}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


def read_granted(table: Table, home: Path) -> Credentials:
    """Relative paths start in the home. What is reached over SSH is granted as a whole, or not at all."""
    hosts = table.texts("hosts", _HOST)
    over_ssh = any(key in table.values for key in _SSH) or not any(key in table.values for key in GRANTED)
    if over_ssh and not hosts:
        table.fault("hosts", "'hosts' must name at least one host")
    if not over_ssh:
        key = known_hosts = None
    else:
        key, known_hosts = (home / table.text(name, SOME) for name in ("key", "known_hosts"))
    return Credentials(
        hosts,
        key,
        known_hosts,
        _path(table, "vault_password", home),
        _path(table, "environment_file", home),
        _path(table, "state_folder", home),
        _truth(table, "trusted_command"),
        user=table.text("user", _USER, ""),
        become=_truth(table, "become"),
        kubeconfig=_path(table, "kubeconfig", home),
    )


def read_use(table: Table) -> str:
    """What it is for; `user` and `become` are of plans only, and a plan runs no script."""
    use = table.text("use", SOME, DEPLOY)
    if use not in USES:
        table.fault("use", f"'use' must be one of {', '.join(USES)}, not {use!a}")
    wrong = ("trusted_command",) if use == PLAN else ("user", "become")
    for key in (key for key in wrong if key in table.values):
        table.fault(key, f"'{key}' is not for use = \"{use}\"")
    return use


def refuse_deploying_keys(tables: Iterable[Table], entries: Iterable[CredentialEntry], home: Path) -> None:
    """What deploys is no plan credential, also where it is written twice."""
    given = [one.credentials for one in entries if one.use == DEPLOY]
    deploying = {path for one in given for path in (one.key, one.kubeconfig, one.environment_file)} - {None}
    for table in (each for each in tables if each.values.get("use") == PLAN):
        for name in ("key", "kubeconfig", "environment_file"):
            key = table.values.get(name)
            if isinstance(key, str) and home / key in deploying:
                words = "deploys, and is no key for plans; make another, of a user who may only read"
                table.fault(name, f"{key!a} {words}")


def _path(table: Table, key: str, home: Path) -> Path | None:
    found = table.text(key, SOME, "")
    return home / found if found else None


def _truth(table: Table, key: str) -> bool:
    found = table.values.get(key, False)
    if not isinstance(found, bool):
        table.fault(key, f"'{key}' must be true or false")
    return found is True
