"""What governing a push costs: medians of one interleaved run over loopback SSH, as ratios and added milliseconds.

    python benchmarks/push.py [--runs 10] [--files 1 100 50000] [--changes 1 1000 20000] [--clients 1 4 16]

Columns: a push to a bare repository without hooks, over the same kind of sshd; ours with the warm judge; ours with
hooks that judge by themselves (warm_seconds = 0). Rows: a branch outside the policy; a proposal with one changed YAML
file; an approval that lands. Then the same by files in the tree and by changes on the server, and proposals a second by
clients that push at once. Figures are printed and never asserted: seconds drift, ratios hold.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pygit2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.sshd import start_sshd
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.change_event import Proposed
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Oid, Stamp, Text, Word
from tests.push.desk import MAIN, Desk
from tests.world import REPOSITORY, World

POLICY = """\
version: 1
groups:
  ops: [alice, bob]
branches:
  - match: main
    propose: ['*']
    land: ['@ops']
    approvals:
      - {count: 1, from: ['@ops']}
    checks: [yaml]
"""


class Course:
    """One server, and the four pushes that are compared on it."""

    def __init__(self, files: int, changes: int, *, warm: bool) -> None:
        self.world = World(Path(tempfile.mkdtemp(prefix="gw-")), None)
        self.world.lay_people()
        lay_files(self.world, files)
        self.world.admin("repo", "add", REPOSITORY, "--admin", "bob", "--write", "*").must()
        if not warm:
            server = self.world.home.server_file
            server.write_text(server.read_text().replace("[limits]\n", "[limits]\nwarm_seconds = 0\n", 1))
        self.world.open()
        self.desk = Desk.beside(self.world)
        self.count = 0
        if changes > 1:
            fill(self.world.home, changes)
        self.bare = self.world.folder / "bare.git"
        self.world.server_git("clone", "-q", "--bare", str(self.world.repository), str(self.bare))
        self.free_push()
        while warm and not (self.world.home.judge / "socket").exists():
            time.sleep(0.1)

    def commit(self) -> str:
        self.count += 1
        return self.desk.commit("alice", {"changed.yml": f"number: {self.count}\n"})

    def bare_push(self) -> float:
        """The same client and sshd; the server's end is a plain receive-pack without hooks."""
        commit = self.commit()
        self.plain_ssh()
        return timed(lambda: self.plain(commit))

    def plain(self, commit: str, name: str = "") -> None:
        env = {**self.world.environment("alice"), "GIT_SSH_COMMAND": str(self.plain_ssh())}
        words = ["git", "push", "-q", f"plain:{self.bare}", f"{commit}:refs/heads/{name or f'plain{self.count}'}"]
        subprocess.run(words, cwd=self.desk.clone, env=env, check=True, capture_output=True)

    def plain_ssh(self) -> Path:
        """ssh with a key of the machine's own, which may run anything: how a server without us is reached."""
        script = self.world.folder / "plain-ssh"
        if not script.exists():
            public = make_key(self.world.folder / "plain", "plain")
            allowed = self.world.folder / "plain_keys"
            allowed.write_text(public + "\n")
            allowed.chmod(0o600)
            self.sshd = start_sshd(self.world.folder / "plain-sshd", allowed)
            known = self.world.folder / "plain_known"
            known.write_text(self.sshd.known_hosts_line("plain") + "\n")
            options = f"-i {self.world.folder}/plain -p {self.sshd.port} -o UserKnownHostsFile={known} -F none"
            options += " -o HostKeyAlias=plain -o HostName=127.0.0.1 -o IdentitiesOnly=yes -o SendEnv=GIT_PROTOCOL"
            script.write_text(f'#!/bin/sh\nexec /usr/bin/ssh {options} "$@"\n')
            script.chmod(0o755)
        return script

    def free_push(self) -> float:
        commit = self.commit()
        return timed(lambda: self.desk.push("alice", "-q", f"{commit}:refs/heads/free{self.count}").must())

    def proposal(self) -> float:
        self.proposed = self.commit()
        return timed(lambda: self.desk.push("alice", "-q", f"{self.proposed}:refs/for/main/t{self.count}").must())

    def landing(self) -> float:
        number = self.number()
        taken = timed(lambda: self.desk.push("bob", "-q", f"{self.proposed}:refs/approve/{number}").must())
        assert self.desk.tip(MAIN) == self.proposed
        return taken

    def number(self) -> int:
        listed = self.world.admin("change", "list").must().out
        return int(listed.split()[0])

    def close(self) -> None:
        if hasattr(self, "sshd"):
            self.sshd.stop()
        self.world.close()


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def lay_files(world: World, files: int) -> None:
    """A repository whose one commit has the policy and so many files, in one pack and without a work tree."""
    git = ["git", "--git-dir", str(world.repository)]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(world.repository)], check=True)
    texts = {".gitops/policy.yaml": POLICY} | {f"bulk/{n // 250}/{n}.yml": f"n: {n}\n" for n in range(files)}
    lines = ["commit refs/heads/main", "committer bob <bob@example.org> 1700000000 +0000", "data 3", "one"]
    for path, text in texts.items():
        lines += [f"M 100644 inline {path}", f"data {len(text)}", text]
    subprocess.run([*git, "fast-import", "--quiet"], input="\n".join([*lines, ""]).encode(), check=True)


