"""How long each check takes on a change, beside the tool that a user would run on the same files.

    python benchmarks/checks.py --sizes 1 50 1000 --runs 5 --plot docs/checks.svg

All of it in one run, one step after the other and round again, medians in milliseconds. For a check: without kept
verdicts (`none`), with an empty folder of them (`cold`), with a full one (`kept`), and with a full one when one file
of the change has become another (`one`). The tool is given the changed files, checked out before. Everything of ours
runs as in a fork of the warm judge, each check in its child, on a bare repository; the push itself is left out, for it
is the same whatever is checked. The picture shows the rows of 50 files.
"""

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2
from check_cases import CASES, Case
from outside_tools import Outside, lay
from ratio_plot import plot

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.folders import Folders
from gitops_hooks.edge.plugins import load_enabled, make_ready
from gitops_hooks.edge.tree import GitTree, changed_files
from gitops_hooks.edge.verdict_cache import Memory
from gitops_hooks.edge.verdict_store import VerdictStore
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.server import Limits, ServerFile
from gitops_hooks.model.verdict import Severity

LIMITS = replace(Limits(), check_seconds=600.0)
STEPS = ("none", "cold", "kept", "one", "tool")


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one case, in the order of STEPS; 0 for a tool that was not run."""

    case: Case
    size: int
    times: tuple[float, ...]

    @property
    def words(self) -> str:
        return f"{self.case.name} ({self.case.outside})"

    @property
    def ratios(self) -> tuple[float, float, float]:
        """How much faster than the tool: cold, kept, and when one file is another."""
        _, cold, kept, one, tool = self.times
        return tool / cold, tool / kept, tool / one


class Bench:
    """A bare repository whose target holds many files, and one change of it at a time."""

    def __init__(self, folder: Path, files: int, outside: Outside) -> None:
        self.folder, self.outside = folder, outside
        self.git2 = pygit2.init_repository(str(folder / "site.git"), bare=True)
        self.many = self.tree({f"docs/d{number // 500}/f{number}.md": b"words\n" for number in range(files)})

    def tree(self, files: Mapping[str, bytes], onto: str = "") -> str:
        index = pygit2.Index()
        if onto:
            index.read_tree(self.git2[onto])
        for path, content in files.items():
            index.add(pygit2.IndexEntry(path, self.git2.create_blob(content), pygit2.enums.FileMode.BLOB))
        return str(index.write_tree(self.git2))

    def judge(self, case: Case, check: Check, base: str, new: str, memory: Memory | None) -> float:
        """Milliseconds until there is a verdict, which must be good."""
        git2 = pygit2.Repository(self.git2.path)
        tree, target = (GitTree(git2, oid, LIMITS.blob_size) for oid in (new, base))
        grounds = Grounds(
            new, tree, target, tree, (Path(git2.path) / "objects",), self.folder / "tools", (self.outside.folder,)
        )
        files = changed_files(Folders(git2), base, new, 20_000)
        change = Change(1, "refs/heads/main", "a" * 40, "b" * 40, files)
        began = time.perf_counter()
        options = {option.name: option.default for option in check.options} | dict(case.options)
        (verdict,) = run_checks([Asked(check, options)], change, grounds, LIMITS, memory)
        spent = (time.perf_counter() - began) * 1000
        bad = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
        assert not verdict.refuses and not bad, verdict
        return spent

    def measure(self, case: Case, check: Check, size: int, code: str, runs: int) -> Row:
        base = self.tree(_bytes(case.target), self.many)
        made = [case.file(number, "") for number in range(size)]
        files = {path: text.encode() for path, text in made}
        new, commands = self.tree(files, base), case.commands([path for path, _ in made])
        found: dict[str, list[float]] = {step: [] for step in STEPS}
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            checkout = lay({**_bytes(case.target), **files}, Path(place))
            if case.check == "pre-commit":
                self.outside.prepare_hooks(checkout, self.folder)
            for run in range(runs):
                path, text = case.file(run % size, f"other {run}")
                other = self.tree({path: text.encode()}, new)
                memory = Memory(VerdictStore(Path(place) / f".kept-{run}", 20_000, 64 * 1024**2), code)
                found["none"].append(self.judge(case, check, base, new, None))
                found["cold"].append(self.judge(case, check, base, new, memory))
                # The second time a check that runs tools is divided more finely; from then on it stays so.
                self.judge(case, check, base, new, memory)
                found["kept"].append(self.judge(case, check, base, new, memory))
                found["one"].append(self.judge(case, check, base, other, memory))
                found["tool"].append(self.outside.run(commands, checkout, self.folder))
        return Row(case, size, tuple(statistics.median(found[step]) for step in STEPS))

    def checked_out(self) -> float:
        """Milliseconds that a hook needs which first writes the whole tree for its tool."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            began = time.perf_counter()
            written = subprocess.Popen(
                ["git", "--git-dir", self.git2.path, "archive", self.many], stdout=subprocess.PIPE
            )
            subprocess.run(["tar", "-x", "-C", place], stdin=written.stdout, check=True)
            assert written.wait() == 0
            return (time.perf_counter() - began) * 1000


def _bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().split("\n")
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())
    cores = f"{len(os.sched_getaffinity(0))} cores of {model}"
    return f"{cores}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def show(rows: list[Row]) -> None:
    head = "| check | tool | files | none | cold | kept | one changed | tool | cold | kept | one changed |"
    print(head, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|", sep="\n")
    for row in rows:
        times = " | ".join(f"{each:,.0f} ms" for each in row.times)
        ratios = " | ".join(f"{each:.1f}x" if each < 100 else f"{each:.0f}x" for each in row.ratios)
        print(f"| {row.case.name} | {row.case.outside} | {row.size} | {times} | {ratios} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 50, 1000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=50_000, help="files of the repository that do not change")
    parser.add_argument("--checks", nargs="+", default=[], help="only rows whose name begins with one of these")
    parser.add_argument("--tools", type=Path, help="a virtual environment with the tools; made where there is none")
    parser.add_argument("--plot", type=Path, help="where to write the picture")
    asked = parser.parse_args()
    plugins = ServerFile().plugins
    make_ready(plugins)  # as the warm judge has them
    checks = load_enabled(plugins).checks()
    code_sign(())
    code = code_sign((*plugins.checks, *plugins.trusted))
    with tempfile.TemporaryDirectory(prefix="checks-") as folder:
        outside = Outside.made_in(asked.tools or Path(folder) / "outside")
        print(machine(), outside.versions(Path(folder)), sep="\n", flush=True)
        bench = Bench(Path(folder), asked.files, outside)
        rows = []
        for case in CASES:
            if not asked.checks or case.name.startswith(tuple(asked.checks)):
                for size in (size for size in asked.sizes if size <= case.most):
                    rows.append(bench.measure(case, checks[case.check], size, code, asked.runs))
                    print(f"{case.name}, {size}:", *(f"{each:.1f}" for each in rows[-1].times), flush=True)
        show(rows)
        if asked.files:
            print(f"writing all {asked.files} files for a tool: {bench.checked_out():.0f} ms")
        if asked.plot:
            title = "How many times faster than the tool alone"
            asked.plot.write_text(
                plot(title, [(row.words, row.ratios[0], row.ratios[2]) for row in rows if row.size == 50])
            )


if __name__ == "__main__":
    main()
