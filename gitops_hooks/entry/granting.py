"""What of an environment's credentials its deployer gets: no more than what it is made to guard."""

from dataclasses import replace
from pathlib import Path

from gitops_hooks.core.policy_deployers import COMMAND, KUBERNETES, TERRAFORM
from gitops_hooks.model.credentials import Credentials

_ANSIBLE = "ansible"


def granted_for_plan(deployer: str, given: Credentials, tools: tuple[Path, ...]) -> Credentials:
    """What has not landed reaches hosts whose keys are pinned, and nothing else; others have servers of their own."""
    found = granted_to(deployer, given, tools)
    return replace(found, network=False, door=True) if deployer == _ANSIBLE else found


def granted_to(deployer: str, given: Credentials, tools: tuple[Path, ...]) -> Credentials:
    """`tools` are the server's folders of programs, for those that start other programs than their own."""
    if deployer == _ANSIBLE:
        return replace(given, environment_file=None, state_folder=None, kubeconfig=None)
    if deployer == TERRAFORM:
        # A provider of the tree runs here: the key of a host was not granted for that.
        return Credentials(environment_file=given.environment_file, state_folder=given.state_folder, tools=tools)
    if deployer == KUBERNETES:
        return Credentials(kubeconfig=given.kubeconfig, tools=tools)
    if deployer == COMMAND and not given.trusted_command:
        # What the tree brings has no network and no secret where nobody said that it may.
        return Credentials(state_folder=given.state_folder, network=False, tools=tools)
    return replace(given, kubeconfig=None, tools=tools) if deployer == COMMAND else given
