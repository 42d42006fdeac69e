"""Whose approval a path needs, in the words of three dialects; and what keeps a file from being used."""

import time

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.expressions import Expressions, literal_ends
from gitops_hooks.core.globs import matches
from gitops_hooks.core.owners import deciding_lines, owned, owners_faults, parse_owners, people_of, touches_owners
from gitops_hooks.core.path_pattern import PatternIndex
from gitops_hooks.model.owners import Known
from gitops_hooks.model.policy import Dialect, OwnersRule, Policy
from gitops_hooks.model.verdict import Status

KNOWN = Known(frozenset({"alice", "bob", "carol"}), (("bob", "bob@example.org"), ("carol", "c@x.org")))
POLICY = Policy("p" * 40, (("senior", ("bob", "carol")), ("gone", ("zoe",))), (), ())


def rule(dialect):
    return OwnersRule(Dialect(dialect), "", "policy.yaml:5")


def lines_for(dialect, text, path):
    parsed = parse_owners(rule(dialect), "CODEOWNERS", text.encode())
    assert parsed.faults == ()
    return [line.line for line in deciding_lines(rule(dialect), parsed)(path)]


GITHUB = [
    ("*", "a/b", True),
    ("*", "a", True),
    ("*.js", "a.js", True),
    ("*.js", "deep/er/a.js", True),
    ("*.js", "a.json", False),
    ("/build/logs/", "build/logs/x/y", True),
    ("/build/logs/", "deep/build/logs/x", False),
    ("/build/logs/", "build/logs", False),
    ("docs/*", "docs/a.md", True),
    ("docs/*", "docs/sub/a.md", False),
    ("docs/*", "deep/docs/a.md", False),
    ("apps/", "apps/x", True),
    ("apps/", "deep/apps/x/y", True),
    ("apps/", "apps", False),
    ("/docs/", "docs/x", True),
    ("**/logs", "build/logs/x", True),
    ("**/logs", "logs", True),
    ("docs", "deep/docs/x", True),
    ("docs", "deep/docs", True),
    ("docs", "mydocs", False),
    ("/apps/github", "apps/github/x", True),
    ("docs/**", "docs/a/b", True),
    ("docs/**", "docs", False),
    ("a/**/b", "a/b/c", True),
    ("a/**/b", "a/x/y/b", True),
    ("/*", "a", True),
    ("/*", "a/b", False),
    ("host?.yml", "x/host1.yml", True),
    ("a**b", "a/b", False),
    ("a**b", "axyb", True),
    ("Docs/", "docs/x", False),
    ("a\\ b", "x/a b", True),
    ("*.tar.gz", "x/a.tar.gz", True),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), GITHUB)
def test_a_pattern_of_githubs(pattern, path, fits):
    assert lines_for("github", f"{pattern} @bob", path) == ([1] if fits else [])


GITLAB = [
    ("*", "a/b", True),
    ("README.md", "deep/README.md", True),
    ("/README.md", "deep/README.md", False),
    ("docs/", "deep/docs/a/b", True),
    ("/docs/", "deep/docs/a", False),
    ("docs", "docs/a", False),
    ("/docs/*", "docs/a", True),
    ("/docs/*", "docs/a/b", False),
    ("/docs/**/index.md", "docs/a/b/index.md", True),
    ("/docs/**/index.md", "docs/index.md", True),
    ("/docs/**", "docs/a/b", True),
    ("docs/*.md", "deep/docs/a.md", True),
    ("*.rb", "a/b.rb", True),
    ("\\#file", "#file", True),
    ("path\\ with/", "path with/x", True),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), GITLAB)
def test_a_pattern_of_gitlabs(pattern, path, fits):
    assert lines_for("gitlab", f"{pattern} @bob", path) == ([1] if fits else [])


GITEA = [
    (".*", "a/b", True),
    (".*\\.js", "a/b.js", True),
    (".*\\.js", "a/b.json", False),
    ("docs/.*", "deep/docs/a", False),
    ("!docs/.*", "a", True),
    ("!docs/.*", "docs/a", False),
    ("(a|b)/[0-9]+", "b/12", True),
    (".*", "a\nb", True),
    ("a\\ b", "a b", True),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), GITEA)
def test_an_expression_of_giteas(pattern, path, fits):
    assert lines_for("gitea", f"{pattern} @bob", path) == ([1] if fits else [])


def test_at_github_the_last_match_wins_and_may_take_owners_away():
    text = "# all\n* @bob\n\n/a/ @carol # mine\n/a/free/\n"
    parsed = parse_owners(rule("github"), "CODEOWNERS", text.encode())
    assert [line.owners for line in parsed.lines] == [("@bob",), ("@carol",), ()]
    decide = deciding_lines(rule("github"), parsed)
    assert [decide(path)[0].line for path in ("x", "a/x", "a/free/x")] == [2, 4, 5]


