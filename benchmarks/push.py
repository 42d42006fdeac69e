"""What governing a push costs: medians of one interleaved run over loopback SSH, as ratios and added milliseconds.

    python benchmarks/push.py [--runs 30] [--clients 1 4 16] [--plot docs/pushes.svg]

Columns: a push to a bare repository without hooks; gitolite3 over the same sshd, where it is installed (apt-get install
gitolite3), which does no more than its access check; ours with the warm judge; ours with hooks that judge by
themselves (warm_seconds = 0). Rows: a branch outside the policy; proposals with 1, 50 and 1,000 changed YAML files; an
approval that lands. Each row has the push of as many files to bare and gitolite beside it. Then proposals a second by
clients that push at once. What large repositories cost, and large pushes, is in push_sizes.py. Some 12 minutes on two
quiet cores; --runs 5 is for a first look. Figures are printed and never asserted: seconds drift, ratios hold.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import gitolite
from benchmarks.push_course import Course, Size
from benchmarks.push_plot import plot

SIZES = (1, 50, 1_000)
Found = dict[str, dict[str, list[float]]]


def acts_of(warm: Course, cold: Course) -> dict[str, dict[str, Callable[[], float]]]:
    """The rows, each with its columns. What lands is what the row before proposed."""
    rows = {"branch outside the policy": columns(warm, cold, 1, Course.free_push)}
    for files in reversed(SIZES):
        name = f"proposal, {files:,} YAML file{'s' if files > 1 else ''}"
        rows[name] = columns(warm, cold, files, lambda course, files=files: course.proposal(files))
    return rows | {"approval that lands": columns(warm, cold, 1, Course.landing)}


def columns(warm: Course, cold: Course, files: int, act: Callable[[Course], float]) -> dict[str, Callable[[], float]]:
    found = {"bare": lambda: warm.bare_push(files)}
    if gitolite.is_installed():
        found["gitolite3"] = lambda: warm.gitolite_push(files)
    return found | {"warm judge": lambda: act(warm), "hooks by themselves": lambda: act(cold)}


def measure(warm: Course, cold: Course, runs: int) -> Found:
    """All in turn, so that a slow moment of the machine meets all of them; the first round is for the caches."""
    rows = acts_of(warm, cold)
    found: Found = {row: {column: [] for column in acts} for row, acts in rows.items()}
    for run in range(runs + 1):
        for row, acts in rows.items():
            # A landing is of the newest change, so the pushes beside it come before; and no column is always first.
            for column in list(acts) if run % 2 else list(reversed(acts)):
                taken = acts[column]()
                if run:
                    found[row][column].append(taken)
    return found


def medians(found: Found) -> dict[str, dict[str, float]]:
    return {row: {name: statistics.median(taken) * 1000 for name, taken in each.items()} for row, each in found.items()}


def print_table(middle: dict[str, dict[str, float]]) -> None:
    names = list(next(iter(middle.values())))
    print("\nMilliseconds (ratio to bare; added)\n", flush=True)
    print("| push | " + " | ".join(names) + " |\n|---|" + "---:|" * len(names))
    for row, each in middle.items():
        bare = each["bare"]
        cells = [f"{each[name]:,.0f} ms ({each[name] / bare:.2f}x, {each[name] - bare:+,.0f})" for name in names[1:]]
        print(f"| {row} | {bare:,.0f} ms | " + " | ".join(cells) + " |", flush=True)


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
    print("\n| proposals a second, clients at once | bare | warm judge | hooks by themselves |\n|---|---:|---:|---:|")
    for count in clients:
        bare, ours, itself = at_once(warm, count, bare=True), at_once(warm, count), at_once(cold, count)
        cells = [f"{each:.1f} ({each / bare:.2f}x)" for each in (ours, itself)]
        print(f"| {count} | {bare:.1f} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--plot", type=Path, help="write the ratios of the first table there, as SVG")
    words = parser.parse_args()
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {git}, medians of {words.runs}")
    if not gitolite.is_installed():
        print("gitolite3 is not installed, and its column is left out: apt-get install gitolite3")
    with ExitStack() as stack:
        warm, cold = (Course(Size(), warm=is_warm) for is_warm in (True, False))
        stack.callback(warm.close)
        stack.callback(cold.close)
        middle = medians(measure(warm, cold, words.runs))
        print_table(middle)
        if words.plot:
            words.plot.write_text(plot("A push over SSH, as a multiple of a push to a bare repository", middle))
        if words.clients:
            print_clients(warm, cold, words.clients)


if __name__ == "__main__":
    main()
