"""Each deployer gets what it is made to guard; a policy that names another one gains nothing."""

from pathlib import Path

import pytest

from gitops_hooks.entry.granting import granted_to
from gitops_hooks.model.credentials import Credentials

NAMES = ("key", "known", "vault", "file", "state", "kube")
KEY, KNOWN, VAULT, FILE, STATE, KUBE = (Path("/granted") / name for name in NAMES)
TOOLS = (Path("/opt/tools"),)
GIVEN = Credentials(("web1",), KEY, KNOWN, VAULT, FILE, STATE, kubeconfig=KUBE)
TRUSTED = Credentials(("web1",), KEY, KNOWN, VAULT, FILE, STATE, trusted_command=True, kubeconfig=KUBE)


@pytest.mark.parametrize(
    ("deployer", "given", "gets"),
    [
        ("ansible", GIVEN, Credentials(("web1",), KEY, KNOWN, VAULT)),
        ("terraform", TRUSTED, Credentials(environment_file=FILE, state_folder=STATE, tools=TOOLS)),
        ("kubernetes", TRUSTED, Credentials(kubeconfig=KUBE, tools=TOOLS)),
        ("command", GIVEN, Credentials(state_folder=STATE, network=False, tools=TOOLS)),
        ("command", TRUSTED, Credentials(("web1",), KEY, KNOWN, VAULT, FILE, STATE, True, tools=TOOLS)),
        ("acme", GIVEN, GIVEN),
    ],
)
def test_a_deployer_gets_what_it_guards(deployer, given, gets):
    assert granted_to(deployer, given, TOOLS) == gets
