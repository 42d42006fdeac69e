"""An agent's own file: every fault at once, with its line and its cure."""

import os
from pathlib import Path

import pytest

from gitops_hooks.edge.agent_toml import KEYS, load_agent
from gitops_hooks.edge.keys import make_key
from gitops_hooks.model.agent_file import Connection
from gitops_hooks.model.errors import PolicyError

TEXT = f"""\
name = "web-agent"
url = "ssh://git@host:22/site"
key = "key"
known_hosts = "known_hosts"
repository = "0123456789"
adoption = "{"a" * 40}"
server_key = "server_key.pub"
environment = "production"
hosts = ["web1"]
state = "state"
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("key", "host"):
        make_key(tmp_path / name, name)
    (tmp_path / "known_hosts").write_text("host ssh-ed25519 AAAA\n")
    (tmp_path / "server_key.pub").write_text((tmp_path / "host.pub").read_text())
    (tmp_path / "kubeconfig").touch(mode=0o600)
    return tmp_path


def load(folder, text=TEXT):
    path = folder / "agent.toml"
    path.write_text(text)
    path.chmod(0o600)
    return load_agent(path)


def faults(folder, text):
    with pytest.raises(PolicyError) as refused:
        load(folder, text)
    return str(refused.value).replace(str(folder), "FOLDER").splitlines()


def test_what_is_left_out_has_its_default(folder):
    found = load(folder)
    assert (found.connection, found.interval, found.prometheus, found.host_key) == (Connection.LOCAL, 60, None, None)
    assert (found.key, found.state) == (folder / "key", folder / "state")
    assert found.own_ref == "refs/agents/web-agent"


def test_nothing_at_all_is_told_key_by_key(folder):
    assert faults(folder, "") == [
        "agent.toml: 'name' is missing",
        "agent.toml: 'url' is missing",
        "agent.toml: 'key' is missing",
        "agent.toml: 'known_hosts' is missing",
        "agent.toml: 'repository' is missing",
        "agent.toml: 'adoption' is missing",
        "agent.toml: 'server_key' is missing",
        "agent.toml: 'environment' is missing",
        "agent.toml: 'hosts' is missing: the names, as the inventory has them, that this agent answers for",
        "agent.toml: 'state' is missing",
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('url = "ext::sh -c id"', "2: 'url' has a value that cannot be used: 'ext::sh -c id'"),
        ('url = "https://host/site"', "2: 'url' has a value that cannot be used: 'https://host/site'"),
        ('url = "--upload-pack=id"', "2: 'url' has a value that cannot be used: '--upload-pack=id'"),
        ('key = "no_key"', "3: 'key': there is no file FOLDER/no_key"),
        ("hosts = []", "9: 'hosts' must name at least one host"),
        ('hosts = ["-web1"]', "9: 'hosts' has an item that cannot be used or stands twice: '-web1'"),
        ('hosts = ["web1", "web2"]', "9: 'hosts' names 2, and connection = \"local\" reaches one"),
        ('state = "."', "10: 'state' may not hold agent.toml itself: what is trusted lies outside of what is fetched"),
        ("interval = 0", "11: 'interval' must be seconds from 1 to 86400, not 0"),
        ('interval = "1m"', "11: 'interval' must be seconds from 1 to 86400, not '1m'"),
        ('connection = "ssh"', "11: 'connection' must be one of local, inventory, kubernetes, not 'ssh'"),
        ("secret = 1", "11: unknown key 'secret'; known: " + ", ".join(sorted((*KEYS, "credential")))),
        ('[credential]\nkey = "key"', "12: 'key' is not for connection = \"local\""),
        ('tool_folders = ["/opt/kubectl"]', "11: 'tool_folders' is not for connection = \"local\""),
        ('connection = "kubernetes"', '11: connection = "kubernetes" needs kubeconfig in [credential]'),
    ],
)
def test_a_fault_is_told_with_its_line(folder, line, fault):
    key = line.split(" = ")[0]
    lines = [line if each.startswith(f"{key} = ") else each for each in TEXT.splitlines()]
    text = "\n".join(lines if line in lines else [*lines, line])
    assert faults(folder, text)[0] == f"agent.toml:{fault}"


def test_what_others_may_read_or_change_is_refused(folder):
    (folder / "key").chmod(0o640)
    (folder / "server_key.pub").chmod(0o666)
    (folder / "agent.toml").write_text(TEXT)
    (folder / "agent.toml").chmod(0o644)
    with pytest.raises(PolicyError) as refused:
        load_agent(folder / "agent.toml")
    assert str(refused.value).replace(str(folder), "FOLDER").splitlines() == [
        "agent.toml: FOLDER/agent.toml is open to others; run: chmod 600 FOLDER/agent.toml",
        "agent.toml: key: FOLDER/key is open to others; run: chmod 600 FOLDER/key",
        "agent.toml: server_key: FOLDER/server_key.pub is open to others; run: chmod 644 FOLDER/server_key.pub",
    ]


def test_what_is_trusted_does_not_lie_among_what_is_fetched(folder):
    (folder / "state").mkdir()
    (folder / "state" / "server_key.pub").write_text("ssh-ed25519 AAAA\n")
    text = TEXT.replace('"server_key.pub"', '"state/server_key.pub"')
    words = "server_key lies in the state folder: what is trusted lies outside of what is fetched"
    assert faults(folder, text) == [f"agent.toml: {words}"]


def test_a_credential_is_for_what_is_reached_from_elsewhere(folder):
    text = TEXT + 'connection = "inventory"\n[credential]\nkey = "key"\nknown_hosts = "known_hosts"\n'
    found = load(folder, text)
    assert found.credentials.ssh() == (folder / "key", folder / "known_hosts")
    assert found.credentials.hosts == ("web1",)
    text = TEXT + 'connection = "kubernetes"\n[credential]\nkubeconfig = "kubeconfig"\n'
    assert load(folder, text).credentials.kubeconfig == folder / "kubeconfig"
    assert load(folder, f'tool_folders = ["/opt/kubectl"]\n{text}').credentials.tools == (Path("/opt/kubectl"),)
    assert faults(folder, f'tool_folders = ["{folder}", "tools"]\n{text}vault_password = "key"\n') == [
        "agent.toml:1: 'tool_folders' may hold whole paths only, and not what agent.toml is in: FOLDER",
        "agent.toml:1: 'tool_folders' may hold whole paths only, and not what agent.toml is in: tools",
        "agent.toml:15: 'vault_password' is not for connection = \"kubernetes\"",
    ]
    assert os.access(folder / "kubeconfig", os.R_OK)
