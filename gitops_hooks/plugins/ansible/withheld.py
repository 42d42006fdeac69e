"""What must not be told: whole messages where a vault value or a credential may stand in them."""

from collections.abc import Callable

from gitops_hooks.plugin import Credentials
from gitops_hooks.plugins.granted import marks_of


def withholder(credentials: Credentials, vault: bool) -> Callable[[str], str]:
    """A function that answers what to say instead of a message, empty where the message may be shown.

    `vault`: the tree holds vault values and this environment can read them, so any result may carry one.
    """
    marks = _marks(credentials)

    def instead(message: str) -> str:
        if vault:
            return "its output is withheld, since this environment has vault values"
        if any(mark in message for mark in marks):
            return "its output is withheld, since it carries a credential"
        return ""

    return instead


def _marks(credentials: Credentials) -> frozenset[str]:
    found = credentials.ssh()[0].read_text(errors="replace").splitlines()
    if credentials.vault_password is not None:
        found += credentials.vault_password.read_text(errors="replace").splitlines()
    return marks_of(line for line in found if not line.startswith("-----"))
