"""What judging one large change costs, warm, and which part takes how much of it.

    python benchmarks/judge.py [--files 1000] [--commits 200] [--rules 50] [--lines 2000] [--dialect github] [--runs 5]
        [--bounds 50]

One repository on this machine: a branch with that many approval rules, as many rules full of `files` and `commits` as
`bounds` says, and a CODEOWNERS of that many lines; and a change of that many files in that many commits. It is judged
in one process again and again; nothing is pushed. Figures are printed and never asserted: milliseconds drift, shares
hold.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pygit2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gitops_hooks.core.approve import contributors
from gitops_hooks.core.bounded import judge_content
from gitops_hooks.core.decide import judge_landing
from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.index import passing_index
from gitops_hooks.edge.ledger import Ledger
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.entry import demanding, matter
from gitops_hooks.entry.content import read_content
from gitops_hooks.entry.demanding import find_demands, known_owners
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.people import People, Person
from gitops_hooks.model.record import Standing
from gitops_hooks.model.server import Limits, RepositoryEntry, ServerFile

MAIN = "refs/heads/main"
PLACES = {"github": ".github/CODEOWNERS", "gitlab": "CODEOWNERS", "gitea": "CODEOWNERS"}
PEOPLE = People(tuple(Person(f"p{number}", (), (f"p{number}@example.org",)) for number in range(100)))


def match_of(number: int) -> str:
    """One of 64 globs that match main."""
    letters = "".join("?" if number >> at & 1 else letter for at, letter in enumerate("main"))
    return f"{'*' * (number >> 4 & 1)}{letters}{'*' * (number >> 5 & 1)}"


def bounds_text(rules: int) -> str:
    """That many rules more for the branch, each full of what it asks of commits and files."""
    return "".join(
        f"""\
  - match: '{match_of(number)}'
    propose: ['*']
    land: ['*']
    commits: {{must: ['^Part [0-9]{{1,{number + 3}}}'], must_not: ['(?i)wip{number}', 'fixup!{number}'], signoff: true}}
    files:
      max_size: {number + 1}M
      max_files: 5000
      max_path: {200 + number}
      forbidden: ['vendor{number}/**', '**/*.pem{number}', 'roles/*/keys{number}/**', '**/Schlüssel{number}*']
      allowed: ['roles/**', '**/*.yml', 'docs{number}/**', '.gitops/**']
      forbidden_extensions: [exe{number}]
      allowed_extensions: [yml, yaml, j{number}]
"""
        for number in range(1, rules + 1)
    )


def policy_text(rules: int, dialect: str, bounds: int) -> bytes:
    entries = "".join(
        f"      - {{count: 1, from: [p{number % 100}], paths: ['roles/r{number}/**', '**/*.r{number}']}}\n"
        for number in range(rules - 1)
    )
    return f"""\
version: 1
branches:
  - match: main
    propose: ['*']
    land: ['*']
    owners: {{dialect: {dialect}}}
    keep: trivial-rebase
    strict: [every-revision]
    approvals:
{entries}      - {{count: 2, reach: {{hosts: '>5'}}}}
{bounds_text(bounds)}\
environments:
  - {{name: staging, branch: main, playbook: site.yml, inventory: inventories/staging}}
""".encode()


def owners_text(lines: int, dialect: str) -> bytes:
    spellings = {
        "github": ("/roles/r{0}/ @p{1}", "r{0}.yml @p{1}", "*.x{0} @p{1}", "/roles/*/tasks/t{0}.yml @p{1}"),
        "gitlab": ("/roles/r{0}/ @p{1}", "r{0}.yml @p{1}", "*.x{0} @p{1}", "/roles/*/tasks/t{0}.yml @p{1}"),
        "gitea": (
            "roles/r{0}/.* @p{1}",
            ".*/r{0}\\.yml @p{1}",
            ".*\\.x{0} @p{1}",
            "roles/[^/]+/tasks/t{0}\\.yml @p{1}",
        ),
    }[dialect]
    return "\n".join(spellings[at % 4].format(at // 4, at % 100) for at in range(lines)).encode()


def hosts_text() -> bytes:
    return b"[web]\nweb[001:400]\n[db]\ndb[01:40]\n"


def write_tree(git2: pygit2.Repository, files: dict[str, bytes]) -> pygit2.Oid:
    index = pygit2.Index()
    for path, content in files.items():
        index.add(pygit2.IndexEntry(path, git2.create_blob(content), pygit2.enums.FileMode.BLOB))
    return index.write_tree(git2)


_SIGNED = "\nSigned-off-by: p1 <p1@example.org>\n"


def lay(folder: Path, asked: argparse.Namespace) -> tuple[Repository, str, str]:
    """The branch's tip and the head of the change."""
    git2 = pygit2.init_repository(str(folder), bare=True)
    sign = pygit2.Signature("p1", "p1@example.org", 1, 0)
    files = {
        ".gitops/policy.yaml": policy_text(asked.rules, asked.dialect, asked.bounds),
        PLACES[asked.dialect]: owners_text(asked.lines, asked.dialect),
        "inventories/staging/hosts": hosts_text(),
        "site.yml": b"- hosts: all\n",
    }
    tip = git2.create_commit(MAIN, sign, sign, "The site\n", write_tree(git2, files), [])
    head = tip
    for number in range(asked.commits):
        for each in range(number, asked.files, asked.commits):
            files[f"roles/r{each}/tasks/t{each % 7}.yml"] = f"- name: {each}\n".encode()
        head = git2.create_commit(None, sign, sign, f"Part {number}\n{_SIGNED}", write_tree(git2, files), [head])
    return open_repository(folder, Limits()), str(tip), str(head)


