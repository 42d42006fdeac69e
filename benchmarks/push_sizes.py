"""What a push costs by the size of the repository, and by its own: medians of one interleaved run over loopback SSH.

    python benchmarks/push_sizes.py [--runs 5] [--only files changes …] [--large 10000]

By the size of the repository: a proposal of one changed file and the approval that lands it, beside the same two on a
small repository, in turns. The aim is that nothing but what changed is paid for. By the size of the push: so many new
branches, and so many changed YAML files, beside the same push to a bare repository. It takes some four minutes.
Figures are printed and never asserted: seconds drift, ratios hold.
"""

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.push_course import Course, Size, timed

SIZES = {
    "files": ("50,000 files", Size(files=50_000)),
    "commits": ("100,000 commits", Size(commits=100_000)),
    "branches": ("10,000 branches", Size(branches=10_000)),
    "changes": ("20,000 open changes", Size(changes=20_000)),
    "rules": ("200 branch rules", Size(rules=200)),
}


def compare(small: Course, large: Course, runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds of a proposal and of a landing, on the small one and on the large one."""
    found: dict[tuple[Course, str], list[float]] = {}
    for run in range(runs + 1):
        for course in (small, large) if run % 2 else (large, small):
            for name, act in (("proposal", course.proposal), ("landing", course.landing)):
                taken = act()
                if run:
                    found.setdefault((course, name), []).append(taken)
    first, second = (
        [statistics.median(found[course, name]) * 1000 for name in ("proposal", "landing")] for course in (small, large)
    )
    return first, second


def print_repositories(small: Course, names: list[str], runs: int) -> None:
    print(
        "\n| the repository has | proposal | small | ratio | landing | small | ratio |\n|---|" + "---:|" * 6, flush=True
    )
    for name in names:
        title, size = SIZES[name]
        with closing(Course(size, warm=True)) as large:
            few, many = compare(small, large, runs)
        cells = [f"{more:,.0f} ms | {less:,.0f} ms | {more / less:.2f}x" for less, more in zip(few, many, strict=True)]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def print_pushes(course: Course, large: int, runs: int) -> None:
    server = course.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", f"[limits]\nrefs = {large}\n", 1))
    pushes: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        f"{large:,} new branches": (lambda: branches(course, large, bare=True), lambda: branches(course, large)),
        f"{large:,} changed YAML files": (lambda: course.bare_push(large), lambda: course.proposal(large)),
    }
    print("\n| the push has | bare | ours | ratio | for each |\n|---|" + "---:|" * 4, flush=True)
    for name, acts in pushes.items():
        bare, ours = (statistics.median(act() for _ in range(max(1, runs // 2))) for act in acts)
        each = (ours - bare) / large * 1000
        print(f"| {name} | {bare:,.1f} s | {ours:,.1f} s | {ours / bare:.2f}x | {each:+.2f} ms |", flush=True)


def branches(course: Course, count: int, *, bare: bool = False) -> float:
    """Seconds of one push of one commit to so many new branches, which the policy does not name."""
    commit = course.commit()
    course.plain_ssh()
    names = [f"{commit}:refs/heads/wide/{course.count}/{number}" for number in range(count)]
    if bare:
        return timed(lambda: course.plain(commit, names=names))
    return timed(lambda: course.desk.git("alice", "push", "-q", "host:site", *names, seconds=900).must())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=[*SIZES, "pushes"], default=[*SIZES, "pushes"])
    parser.add_argument("--large", type=int, default=10_000)
    words = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, medians of {words.runs}")
    with closing(Course(Size(), warm=True)) as small:
        print_repositories(small, [name for name in words.only if name in SIZES], words.runs)
        if "pushes" in words.only:
            print_pushes(small, words.large, words.runs)


if __name__ == "__main__":
    main()
