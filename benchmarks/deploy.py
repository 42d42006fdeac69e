"""What a deployment costs beside plain ansible-playbook: one interleaved run, medians and ratios.

    python benchmarks/deploy.py [--runs 5] [--hosts 20] [--pushes 100] [--state 1000]

The hosts are sshds on loopback. Each round changes one file that a task copies to all of them, and then brings it there
by a landing (ours), by ansible-playbook with its defaults, with pipelining, and with pipelining and as many forks as
ours. A first task has begun when Ansible reads its words, and has run when the host says so. Then: a change that
reaches one host, `env show` with many hosts of state, and many pushes in a row; and the rounds once more with
`strategy: mitogen`. Figures are printed and never asserted: seconds drift, ratios hold.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.as_installed import exchange_keys_as_installed
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Finished, Started
from gitops_hooks.model.event_words import Hosts, Oid, Text, Word
from tests.answers import change_number
from tests.environments.conftest import ENVIRONMENT
from tests.hosts import inventory
from tests.push.desk import MAIN, Desk
from tests.world import POLICY, REPOSITORY, Template, World

SITE = """\
---
- name: Site
  hosts: web
  gather_facts: false
  tasks:
    - name: Began
      ansible.builtin.shell: echo {{ now().timestamp() }} > {{ root }}/began; date +%s.%N > {{ root }}/ran
    - name: Page
      ansible.builtin.copy: {src: page, dest: "{{ root }}/page", mode: "0644"}
    - name: Own
      ansible.builtin.copy: {content: "{{ own | default('') }}", dest: "{{ root }}/own", mode: "0644"}
    - name: Folder
      ansible.builtin.file: {path: "{{ root }}/folder", state: directory, mode: "0755"}
    - name: Line
      ansible.builtin.lineinfile: {path: "{{ root }}/lines", line: one, create: true, mode: "0644"}
"""
# So that pushes are faster than runs, as with hosts that do real work.
PAUSE = """\
    - name: Long
      ansible.builtin.pause: {seconds: 120}
"""
FORKS = "10"
BARE = {
    "its defaults": {},
    "pipelining": {"ANSIBLE_PIPELINING": "True"},
    f"pipelining, {FORKS} forks": {"ANSIBLE_PIPELINING": "True", "ANSIBLE_FORKS": FORKS},
}


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds until the first task began, until it had run on the first of the hosts, and of the whole run."""

    began: float
    ran: float
    whole: float


class Course:
    """One server and its hosts, and the ways to bring a page to them."""

    def __init__(self, world: World, hosts: int) -> None:
        self.world = world
        self.hosts = world.add_hosts(*(f"h{number:03}" for number in range(hosts)))
        exchange_keys_as_installed(world.sshd, *(host.sshd for host in self.hosts))
        self.inventory = inventory(self.hosts)
        self.count = 0
        self.land({"site.yml": SITE, "page": "0\n", "inventories/staging/hosts.yml": self.inventory})

    def land(self, files: dict[str, str]) -> None:
        """A change lands; the push ends when its deployment has, or the time to follow it is over."""
        number = change_number(self.world.propose("alice", files).must())
        self.world.approve("bob", number).must()

    def ours(self, files: dict[str, str] | None = None) -> Took:
        """The first two from the landing; the whole run from its start to its end in the record."""
        self.count += 1
        self.land(files or {"page": f"{self.count}\n"})
        landed, started, ended = (
            self._moved(ref) for ref in ("refs/heads/main", *map(self._ref, ("attempted", "deployed")))
        )
        return self._took(landed, ended - started)

    def _took(self, since: float, whole: float) -> Took:
        return Took(self._first_after(since, "began") - since, self._first_after(since, "ran") - since, whole)

    def _first_after(self, moment: float, what: str) -> float:
        """What the first task wrote on the first of the hosts."""
        return min(float(text) for host in self.hosts if (text := host.holds(what)) and float(text) > moment)

    @staticmethod
    def _ref(name: str) -> str:
        return environment_ref("staging", name)

    def _moved(self, ref: str) -> float:
        """When git wrote the ref: it is loose, having moved just now."""
        return (self.world.repository / ref).stat().st_mtime

    def bare(self, settings: Mapping[str, str]) -> Took:
        """Of ansible-playbook on the same tree as an operator would type it.

        Each run connects anew, as ours does: a home of its own, or it would find the connections of the one before.
        """
        self.count += 1
        tree, home = self.world.folder / "bare", self.world.folder / f"h{self.count}"
        home.mkdir()
        (tree / "page").write_text(f"{self.count}\n")
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "hosts.yml", "site.yml"]
        known = f"-o UserKnownHostsFile={self.world.home.path}/credentials/staging/known_hosts"
        command += ["--private-key", str(self.world.folder / "deploy_key"), "--ssh-common-args", known]
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **settings}
        began = time.time()
        subprocess.run(command, cwd=tree, env=env, check=True, stdout=subprocess.DEVNULL)
        ended = time.time()
        for shared in (home / ".ansible" / "cp").iterdir():
            leave = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={shared}", "-O", "exit", "nobody"]
            subprocess.run(leave, check=True, stderr=subprocess.DEVNULL)
        return self._took(began, ended - began)

    def lay_bare(self) -> None:
        tree = self.world.folder / "bare"
        tree.mkdir()
        (tree / "site.yml").write_text(SITE)
        (tree / "hosts.yml").write_text(self.inventory)

    def sitting(self) -> Sitting:
        return open_sitting(self.world.home, REPOSITORY)

    def runs(self) -> int:
        events = self.world.events(environment_ref("staging", "log"))
        return sum(event.fact("Event") == "started" for event in events)


