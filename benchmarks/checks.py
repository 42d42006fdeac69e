"""How long the checks take on a change, without the kept verdicts, with an empty folder of them, and with a full one.

    python benchmarks/checks.py --sizes 1 50 1000 --runs 5

Everything runs as in a hook, but for the hook's own start: the plugins are the server's own, each check in its child,
on a bare repository. Ratios hold within one run. `one more` is the next revision, in which one file is another.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pygit2

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.folders import Folders
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.tree import GitTree, changed_files
from gitops_hooks.edge.verdict_cache import Memory
from gitops_hooks.edge.verdict_store import VerdictStore
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.server import Limits, ServerFile

LIMITS = replace(Limits(), check_seconds=300.0)
TASK = """\
- name: Install {0}
  ansible.builtin.package:
    name: "web-{0}"
    state: present
- name: Lay the configuration of {0}
  ansible.builtin.copy:
    content: "listen {0}"
    dest: "/etc/web/site-{0}.conf"
    owner: root
    mode: "0644"
  notify: Reload
  when: web_{0}_enabled | default(true)
"""


class Bench:
    """A bare repository with a base of files, and one change of it at a time."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder = folder
        self.git2 = pygit2.init_repository(str(folder / "site.git"), bare=True)
        self.base = self.tree({f"docs/d{number // 500}/f{number}.md": b"words\n" for number in range(files)})

    def tree(self, files: Mapping[str, bytes], onto: str = "") -> str:
        index = pygit2.Index()
        if onto:
            index.read_tree(self.git2[onto])
        for path, content in files.items():
            index.add(pygit2.IndexEntry(path, self.git2.create_blob(content), pygit2.enums.FileMode.BLOB))
        return str(index.write_tree(self.git2))

    def judge(self, check: Check, new: str, memory: Memory | None) -> float:
        """Milliseconds until there is a verdict, which must be good."""
        git2 = pygit2.Repository(self.git2.path)
        tree, target = (GitTree(git2, oid, LIMITS.blob_size) for oid in (new, self.base))
        grounds = Grounds(new, tree, target, tree, (Path(git2.path) / "objects",), self.folder / "tools")
        files = changed_files(Folders(git2), self.base, new, 20_000)
        change = Change(1, "refs/heads/main", "a" * 40, "b" * 40, files)
        began = time.perf_counter()
        options = {option.name: option.default for option in check.options}
        (verdict,) = run_checks([Asked(check, options)], change, grounds, LIMITS, memory)
        spent = (time.perf_counter() - began) * 1000
        assert not verdict.refuses, verdict
        return spent


def tasks(number: int, word: str = "") -> dict[str, bytes]:
    return {f"roles/r{each}/tasks/main.yml": (TASK.format(each) + word).encode() for each in range(number)}


def measure(bench: Bench, check: Check, size: int, code: str, runs: int) -> list[float]:
    """Medians: no memory, an empty one, a full one, a full one but for one file."""
    new = bench.tree(tasks(size), bench.base)
    found: list[list[float]] = [[], [], [], []]
    for run in range(runs):
        memory = Memory(VerdictStore(bench.folder / f"{check.name}-{size}-{run}", 20_000, 64 * 1024**2), code)
        other = bench.tree({f"roles/r{run % size}/tasks/main.yml": TASK.format(f"x{run}").encode()}, new)
        steps: tuple[Callable[[], float], ...] = (
            lambda: bench.judge(check, new, None),
            lambda: bench.judge(check, new, memory),  # noqa: B023  # called at once
            lambda: bench.judge(check, new, memory),  # noqa: B023
            lambda: bench.judge(check, other, memory),  # noqa: B023
        )
        for times, step in zip(found, steps, strict=True):
            times.append(step())
    return [statistics.median(times) for times in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 50, 1000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=50_000, help="files of the repository that do not change")
    parser.add_argument("--checks", nargs="+", default=[], help="only these")
    asked = parser.parse_args()
    plugins = ServerFile().plugins
    checks = load_enabled(plugins).checks()
    code_sign(())
    modules = (*plugins.checks, *plugins.trusted)
    began = time.perf_counter()
    code = code_sign(modules)
    print(f"the sign of the code: {(time.perf_counter() - began) * 1000:.1f} ms; {asked.files} files do not change")
    print(f"{'check':12} {'files':>6} {'none':>10} {'empty':>10} {'full':>10} {'one more':>10}   none:full  none:one")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), asked.files)
        for name, check in checks.items():
            for size in asked.sizes if not asked.checks or name in asked.checks else ():
                none, empty, full, one = measure(bench, check, size, code, asked.runs)
                times = "".join(f" {each:7.1f} ms" for each in (none, empty, full, one))
                print(f"{name:12} {size:6}{times} {none / full:10.1f} {none / one:9.1f}", flush=True)


if __name__ == "__main__":
    main()
