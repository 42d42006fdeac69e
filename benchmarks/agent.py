"""What an agent costs beside ansible-pull on the same playbook: one interleaved run, medians and ratios.

    python benchmarks/agent.py [--runs 5] [--agents 200] [--at-once 2] [--rounds 3]

Both have one repository on one server of ours, over real sshd, and one host. Each round asks once where nothing moved,
brings one changed file, and repairs what somebody changed on the host (`--runs 0`: none of that). Then so many agents,
each with an account of its own, poll that repository in rounds, some at once: what a poll costs the server, and how
many a second it answers. Figures are printed and never asserted: seconds drift, ratios hold.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.as_installed import exchange_keys_as_installed
from gitops_hooks.edge.agent_mirror import Mirror
from gitops_hooks.edge.agent_state import Notes
from gitops_hooks.edge.agent_toml import load_agent
from gitops_hooks.edge.keys import make_key
from tests.agent.conftest import ENVIRONMENT, Site, open_site
from tests.push.warm_desk import running
from tests.world import POLICY, REPOSITORY, Template

HEALING = POLICY + ENVIRONMENT + "    drift: 5m\n    self_heal: true\n"
Cost = tuple[float, float]


class Course:
    """One host with an agent, and a folder that ansible-pull keeps."""

    def __init__(self, site: Site) -> None:
        self.site, self.agent, self.count = site, site.agent, 0
        self.root = site.agent.folder / "pulled"
        self.root.mkdir()
        self.hosts = site.agent.folder / "pull_hosts"
        here = f"ansible_connection=local ansible_python_interpreter=/usr/bin/python3 root={self.root}"
        self.hosts.write_text(f"[web]\nlocalhost {here}\n")
        self.mirror = Mirror(load_agent(site.agent.config))

    def poll(self) -> None:
        """What the agent does each interval."""
        assert self.mirror.poll(Notes(self.agent.state).mark().branches) is None
        self.mirror.digest()

    def once(self) -> None:
        code, words = self.agent.once()
        assert code == 0, words

    def pull(self, *words: str) -> None:
        program = Path(sys.executable).parent / "ansible-pull"
        command = [program, "-U", f"host:{REPOSITORY}", "-d", self.agent.folder / "clone", "-i", self.hosts, *words]
        environment = self.site.world.environment("alice")
        environment["PATH"] += f":{program.parent}"
        done = subprocess.run([*map(str, command), "site.yml"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def change(self) -> None:
        self.count += 1
        self.site.land({"page": f"{self.count}\n"})
        self.site.release()

    def spoil(self) -> None:
        for root in (self.agent.root, self.root):
            (root / "page").write_text("by hand\n")
        self.agent.let_pass(seconds=400)

    def holds(self, text: str) -> None:
        assert [(root / "page").read_text() for root in (self.agent.root, self.root)] == [text, text]


def cost(act: Callable[[], None]) -> Cost:
    """Seconds of the wall clock, and of the processor in whatever of it has ended and was waited for.

    What ends with a box is nobody's child any more: only of a poll is the second figure the whole of it.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    act()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show(name: str, ours: list[Cost], theirs: list[Cost]) -> None:
    mine, other = (statistics.median(one[0] for one in costs) for costs in (ours, theirs))
    print(f"{name:22} {mine:6.2f} s against {other:6.2f} s ({mine / other:.2f})", flush=True)