SECTIONS = """\
* @bob
[Docs] @carol
docs/
/docs/own.md @alice
^[Hints] @alice
*.md
[Ops][2] @senior
ops/
!ops/free/
[docs]
*.rst @bob
"""


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("x", [1]),
        ("docs/a", [1, 3]),
        ("docs/own.md", [1, 4]),
        ("docs/a.rst", [1, 11]),
        ("ops/x", [1, 8]),
        ("ops/free/x", [1]),
    ],
)
def test_at_gitlab_each_section_has_its_last_match(path, lines):
    assert sorted(lines_for("gitlab", SECTIONS, path)) == lines


def test_a_section_gives_its_owners_and_its_count_to_its_lines():
    lines = {line.line: line for line in parse_owners(rule("gitlab"), "CODEOWNERS", SECTIONS.encode()).lines}
    assert [(lines[at].owners, lines[at].count, lines[at].optional) for at in (1, 3, 4, 6, 8)] == [
        (("@bob",), 1, False),
        (("@carol",), 1, False),
        (("@alice",), 1, False),
        (("@alice",), 1, True),
        (("@senior",), 2, False),
    ]


def test_at_gitea_every_line_that_matches_asks_its_owners():
    assert lines_for("gitea", ".* @bob\ndocs/.* @carol\n!.*\\.md @alice", "docs/x") == [1, 2, 3]


@pytest.mark.parametrize(
    ("owner", "people"),
    [
        ("@bob", {"bob"}),
        ("@senior", {"bob", "carol"}),
        ("@org/senior", {"bob", "carol"}),
        ("@org/bob", set()),
        ("@zoe", set()),
        ("@gone", set()),
        ("c@x.org", {"carol"}),
        ("x@x.org", set()),
    ],
)
def test_who_an_owner_is(owner, people):
    assert people_of(owner, POLICY, KNOWN) == people


def asked(dialect, text, *paths, known=KNOWN):
    return owned(rule(dialect), parse_owners(rule(dialect), "CODEOWNERS", text.encode()), paths, POLICY, known)


def test_one_rule_for_each_set_of_owners_that_is_asked():
    answer = asked("github", "* @bob\n/a/ @senior\n/b/ @bob\n/c/", "a/1", "a/2", "b/x", "x", "c/x")
    assert [(one.count, one.sources.items, one.words, one.place) for one in answer.rules] == [
        (1, ("bob", "carol"), "@senior (code owners of a/1 and 1 more)", "CODEOWNERS:2, policy.yaml:5"),
        (1, ("bob",), "@bob (code owners of b/x and 1 more)", "CODEOWNERS:3, policy.yaml:5"),
    ]
    assert (answer.faults, {one.rule for one in answer.rules}) == ((), {"owners"})


def test_a_path_without_owners_asks_nobody():
    assert asked("github", "/a/ @bob", "x").rules == ()


def test_a_path_whose_owners_are_nobody_is_an_error():
    answer = asked("github", "* @bob\n/a/ @zoe @gone", "x", "a/b\n")
    (fault,) = answer.faults
    assert (fault.status, fault.holds, fault.place) == (Status.ERROR, False, "CODEOWNERS:2, policy.yaml:5")
    assert fault.reason == (
        "The owners of a/b\\n are @zoe or @gone: no person whom the server knows. Nobody can approve it."
    )


def test_one_known_owner_is_enough():
    assert asked("github", "* @zoe @bob", "x").rules[0].sources.items == ("bob",)


def test_a_path_that_is_not_utf8_is_an_error():
    (fault,) = asked("github", "* @bob", "a\udcff").faults
    assert (fault.status, fault.reason) == (
        Status.ERROR,
        "a\\udcff is not UTF-8, and nobody can say who owns it.",
    )


def test_a_broken_file_says_nothing_and_passes_only_what_mends_it():
    (fault,) = asked("github", "* bob", "x").faults
    assert (fault.status, fault.reason) == (
        Status.ERROR,
        "CODEOWNERS:1: 'bob' is no owner; write @name, @group or an address. Propose a change that mends this file "
        "alone.",
    )
    assert asked("github", "* bob", "CODEOWNERS").faults == ()
    assert asked("github", "* bob", "CODEOWNERS", "x").faults != ()


def test_judged_again_whoever_is_named_owns_and_addresses_come_from_the_record():
    again = Known(None, (("bob", "bob@example.org"),))
    assert asked("github", "* @zoe bob@example.org c@x.org", "x", known=again).rules[0].sources.items == ("bob", "zoe")