@contextmanager
def course(hosts: int, more: str = "", *, direct: bool = False) -> Iterator[Course]:
    policy = POLICY.replace("push: []", "push: [bob]") if direct else POLICY
    template = Template.build(policy + ENVIRONMENT + more)
    world = World.copied_from(template)
    template.remove()
    # Maintenance packs refs, and when a ref moved is read from its loose file.
    _limit(world, "upkeep_seconds = 86400")
    try:
        yield Course(world, hosts)
    finally:
        world.close()


def _limit(world: World, line: str) -> None:
    file = world.home.server_file
    file.write_text(file.read_text().replace("[limits]\n", f"[limits]\n{line}\n", 1))


def compare(course: Course, runs: int) -> None:
    course.lay_bare()
    ours: list[Took] = []
    bare: dict[str, list[Took]] = {name: [] for name in BARE}
    for _ in range(runs):
        ours.append(course.ours())
        for name, settings in BARE.items():
            bare[name].append(course.bare(settings))
    print(f"\n{len(course.hosts)} hosts, one file changed for all of them; medians of {runs}, in seconds")
    print(f"  {'':<40} first task begins   has run   whole run   ours")
    mine = middle(ours)
    print(f"  {'our run, from the landing':<40} {mine.began:>17.2f} {mine.ran:>9.2f} {mine.whole:>11.2f}")
    for name, found in bare.items():
        one = middle(found)
        seconds = f"{one.began:>17.2f} {one.ran:>9.2f} {one.whole:>11.2f}"
        print(f"  {f'ansible-playbook, {name}':<40} {seconds} {mine.whole / one.whole:>5.2f}x")


def middle(found: Sequence[Took]) -> Took:
    """The median of each."""
    return Took(*map(statistics.median, zip(*map(astuple, found), strict=True)))


def reach_one(course: Course, runs: int) -> None:
    found = []
    for number in range(runs):
        name = course.hosts[0].name
        found.append(course.ours({f"inventories/staging/host_vars/{name}.yml": f"own: '{number}'\n"}).whole)
    print(f"\na change that reaches one of {len(course.hosts)} hosts: {statistics.median(found):.2f} s")


def push_many(hosts: int, pushes: int) -> None:
    """Nobody waits for a deployment: pushes in a row by one who may, onto an environment whose runs take minutes."""
    with course(hosts, direct=True) as found:
        _limit(found.world, "follow_seconds = 0.01")
        found.land({"site.yml": SITE + PAUSE})
        before, began = found.runs(), time.monotonic()
        desk = Desk.beside(found.world)
        for number in range(pushes):
            commit = desk.commit("bob", {"page": f"row {number}\n"})
            desk.push("bob", f"{commit}:{MAIN}").must()
        pushed = time.monotonic() - began
        while found.world.refs().get(environment_ref("staging", "deployed")) != commit:
            time.sleep(0.2)
        runs, live = found.runs() - before, time.monotonic() - began
    print(
        f"\n{pushes} pushes in a row, {pushed:.0f} s of pushing: {runs} runs; the last one is live after {live:.0f} s"
    )


def show_many(course: Course, state: int, runs: int) -> None:
    few = statistics.median(_show(course) for _ in range(runs))
    sitting = course.sitting()
    ref, tip = environment_ref("staging", "log"), sitting.repository.tip("refs/heads/main")
    course.world.stop_reconciler()
    started = Started(Word("staging"), Oid(tip), Oid(tip), Word("bench"), 1)
    event = sitting.ledger.log(ref, started, SERVER)
    hosts = Hosts(tuple(HostOutcome(f"host{number:05}", HostState.OK) for number in range(state)))
    end = Finished(Word("staging"), Oid(tip), event.stamp.number, 1, RunState.SUCCESSFUL, 9, hosts, Text(""))
    sitting.ledger.log(ref, end, SERVER)
    many = statistics.median(_show(course) for _ in range(runs))
    print(f"\nenv show over SSH: {len(course.hosts)} hosts {few:.2f} s, {state} hosts {many:.2f} s ({many / few:.2f}x)")


def _show(course: Course) -> float:
    began = time.monotonic()
    course.world.ssh("bob", "env show staging").must()
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for name, value in (("runs", 5), ("hosts", 20), ("pushes", 100), ("state", 1000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    words = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with course(words.hosts) as found:
        compare(found, words.runs)
        reach_one(found, words.runs)
        show_many(found, words.state, words.runs)
    push_many(words.hosts, words.pushes)
    print("\nstrategy: mitogen")
    with course(words.hosts, "    strategy: mitogen\n") as found:
        compare(found, words.runs)


if __name__ == "__main__":
    main()
