"""Three real hosts on loopback, each with its own sshd, host key, home and root folder, and deployments to them."""

import dataclasses
import getpass
import itertools
import os
import select
import shutil
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.edge.sshd import Sshd, start_sshd
from gitops_hooks.entry.granting import granted_for_plan
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Outcome, Progress
from gitops_hooks.model.drift import Drift
from gitops_hooks.model.plan_found import Plan
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.rollout import AT_ONCE
from gitops_hooks.model.server import Limits, PluginLists
from tests.cluster.server import serving

ANSIBLE = PluginLists(trusted=("gitops_hooks.plugins.ansible.deployer",))
LIMITS = Limits(connect_seconds=10.0, deploy_seconds=60.0)
# Said in the inventory, so that no run spends time on looking for it.
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else shutil.which("python3")

SITE = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: greet
      lineinfile:
        path: "{{ root }}/motd"
        line: hello from {{ inventory_hostname }}
        create: true
        mode: "0644"
"""


def run_name(number: int) -> str:
    """A run's id; runs are found by it on the whole machine, where other tests have theirs at the same moment."""
    return f"run-{os.getpid()}-{number}"


@dataclasses.dataclass
class Host:
    """One demo host: its server and the folder that stands for its root."""

    name: str
    sshd: Sshd
    root: Path
    home: Path

    def inventory_line(self, more=""):
        where = f"ansible_host={self.sshd.address} ansible_port={self.sshd.port} ansible_user={getpass.getuser()}"
        where += f" ansible_python_interpreter={PYTHON}"
        return f"{self.name} {where} root={self.root} {more}".strip()

    def read(self, name):
        path = self.root / name
        return path.read_text() if path.exists() else None


@dataclasses.dataclass
class World:
    """The hosts, what the server grants, and the tree that is deployed next."""

    folder: Path
    hosts: tuple[Host, ...]
    tree: dict[str, str | tuple[int, bytes]]
    vault_password: Path | None = None
    granted: tuple[str, ...] = ("web1", "web2", "web3")
    playbook: str = "site.yml"
    numbers: itertools.count = dataclasses.field(default_factory=lambda: itertools.count(1))
    running: list[RunningDeployment] = dataclasses.field(default_factory=list)

    @property
    def user(self):
        return getpass.getuser()

    @property
    def key(self):
        return self.folder / "deploy_key"

    @property
    def known_hosts(self):
        return self.folder / "known_hosts"

    def pin_hosts(self):
        self.known_hosts.write_text("".join(host.sshd.known_hosts_line() + "\n" for host in self.hosts))

    def write_inventory(self, *more):
        """`more` are lines for each host in turn, the last for every host that follows."""
        words = itertools.chain(more, itertools.repeat(more[-1] if more else ""))
        self.tree["inventory"] = "".join(f"{host.inventory_line(next(words))}\n" for host in self.hosts)

    def start(self, generation=None, run_id="", limits=LIMITS, plugins=ANSIBLE, deployer="ansible", **more):
        number = generation or next(self.numbers)
        named = ("staging", "refs/heads/main", deployer, self.playbook, "inventory", None, "policy:1")
        ways = {"rollout": more.get("rollout", AT_ONCE), "strategy": more.get("strategy", "linear")}
        environment = Environment(*named, **ways)
        repository, hosts = more.get("repository", "r1"), more.get("hosts")
        own, allowed, look = run_id or run_name(number), more.get("allowed", ()), more.get("look", False)
        words = {"allowed": allowed, "look": look, "plan": more.get("plan", False)}
        deployment = Deployment(repository, environment, "c" * 40, number, own, hosts, **words)
        login = {name: more[name] for name in ("user", "become") if name in more}
        credentials = Credentials(self.granted, self.key, self.known_hosts, self.vault_password, **login)
        credentials = more.get("credentials", credentials)
        if deployment.plan:
            credentials = granted_for_plan(deployer, credentials, ())
        running = RunningDeployment.start(deployment, credentials, self.files(), limits=limits, plugins=plugins)
        self.running.append(running)
        return running

    def deploy(self, **more):
        running = self.start(**more)
        outcome = running.wait(60)
        running.close()
        assert outcome is not None, "the deployment did not end"
        return outcome

    def look(self, **more):
        """What a look at the hosts answers, and how it ended."""
        running = self.start(look=True, **more)
        words = listen_until(running, lambda word: isinstance(word, Outcome), 60)
        running.close()
        return next((word for word in words if isinstance(word, Drift)), None), words[-1]

    def plan(self, **more):
        """What a plan of the tree answers, and how it ended."""
        running = self.start(look=True, plan=True, **more)
        words = listen_until(running, lambda word: isinstance(word, Outcome), 60)
        running.close()
        return next((word for word in words if isinstance(word, Plan)), None), words[-1]

    def files(self):
        for path, content in self.tree.items():
            mode, text = content if isinstance(content, tuple) else (0o100644, content.encode())
            yield path, mode, text


def states(outcome: Outcome) -> dict[str, str]:
    return {host.name: host.state.value for host in outcome.hosts}


def details(outcome: Outcome) -> dict[str, str]:
    return {host.name: host.detail for host in outcome.hosts}


def listen_until(running: RunningDeployment, wanted, seconds=30.0) -> list[Progress | Drift | Outcome]:
    """Everything that was said up to the first word that `wanted` accepts."""
    words, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        select.select([running], [], [], 0.2)
        for word in running.read():
            words.append(word)
            if wanted(word):
                return words
    raise AssertionError(f"never said; heard {words}")


@pytest.fixture
def world(tmp_path):
    public = make_key(tmp_path / "deploy_key", "deploy")
    hosts = []
    try:
        for name in ("web1", "web2", "web3"):
            root, home = tmp_path / name / "root", tmp_path / name / "home"
            root.mkdir(parents=True)
            home.mkdir()
            (home / "authorized_keys").write_text(public + "\n")
            sshd = start_sshd(tmp_path / name / "sshd", home / "authorized_keys", environment={"HOME": str(home)})
            hosts.append(Host(name, sshd, root, home))
        made = World(tmp_path, tuple(hosts), {"site.yml": SITE})
        made.pin_hosts()
        made.write_inventory()
        yield made
        for running in made.running:
            running.close()
    finally:
        for host in hosts:
            host.sshd.stop()


@pytest.fixture
def cluster(tmp_path):
    with serving(tmp_path) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _nothing_of_ours_stays(tmp_path):
    yield
    left = [one for one in Path("/proc").iterdir() if one.name.isdigit() and _mentions(one.name, str(tmp_path))]
    assert left == []


def _mentions(number, words):
    try:
        return words in Path(f"/proc/{number}/cmdline").read_text(errors="replace")
    except OSError:
        return False