def of_server(pid: int, fields: Sequence[int] = (13, 14)) -> float:
    """Processor seconds of all sessions of this sshd that have ended."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(words[field]) for field in fields) / os.sysconf("SC_CLK_TCK")


def of_warm(course: Course) -> float:
    """Processor seconds of the warm judge, and of those of its forks that have ended."""
    return sum(of_server(one.pid, (11, 12, 13, 14)) for one in running(course.site.world.home))


def transferred(course: Course) -> str:
    """What ssh itself says that one poll sent and received."""
    words = ["fetch", "-q", "--no-tags", "--no-write-fetch-head", course.mirror.file.url, "refs/gitops/log"]
    ssh = f"ssh -v -o LogLevel=DEBUG1 -F {course.agent.state}/ssh_config"
    command = ["git", "--git-dir", str(course.mirror.path), *words]
    done = subprocess.run(command, env={**os.environ, "GIT_SSH_COMMAND": ssh}, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("Transferred")]
    return lines[0] if lines else "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    template = Template.build(POLICY + ENVIRONMENT)
    try:
        with open_site(template, policy=HEALING) as site:
            exchange_keys_as_installed(site.world.sshd)
            site.world.clone("alice")
            course = Course(site)
            site.release()
            course.once()
            course.pull()
            if wanted.runs:
                measure(course, wanted.runs)
            many(course, wanted)
    finally:
        template.remove()


def measure(course: Course, runs: int) -> None:
    idle, changed, repaired = ([], []), ([], []), ([], [])
    for _ in range(runs):
        idle[0].append(cost(course.poll))
        idle[1].append(cost(lambda: course.pull("--only-if-changed")))
        course.change()
        changed[0].append(cost(course.once))
        changed[1].append(cost(lambda: course.pull("--only-if-changed")))
        course.holds(f"{course.count}\n")
        course.spoil()
        repaired[0].append(cost(course.once))
        repaired[1].append(cost(course.pull))
        course.holds(f"{course.count}\n")
    print(f"the agent against ansible-pull, medians of {runs} rounds (ratio)")
    show("nothing moved", *idle)
    show("one changed file", *changed)
    show("drift repaired", *repaired)


def many(course: Course, wanted: argparse.Namespace) -> None:
    """Each agent has an account, a key and a mirror of its own, which the first poll brings up to date."""
    mirrors = [a_mirror(course, number) for number in range(wanted.agents)]
    for mirror in mirrors:
        ask(mirror)
    pid = int((course.site.world.sshd.folder / "sshd.pid").read_text())
    rounds = []
    for _ in range(wanted.rounds):
        before, warm = of_server(pid), of_warm(course)
        with ThreadPoolExecutor(wanted.at_once) as pool:
            wall, hosts = cost(lambda pool=pool: list(pool.map(ask, mirrors)) and None)
        rounds.append((wall, hosts, of_server(pid) - before, of_warm(course) - warm))
    wall, hosts, sessions, judge = (statistics.median(one[place] for one in rounds) for place in range(4))
    server, git = sessions + judge, statistics.median(git_alone(course) for _ in range(9)) * 1000
    each = 1000 / wanted.agents
    print(f"{wanted.agents} agents, {wanted.at_once} at once, medians of {wanted.rounds} rounds")
    print(f"{wanted.agents / wall:.1f} polls a second, with the agents' own part on the same processors")
    print(f"of each poll: {server * each:.0f} ms of a core on the server, {hosts * each:.0f} ms where the agent is")
    login = sessions * each - git
    print(f"of the server's: sshd and login {login:.0f} ms, warm judge {judge * each:.0f} ms, git {git:.0f} ms")
    print(f"{1000 / (server * each) * (os.cpu_count() or 1):.1f} polls a second, by what a poll costs the server alone")
    print(transferred(course))


def a_mirror(course: Course, number: int) -> Mirror:
    """An agent of a host that nobody has: only its polls are of interest."""
    name, folder = f"agent-{number}", course.agent.folder / "many" / f"agent-{number}"
    folder.mkdir(parents=True)
    make_key(folder / "key", name)
    words = ("user", "add", name, str(folder / "key.pub"), "--agent", "staging", "--hosts", f"many{number}")
    course.site.world.admin(*words).must()
    mirror = Mirror(replace(course.mirror.file, name=name, key=folder / "key", state=folder / "state"))
    mirror.lay()
    return mirror


def ask(mirror: Mirror) -> None:
    silence = mirror.poll(["refs/heads/main"])
    assert silence is None, silence


def git_alone(course: Course) -> float:
    """Processor seconds of git for what a poll asks, without sshd and login."""
    command = ["git", "upload-pack", str(course.site.world.repository)]
    prefixes = ("refs/gitops/log", "refs/environments/staging/", "refs/heads/main")
    rows = [b"peel\n", b"symrefs\n", *(f"ref-prefix {prefix}\n".encode() for prefix in prefixes)]
    text = b"".join([packet(b"command=ls-refs\n"), b"0001", *map(packet, rows), b"0000", b"0000"])

    def talk() -> None:
        done = subprocess.run(command, input=text, env={**os.environ, "GIT_PROTOCOL": "version=2"}, capture_output=True)
        assert b"refs/gitops/log" in done.stdout, done

    return cost(talk)[1]


def packet(line: bytes) -> bytes:
    return f"{len(line) + 4:04x}".encode() + line


if __name__ == "__main__":
    main()