class Shares:
    """Wall time by part, of one judgement."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.spent[part] = self.spent.get(part, 0.0) + time.perf_counter() - began


def sitting_on(repository: Repository, tip: str) -> Sitting:
    """Only what judging one head asks of an open push; the record and the plugins are not part of this figure."""
    policy = parse_policy(repository.file(tip, ".gitops/policy.yaml", 1 << 20) or b"", commit=tip, known=PEOPLE.names)
    entry = RepositoryEntry("site", repository.path, "r" * 32)
    standing = Standing(MAIN, tip, tip, "")
    clock = Ledger(None, None, None, lambda: datetime.now(UTC))  # type: ignore[arg-type]
    record = Record(repository, entry.id, None, passing_index())  # type: ignore[arg-type]
    parts = (ServerFile(), entry, PEOPLE, None, repository, record, clock, standing, policy)
    return Sitting(None, *parts)  # type: ignore[arg-type]


def judge(sitting: Sitting, head: str) -> Callable[[], int]:
    governing = govern(sitting.policy, MAIN)
    assert governing is not None

    def run() -> int:
        found = gather(sitting, governing, sitting.default, head, frozenset({"p2"}), None)
        assert isinstance(found, matter.Matter), found
        return len(judge_landing(found.case, "p3"))

    return run


def shares_of(sitting: Sitting, head: str) -> dict[str, float]:
    """The same steps one by one."""
    shares, repository = Shares(), sitting.repository
    governing = govern(sitting.policy, MAIN)
    assert governing is not None
    with shares.timed("range: walk and read the commits"):
        span = repository.range(sitting.default.real, head)
    with shares.timed("merge: the tree and the paths that differ"):
        merged = repository.merge(span)  # type: ignore[arg-type]
    with shares.timed("contributors"):
        contributors(span.commits, ["p2"], PEOPLE)  # type: ignore[union-attr]
    paths = tuple(file.path for file in merged.files)  # type: ignore[union-attr]
    with shares.timed("reach"):
        trees = (repository.tree_of(sitting.default.real), merged.tree)  # type: ignore[union-attr]
        reached = demanding.find_reach(repository, sitting.policy, MAIN, trees, paths)
    with shares.timed("rules by path and reach"):
        governing.approval_rules(paths, reached)
    with shares.timed("demands: all rules, reach and code owners"):
        found = find_demands(repository, governing, span, merged, known_owners(PEOPLE))  # type: ignore[arg-type]
    with shares.timed("content: read what each commit brings"):
        content = read_content(sitting, governing, span, frozenset({"p2"}), None)  # type: ignore[arg-type]
    with shares.timed("content: rules about commits and files"):
        judge_content(governing, content, paths, found.links)  # type: ignore[arg-type]
    owners = shares.spent["demands: all rules, reach and code owners"]
    del shares.spent["demands: all rules, reach and code owners"]
    shares.spent[f"code owners ({len(found.rules)} rules asked)"] = owners - sum(
        shares.spent[part] for part in ("reach", "rules by path and reach")
    )
    return shares.spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (
        ("files", 1000),
        ("commits", 200),
        ("rules", 50),
        ("lines", 2000),
        ("bounds", 50),
        ("runs", 5),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dialect", choices=sorted(PLACES), default="github")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository, tip, head = lay(Path(folder) / "site.git", asked)
        sitting = sitting_on(repository, tip)
        run = judge(sitting, head)
        run()
        times, cpu = [], []
        for _ in range(asked.runs):
            began, before = time.perf_counter(), time.process_time()
            requirements = run()
            times.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - before) * 1000)
        print(
            f"{asked.files} files, {asked.commits} commits, {asked.rules} rules, CODEOWNERS ({asked.dialect}) of "
            f"{asked.lines} lines, {asked.bounds} rules about content: {requirements} requirements judged"
        )
        print(
            f"warm: {min(times):.1f} ms at best, {statistics.median(times):.1f} ms median of {asked.runs}; "
            f"{min(cpu):.1f} ms of it on the CPU"
        )
        spent = shares_of(sitting, head)
        for part, seconds in sorted(spent.items(), key=lambda one: -one[1]):
            print(f"  {seconds * 1000:7.1f} ms  {seconds / sum(spent.values()):4.0%}  {part}")


if __name__ == "__main__":
    main()