def fill(home: Home, changes: int) -> None:
    """So many open changes of carol's, each signed as the server signs, in one pack and in packed-refs."""
    sitting = open_sitting(home, "site")
    pygit2.settings.enable_fsync_gitdir(False)
    tip = sitting.default.recorded
    lines = [f"{oid} {ref}" for ref, oid in all_refs(sitting.entry.path)]
    for number in range(1, changes + 1):
        at = sitting.ledger.clock().replace(microsecond=0)
        stamp = Stamp(Word(sitting.entry.id), 1, at, Word("carol"), Word("SHA256:none"))
        oids = (Oid(tip), Oid(tip), (Oid(tip),), Oid(tip))
        body = Proposed(number, 1, Word(MAIN), Word(f"f{number}"), Text("x"), Text(""), Word(""), *oids, False, ())
        event = sitting.ledger.objects.write_event(Event(stamp, body), None)
        folder = f"refs/changes/{number}"
        lines += [f"{oid} {folder}/{name}" for name, oid in (("1", tip), ("head", tip), ("meta", event))]
    lines.sort(key=lambda line: line.split(" ")[1].encode())
    # Sixty thousand loose refs take git minutes to pack, one lock each; it is the packed state that is measured.
    text = "\n".join(["# pack-refs with: peeled fully-peeled sorted ", *lines, ""])
    (sitting.entry.path / "packed-refs").write_text(text)
    subprocess.run(["git", "--git-dir", str(sitting.entry.path), "repack", "-a", "-d", "-q"], check=True)
    sitting.record.ensure_changes()


def all_refs(repository: Path) -> list[tuple[str, str]]:
    words = ["git", "--git-dir", str(repository), "for-each-ref", "--format=%(refname) %(objectname)"]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(line.split(" ")[0], line.split(" ")[1]) for line in lines]


def measure(warm: Course, cold: Course, runs: int) -> dict[str, list[float]]:
    """All in turn, so that a slow moment of the machine meets all of them; the first round is for the caches."""
    acts = {"bare": warm.bare_push}
    for name in ("free_push", "proposal", "landing"):
        acts |= {f"{name} warm": getattr(warm, name), f"{name} cold": getattr(cold, name)}
    found: dict[str, list[float]] = {name: [] for name in acts}
    for run in range(runs + 1):
        for name, act in acts.items():
            taken = act()
            if run:
                found[name].append(taken)
    return found


TITLES = {"free_push": "branch outside the policy", "proposal": "proposal, one file", "landing": "approval that lands"}


def print_table(title: str, found: dict[str, list[float]]) -> None:
    middle = {name: statistics.median(taken) * 1000 for name, taken in found.items()}
    bare = middle["bare"]
    print(f"\n{title}, milliseconds (ratio to bare; added)", flush=True)
    print(f"  {'':<28}{'bare':>8}{'warm judge':>24}{'hooks by themselves':>24}")
    for name, words in TITLES.items():
        cells = [f"{taken:.0f} ({taken / bare:.2f}x, +{taken - bare:.0f})" for taken in ours(middle, name)]
        print(f"  {words:<28}{bare:>8.0f}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


def ours(middle: dict[str, float], name: str) -> tuple[float, float]:
    return middle[f"{name} warm"], middle[f"{name} cold"]


def at_once(course: Course, clients: int, *, bare: bool = False) -> float:
    """Pushes a second where so many clients push at once, each three times (once where there are many)."""
    times = 3 if clients < 50 else 1
    commits = [[course.commit() for _ in range(times)] for _ in range(clients)]
    course.plain_ssh()

    def push_all(mine: list[str]) -> None:
        for commit in mine:
            if bare:
                course.plain(commit, f"at-once-{commit}")
            else:
                words = ("-q", "host:site", f"{commit}:refs/for/main/{commit[:12]}")
                course.desk.git("alice", "push", *words, seconds=600).must()

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(push_all, commits))
    return clients * times / (time.perf_counter() - began)


def print_clients(warm: Course, cold: Course, clients: list[int]) -> None:
    print("\nproposals a second, by clients that push at once")
    print(f"  {'':<28}{'bare':>8}{'warm judge':>24}{'hooks by themselves':>24}")
    for count in clients:
        bare, ours, itself = at_once(warm, count, bare=True), at_once(warm, count), at_once(cold, count)
        cells = [f"{each:.1f} ({each / bare:.2f}x)" for each in (ours, itself)]
        print(f"  {count:<28}{bare:>8.1f}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--files", type=int, nargs="*", default=[1, 100, 50_000])
    parser.add_argument("--changes", type=int, nargs="*", default=[1, 1_000, 20_000])
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16])
    words = parser.parse_args()
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {git}, medians of {words.runs}")
    cases = [(f"{files} files", files, 1) for files in words.files]
    cases += [(f"{changes} changes", 1, changes) for changes in words.changes if changes > 1]
    for title, files, changes in cases:
        with ExitStack() as stack:
            warm, cold = (Course(files, changes, warm=is_warm) for is_warm in (True, False))
            stack.callback(warm.close)
            stack.callback(cold.close)
            print_table(title, measure(warm, cold, words.runs))
            if words.clients and (title, files, changes) == cases[0]:
                print_clients(warm, cold, words.clients)


if __name__ == "__main__":
    main()
