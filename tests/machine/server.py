"""A server that was really installed: sshd as its own configuration says, people who reach it, a host to deploy to."""

import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.sshd import Sshd
from tests.answers import Result, change_number
from tests.hosts import DeployedHost, inventory, known_hosts, start_host
from tests.machine.machine import CHECKOUT, Machine
from tests.people import lay_ssh, ssh_settings
from tests.waiting import wait_until
from tests.world import World

HOME = "/var/lib/gitops-hooks"
CREDENTIALS = "/etc/gitops-hooks/credentials"
REPOSITORY = f"{HOME}/repositories/site.git"
POLICY = """\
version: 1
groups:
  admins: [bob]
branches:
  - match: main
    push: []
    propose: ['*']
    land: ['@admins']
    approvals:
      - {count: 1, from: ['@admins']}
    checks: [yaml, secrets]
environments:
  - name: staging
    branch: main
    deployer: ansible
    playbook: site.yml
    inventory: hosts.yml
"""
PLAYBOOK = """\
---
- hosts: web
  gather_facts: false
  tasks:
    - name: greet
      ansible.builtin.copy:
        dest: "{{ root }}/etc/motd"
        content: "hello\\n"
        mode: "0644"
"""
_GRANT = f"""
[[credential]]
repository = "site"
environment = "staging"
branch = "main"
hosts = ["web1"]
key = "{CREDENTIALS}/staging_key"
known_hosts = "{CREDENTIALS}/staging_known_hosts"
"""


def install(machine: Machine, *words: str, checkout: Path = CHECKOUT) -> Result:
    return machine.run(str(checkout / "install.sh"), "server", *words, seconds=600)


@dataclass(slots=True)
class Server(World):
    """An open resource: a machine with the server on it, and alice and bob on machines of their own."""

    machine: Machine | None = None
    people: tuple[str, ...] = ("alice", "bob")

    @classmethod
    def on(cls, machine: Machine) -> "Server":
        """A server with two people and an empty repository, on a machine where it is installed."""
        server = cls(Path(tempfile.mkdtemp(prefix="gm-")), None, machine=machine)
        for name in server.people:
            public = server.lay_key(name).read_text()
            server.admin("user", "add", name, "-", "--email", f"{name}@example.org", text=public).must()
        server.admin("repo", "add", "site", "--admin", "bob", "--write", "*").must()
        server.start_sshd()
        return server

    @property
    def on_it(self) -> Machine:
        assert self.machine is not None
        return self.machine

    def admin(self, *words: str, seconds: float = 60.0, text: str = "") -> Result:
        return self.on_it.run("gitops-hooks", *words, seconds=seconds, text=text)

    def start_sshd(self) -> None:
        """The system's own sshd and its own configuration; only the port is another one."""
        self.on_it.run("ssh-keygen", "-A").must()
        with socket.socket() as chooser:
            chooser.bind(("127.0.0.1", 0))
            port = chooser.getsockname()[1]
        self.on_it.run("/usr/sbin/sshd", "-p", str(port), "-o", "ListenAddress=127.0.0.1").must()
        # It leaves its terminal first and listens then.
        wait_until(lambda: listens(port))
        folder = self.folder / "sshd"
        folder.mkdir()
        shown = self.on_it.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub").must().out
        (folder / "host_key.pub").write_text(shown)
        self.sshd = Sshd(folder, port)
        (self.folder / "known_hosts").write_text(self.sshd.known_hosts_line("host") + "\n")
        for name in self.people:
            settings = ssh_settings(self.sshd, self.key(name), self.folder / "known_hosts")
            lay_ssh(self.person(name), f"User git\n{settings}")

    def deploys_to(self, name: str = "web1") -> DeployedHost:
        """A host on loopback, and its credentials where the administrator of a machine puts them."""
        public = make_key(self.folder / "deploy_key", "deploy")
        host = start_host(self.folder / "hosts" / name, name, public)
        self.hosts[name] = host
        self.on_it.write(f"{CREDENTIALS}/staging_key", (self.folder / "deploy_key").read_text())
        self.on_it.write(f"{CREDENTIALS}/staging_known_hosts", known_hosts([host]))
        self.on_it.run("chown", "root:gitops-deploy", f"{CREDENTIALS}/staging_key").must()
        self.on_it.run("chmod", "0640", f"{CREDENTIALS}/staging_key").must()
        self.on_it.run("sh", "-c", 'cat >>"$1"', "sh", f"{HOME}/server.toml", text=_GRANT).must()
        return host

    def lands(self, files: dict[str, str | None], message: str = "A change") -> Result:
        """Alice proposes, bob approves; the answer to bob."""
        number = change_number(self.propose("alice", files, message).must())
        return self.approve("bob", number).must()

    def site(self, playbook: str = PLAYBOOK) -> dict[str, str | None]:
        """The files of a site that is deployed to every host there is."""
        hosts = inventory(list(self.hosts.values()))
        return {".gitops/policy.yaml": POLICY, "site.yml": playbook, "hosts.yml": hosts}

    def close(self) -> None:
        for host in self.hosts.values():
            host.sshd.stop()
        self.on_it.end()
        shutil.rmtree(self.folder)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except ConnectionRefusedError:
        return False
    return True


def listing(machine: Machine, *folders: str) -> list[str]:
    """Every file below with its owner, mode and the digest of what it holds, a line each."""
    script = 'find "$@" ! -type s -printf "%p %u:%g %m %l\\n" | sort; find "$@" -type f -exec sha256sum {} + | sort'
    return machine.run("sh", "-c", script, "sh", *folders).must().out.splitlines()
