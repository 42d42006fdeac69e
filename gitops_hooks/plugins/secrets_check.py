"""The check `secrets`: no private key, token or password goes into the repository in the clear.

Told, in lines that the change brings: what its shape gives away, in any file; literal values under keys that say
password, secret or token, and random texts under others, in YAML, INI and .env files; files that by their name belong
into a vault and are not in one. A finding names kind, line and cure, and never the secret. Left alone: what a file of
the target branch excepts with a reason, templates, `!vault` and whole vaulted files, references to files, variables and
objects of Kubernetes, placeholders, public keys, certificates, and hashes of passwords (a users file holds those by
Ansible's own advice). Not seen: secrets without shape, name or randomness, binary files, what was in history already.
"""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tree, Workbench, hookimpl

LOADED_AHEAD = ("gitops_hooks.plugins.secrets_found",)

PLACE = ".gitops/secrets.yaml"
OPTIONS = (
    Option("exceptions", OptionKind.TEXT, PLACE, "the file of the target branch that says what is excepted; or none"),
    Option("ignore", OptionKind.GLOBS, (), "files that are not looked at"),
)


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check over every changed file."""
    summary = "no private key, token or password in the clear"
    return [Check("secrets", summary, check_secrets, options=OPTIONS)]


def check_secrets(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported when there is work: its fifty patterns cost more than the rest of a push's imports together.
    from gitops_hooks.plugins.secrets_found import find_secrets

    yield from find_secrets(change, tree, bench)