@pytest.mark.parametrize(
    ("dialect", "text", "faults"),
    [
        ("github", "!a @bob", ["CODEOWNERS:1: the pattern '!a' begins with !, which GitHub does not read"]),
        ("github", "[ab] @bob", ["CODEOWNERS:1: the pattern '[ab]' may hold no [ ] and no \\ but before a blank or #"]),
        ("github", "a//b @bob", ["CODEOWNERS:1: the pattern 'a//b' has an empty part, . or .."]),
        ("github", "/ @bob", ["CODEOWNERS:1: the pattern '/' names nothing"]),
        (
            "github",
            "* @zoe\n\n/a/ bob",
            [
                "CODEOWNERS:1: @zoe is no person of this server and no group of the policy with one",
                "CODEOWNERS:3: 'bob' is no owner; write @name, @group or an address",
            ],
        ),
        (
            "github",
            "* @bob x@x.org",
            ["CODEOWNERS:1: x@x.org is no person of this server and no group of the policy with one"],
        ),
        ("gitlab", "[Docs\n* @bob", ["CODEOWNERS:1: '[Docs' is no section; write [Name], ^[Name] or [Name][2]"]),
        (
            "gitlab",
            "^[Docs][2]\n* @senior",
            ["CODEOWNERS:1: the section 'Docs' is optional and counts; it can be one of both"],
        ),
        ("gitlab", "[A][3] @senior\n*", ["CODEOWNERS:2: 3 approvals, but 2 could give one"]),
        ("gitlab", "* @@developer", ["CODEOWNERS:1: '@@developer' is no owner; write @name, @group or an address"]),
        ("gitea", "(a @bob", ["CODEOWNERS:1: the expression '(a' is no pattern of RE2: missing ): (a"]),
        (
            "gitea",
            "(a)\\1 @bob",
            ["CODEOWNERS:1: the expression '(a)\\1' is no pattern of RE2: invalid escape sequence: \\1"],
        ),
    ],
)
def test_what_keeps_a_file_from_being_used_is_told_line_by_line(dialect, text, faults):
    parsed = parse_owners(rule(dialect), "CODEOWNERS", text.encode())
    assert [f"{parsed.path}:{fault.line}: {fault.message}" for fault in owners_faults(parsed, POLICY, KNOWN)] == faults


@pytest.mark.parametrize("text", [b"a @bob\n\xff @bob", b"x" * (600 * 1024), b"\n" * 20_001])
def test_a_file_that_cannot_be_read_has_a_fault(text):
    assert parse_owners(rule("github"), "CODEOWNERS", text).faults


def test_which_paths_touch_the_file_of_owners():
    github = (rule("github"),)
    assert touches_owners(github, ["CODEOWNERS"]) and touches_owners(github, [".github"])
    assert not touches_owners(github, [".github/x", "x/CODEOWNERS"])


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(.*)*x", "(a?){30}a{30}"])
def test_no_expression_takes_long(pattern):
    text = "\n".join(f"{pattern} @bob" for _ in range(50))
    began = time.monotonic()
    lines_for("gitea", text, "a" * 5000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("pattern", "ends"),
    [
        ("docs/a\\.md", ("docs/a.md", "docs/a.md")),
        ("docs/.*\\.md", ("docs/", ".md")),
        ("docs/x?.md", ("docs/", "md")),
        ("a{0}b", ("", "b")),
        ("ab*", ("a", "")),
        ("(a)b", ("", "b")),
        ("(?i)docs/a", ("", "")),
        ("docs/a|b", ("", "")),
        ("a\\d/b", ("a", "/b")),
        ("[ab]/[]c]/d", ("", "/d")),
        ("\\Qa.b", ("", "")),
    ],
)
def test_what_is_literal_at_the_ends_of_an_expression(pattern, ends):
    assert literal_ends(pattern) == ends


PIECES = st.sampled_from(["a", "b/", "\\.", ".", ".*", "a?", "[ab]", "(a)", "(a|b)", "x\\.y", "/", "b{0,2}", "a+"])


@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=5).map("".join), min_size=1, max_size=5),
    st.text("ab/.xy", min_size=1),
)
def test_expressions_together_match_what_each_alone_would(patterns, path):
    alone = [number for number, pattern in enumerate(patterns) if re2.fullmatch(pattern, path)]
    assert Expressions(patterns).matching(path) == alone


PART = st.sampled_from(["a", "b", "*", "**", "?", "*.x", "a.x", "ab"])
PATTERNS = st.lists(st.lists(PART, min_size=1, max_size=4).map("/".join), min_size=1, max_size=8)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "a.x", "x"]), min_size=1, max_size=4).map("/".join)


@given(PATTERNS, PATHS)
def test_the_index_finds_what_each_pattern_alone_would(patterns, path):
    plain = [number for number, pattern in enumerate(patterns) if matches(pattern, path)][::-1]
    index = PatternIndex(patterns)
    assert index.matching(path) == plain
    assert index.last_match(path) == (plain[0] if plain else None)
