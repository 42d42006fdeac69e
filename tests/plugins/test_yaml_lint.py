# ruff: noqa: E501  # a table is read along its lines
"""The check `yaml` asks yamllint where the target branch carries rules for it; its words are those of yamllint 1.38."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from gitops_hooks.plugin import Finding, Ran, Severity, Tree
from gitops_hooks.plugins.yaml_check import gitops_checks
from gitops_hooks.testing import MemoryTree, a_change

(CHECK,) = gitops_checks()
SAID = """\
./a b.yml:1:1: [warning] missing document start "---" (document-start)
./a b.yml:1:5: [error] too many spaces after colon (colons)
"""


@dataclass
class BenchWithYamllint:
    """A workbench whose yamllint has said this already, and that keeps what it was asked."""

    target: Tree
    ran: Ran = field(default_factory=lambda: Ran(0, b"", b""))
    there: bool = True
    options: Mapping[str, object] = field(default_factory=dict)
    asked: list[tuple[list[str], list[str], dict[str, bytes]]] = field(default_factory=list)

    def tool(self, name: str) -> str | None:
        return "/usr/bin/yamllint" if self.there and name == "yamllint" else None

    def run(self, command: Sequence[str], *, files: Iterable[str], given: Mapping[str, bytes]) -> Ran:
        self.asked.append((list(command), list(files), dict(given)))
        return self.ran

    def say(self, text: str) -> None:
        return


def findings(bench: BenchWithYamllint, files: Mapping[str, bytes]) -> list[Finding]:
    tree = MemoryTree(files)
    return list(CHECK.run(a_change(tree), tree, bench))


def test_what_yamllint_says_is_told_with_path_line_and_level():
    bench = BenchWithYamllint(MemoryTree({".yamllint": b"extends: default\n"}), Ran(1, SAID.encode(), b""))
    assert findings(bench, {"a b.yml": b"a:   1\n"}) == [
        Finding(
            "a b.yml", 1, 'missing document start "---" (document-start); yamllint, by .yamllint', Severity.WARNING
        ),
        Finding("a b.yml", 1, "too many spaces after colon (colons); yamllint, by .yamllint"),
    ]
    assert bench.asked == [
        (
            ["yamllint", "-f", "parsable", "-c", "/given/rules", "--", "./a b.yml"],
            ["a b.yml"],
            {"rules": b"extends: default\n"},
        )
    ]


def test_only_sound_files_of_yaml_are_given_to_it():
    bench = BenchWithYamllint(MemoryTree({".yamllint.yaml": b"extends: relaxed\n"}))
    files = {
        "bad.yml": b"a: b: c\n",
        "good.yaml": b"a: 1\n",
        "x/templates/t.yml": b"a: {{ b }}\n",
        "v.yml": b"$ANSIBLE_VAULT;",
    }
    assert [finding.path for finding in findings(bench, files)] == ["bad.yml"]
    assert [files for _, files, _ in bench.asked] == [["good.yaml"]]


def test_rules_that_come_with_the_push_count_for_nothing():
    bench = BenchWithYamllint(MemoryTree({}))
    assert findings(bench, {".yamllint": b"rules: {}\n", "a.yml": b"a:   1\n"}) == []
    assert bench.asked == []


def test_a_server_without_yamllint_says_that_the_rules_were_not_applied():
    bench = BenchWithYamllint(MemoryTree({".yamllint": b"extends: default\n"}), there=False)
    words = "these rules were not applied: this server has no yamllint for its checks"
    assert findings(bench, {"a.yml": b"a: 1\n"}) == [Finding(".yamllint", 0, words, Severity.WARNING)]


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (b"extends: relaxed\nignore-from-file: .gitignore\n", b'extends: relaxed\nignore:\n  - "ign/"\n  - "*.gen.yml"\n'),
        (b"ignore-from-file:\n  - .gitignore\n  - gone\nrules: {}\n", b'ignore:\n  - "ign/"\n  - "*.gen.yml"\nrules: {}\n'),
        (b"ignore-from-file: gone\nrules: {}\n", b"rules: {}\n"),
    ],
)  # fmt: skip
def test_files_with_what_is_ignored_are_read_from_the_target_branch(rules, given):
    target = {".yamllint": rules, ".gitignore": b"# made\nign/\n\n*.gen.yml\n"}
    bench = BenchWithYamllint(MemoryTree(target))
    assert findings(bench, {"a.yml": b"a: 1\n", ".gitignore": b"*\n"}) == []
    assert [each for _, _, each in bench.asked] == [{"rules": given}]


@pytest.mark.parametrize(
    ("rules", "ran", "finding"),
    [
        (b"a: b: c\n", None, Finding(".yamllint", 1, "mapping values are not allowed in this context")),
        (
            b"rules:\n  x: 1\nextends: lint/all.yml\n",
            None,
            Finding(
                ".yamllint",
                3,
                "extends a file, which is not followed, so no rule was applied; write its rules here",
                Severity.WARNING,
            ),
        ),
        (
            b"rules: {x: enable}\n",
            Ran(255, b"", b'invalid config: no such rule: "x"\n'),
            Finding(".yamllint", 0, 'yamllint cannot follow these rules: invalid config: no such rule: "x"'),
        ),
        (b"rules: {}\n", Ran(139, b"", b""), Finding(".yamllint", 0, "yamllint cannot follow these rules: it ended with 139")),
        (b"[" * 25_000, None, Finding(".yamllint", 1, "nested deeper than 64 levels")),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_followed_are_told(rules, ran, finding):
    bench = BenchWithYamllint(MemoryTree({".yamllint": rules}), ran or Ran(0, b"", b""))
    assert findings(bench, {"a.yml": b"a: 1\n"}) == [finding]
    assert bool(bench.asked) == (ran is not None)


def test_many_files_are_given_in_several_runs():
    bench = BenchWithYamllint(MemoryTree({".yamllint": b"rules: {}\n"}))
    findings(bench, {f"{number}.yml": b"a: 1\n" for number in range(1001)})
    assert [len(files) for _, files, _ in bench.asked] == [500, 500, 1]
