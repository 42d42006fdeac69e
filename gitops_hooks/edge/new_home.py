"""The server's folder, made whole: folders, files, signing key and hooks; what is there already stays."""

import secrets

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.hooks_folder import lay_hooks
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.store import make_folder, replace_file

_SERVER_FILE = """\
# The server's own file. `gitops-hooks repo add` and `repo remove` edit it and keep every comment.
# Relative paths start in the folder of this file.

# git = "git"                                     # the program, or its full path
# authorized_keys = "/home/git/.ssh/authorized_keys"   # what sshd reads; our lines stand in a block of their own
# deploy_as = ""                                  # the system user that deployments run as; empty: the server's own
# tool_folders = ["/opt/lint"]                    # programs that checks may run, beside the system's own
# own_network = ["nft"]                           # rulesets of nftables are read by the kernel; see docs/admin.md first

[plugins]
# Module paths. Checks run confined and can only add a refusal; trusted providers run in the server.
# checks = [
#     "gitops_hooks.plugins.yaml_check",
#     "gitops_hooks.plugins.json_check",
#     "gitops_hooks.plugins.toml_check",
#     "gitops_hooks.plugins.schema_check",
#     "gitops_hooks.plugins.kubernetes_check",
#     "gitops_hooks.plugins.secrets_check",
#     "gitops_hooks.plugins.ansible.check",
#     "gitops_hooks.plugins.cel_check",
#     "gitops_hooks.plugins.network_check",
#     "gitops_hooks.plugins.terraform.check",
#     "gitops_hooks.plugins.precommit.check",
#     "gitops_hooks.plugins.rego_check",
#     "gitops_hooks.plugins.command_check",
# ]
# trusted = [
#     "gitops_hooks.plugins.ssh_actor",
#     "gitops_hooks.plugins.ansible.deployer",
#     "gitops_hooks.plugins.journal",
# ]

[limits]
# Seconds and bytes; what is not set has the stated default.
# push_seconds = 300
# judge_seconds = 60
# input_size = 536870912
# deploy_seconds = 3600

# A check in any language: a program that reads one JSON document and answers one.
# [[exec_check]]
# name = "names"
# command = ["check-names"]
# paths = ["roles/**"]

# Rules for every repository, which no policy can go under; the keys of a policy's `branches`.
# [[floor.branch]]
# match = "main"
# checks = ["secrets"]

# One table for each repository; the id is minted by `repo add`. Nobody reads or writes who is not named.
# [[repository]]
# name = "site"
# path = "repositories/site.git"
# id = "…"
# read = ["carol"]
# write = ["alice", "bob"]

# What one environment of one repository on one branch may use; the files lie outside every repository.
# [[credential]]
# repository = "site"
# environment = "staging"
# branch = "main"
# hosts = ["web1", "web2"]
# key = "credentials/staging_key"
# known_hosts = "credentials/staging_known_hosts"
# vault_password = "credentials/staging_vault"
# environment_file = "credentials/staging_environment"
# state_folder = "credentials/staging_state"
# kubeconfig = "credentials/staging_kubeconfig"
"""
_SECONDS = 30.0
_USERS_FILE = "# Who may log in; written by `gitops-hooks user add` and `user remove`.\n"


def make_home(home: Home) -> None:
    """Make what is missing, and lay the hooks anew. Errors: OSError, EdgeError.

    Where several commands are a new server's first ones, each of them comes here.
    """
    for folder in (home.path, home.run):
        make_folder(folder)
    with hold(home.run, "home", _SECONDS):
        _make_what_is_missing(home)


def _make_what_is_missing(home: Home) -> None:
    for folder in (home.repositories, home.run / "empty", home.path / "state"):
        make_folder(folder)
    if not home.server_file.exists():
        replace_file(home.server_file, _SERVER_FILE.encode())
    if not home.users_file.exists():
        replace_file(home.users_file, _USERS_FILE.encode())
    if not home.signing_key.exists():
        make_key(home.signing_key, "gitops-hooks server")
    if not home.nonce_seed.exists():
        replace_file(home.nonce_seed, f"{secrets.token_hex(32)}\n".encode())
    lay_hooks(home)
