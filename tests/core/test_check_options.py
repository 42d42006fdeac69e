"""What the policy says about checks: every fault with its place, and each value as the check declares it."""

import pytest

from gitops_hooks.core.check_options import bind_options, options_for
from gitops_hooks.core.floor import Lines, parse_floor, read_floor, with_floor
from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.options import Option, OptionKind
from tests.core.records import MAIN

OPTIONS = (
    Option("prefix", OptionKind.TEXT, "acme-", "how names begin", choices=("acme-", "test-")),
    Option("most", OptionKind.NUMBER, 3, "how many", least=1, most=9),
    Option("loud", OptionKind.TRUTH, False, "whether to shout"),
    Option("words", OptionKind.TEXTS, (), "what is allowed"),
    Option("where", OptionKind.GLOBS, ("**",), "what is looked at"),
    Option("names", OptionKind.MAP, {}, "who is who"),
    Option("schemas", OptionKind.LISTS, {}, "schema and globs"),
    Option("rules", OptionKind.RECORDS, (), "rules", fields=("says", "why?")),
)
DECLARED = {"naming": OPTIONS, "yaml": (), "run": (Option("command", OptionKind.TEXT, None, "what is run"),)}
DEFAULTS = {option.name: option.default for option in OPTIONS}
BEGIN = "version: 1\nbranches:\n- {match: main, checks: [naming]}\n"


def policy(said: str, declared=DECLARED):
    """A policy whose `checks:` begins on line 4."""
    return parse_policy((BEGIN + said).encode(), commit="c" * 40, known=None, checks=declared)


def faults(said: str, declared=DECLARED) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        policy(said, declared)
    return str(raised.value).replace(".gitops/", "").split("\n")


def bound(said: str):
    return bind_options("naming", OPTIONS, options_for(govern(policy(said), MAIN), "naming"))


def test_without_a_word_in_the_policy_every_option_has_its_default():
    assert bound("") == (DEFAULTS, ())
    assert bound("checks: {yaml: {}}") == (DEFAULTS, ())


def test_each_option_has_the_value_that_stands_in_the_policy():
    said = """\
checks:
  naming:
    prefix: test-
    most: 9
    loud: yes
    words: [a, 'b c']
    where: ['roles/**']
    names: {web: alice}
    schemas: {a.json: ['**/*.yml', x]}
    rules:
    - {says: 'no', why: never}
    - {says: maybe}
"""
    assert bound(said) == (
        {
            "prefix": "test-",
            "most": 9,
            "loud": True,
            "words": ("a", "b c"),
            "where": ("roles/**",),
            "names": {"web": "alice"},
            "schemas": {"a.json": ("**/*.yml", "x")},
            "rules": ({"says": "no", "why": "never"}, {"says": "maybe"}),
        },
        (),
    )


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("checks: []", ["checks must be a mapping, not a list"]),
        ("checks: {naming: []}", ["checks: naming must be a mapping, not a list"]),
        ("checks: {naming: {}, naming: {}}", ["duplicate key 'naming', first on line 4"]),
        ("checks: {Naming: {}}", ["checks: 'Naming' is not the name of a check"]),
        ("checks: {1: {}}", ["checks: a key must be text"]),
        ("checks: {spelling: {}}", ["there is no check spelling on this server; there are: naming, run, yaml"]),
        ("checks: {yaml: {deep: 1}}", ["check yaml has no option 'deep'; it takes none"]),
        (
            "checks: {naming: {x: 1}}",
            [
                "check naming has no option 'x'; it takes: prefix, most, loud, words, where, names, schemas, rules",
            ],
        ),
        ("checks: {naming: {<<: {most: 1}}}", ["checks: naming: merge keys (<<) are refused; write the entries out"]),
        (
            "checks: {naming: {prefix: 1.5}}",
            ["checks: naming: prefix must be text, not a fraction; write it in quotes"],
        ),
        ("checks: {naming: {prefix: ''}}", ["checks: naming: prefix: '' is not text that says something"]),
        ("checks: {naming: {prefix: a}}", ["checks: naming: prefix: 'a' is not one of acme-, test-"]),
        ("checks: {naming: {most: yes}}", ["checks: naming: most must be a number, not yes or no"]),
        ("checks: {naming: {most: 0}}", ["checks: naming: most: '0' is not a whole number from 1 to 9"]),
        ("checks: {naming: {most: 010}}", ["checks: naming: most: '010' is not a whole number from 1 to 9"]),
        ("checks: {naming: {loud: 1}}", ["checks: naming: loud must be yes or no, not a number"]),
        ("checks: {naming: {words: a}}", ["checks: naming: words must be a list, not text"]),
        ("checks: {naming: {words: [1]}}", ["checks: naming: words must be text, not a number; write it in quotes"]),
        ("checks: {naming: {where: [/a]}}", ["checks: naming: where: '/a' must be relative to the repository"]),
        ("checks: {naming: {names: [a]}}", ["checks: naming: names must be a mapping, not a list"]),
        ("checks: {naming: {names: {a: [b]}}}", ["checks: naming: names: a must be text, not a list"]),
        ("checks: {naming: {schemas: {a: b}}}", ["checks: naming: schemas: a must be a list, not text"]),
        ("checks: {naming: {rules: [{why: b}]}}", ["checks: naming: rules: says must be there"]),
        (
            "checks: {naming: {rules: [{says: a, who: b}]}}",
            ["checks: naming: rules: unknown 'who'; allowed here: says, why"],
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_and_the_cure(said, found):
    assert faults(said) == [f"policy.yaml:4: {line}" for line in found]


def test_all_faults_of_all_checks_are_told_at_once():
    said = "checks:\n  naming:\n    most: 99\n    x: 1\n    loud: 7\n  yaml: {y: 1}\n"
    assert [line.partition(": ")[0] for line in faults(said)] == [f"policy.yaml:{n}" for n in (6, 7, 8, 9)]


def test_a_check_that_needs_an_option_is_refused_where_a_rule_asks_for_it():
    text = b"version: 1\nbranches:\n- match: main\n  checks: [run]\n"
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, commit="c" * 40, known=None, checks=DECLARED)
    words = "check run needs its option command; write at the top checks: {run: {command: …}}"
    assert str(raised.value) == f".gitops/policy.yaml:4: {words}"
    assert parse_policy(text + b"checks: {run: {command: make}}\n", commit="c" * 40, known=None, checks=DECLARED)


def test_the_policy_in_force_is_held_against_the_check_as_it_is_today():
    """A plugin that was replaced must not run with options that it does not know."""
    written = policy("checks:\n  naming:\n    prefix: test-\n", None).options[0]
    values, found = bind_options("naming", DECLARED["run"], written)
    assert (values, found) == (
        {},
        (
            "policy.yaml:6: check naming has no option 'prefix'; it takes: command",
            "policy.yaml:6: check naming needs its option command",
        ),
    )


def test_a_needed_option_that_nothing_sets_is_told_without_a_line():
    assert bind_options("run", DECLARED["run"], None) == ({}, ("policy.yaml: check run needs its option command",))


def floor(*checks: str, **options: dict):
    branch = {"branch": [{"match": "main", "checks": list(checks)}]} if checks else {}
    return read_floor({**branch, "checks": options}, Lines(((3, {}),), 1, 7), None, DECLARED)


def test_what_the_floor_asks_for_is_told_by_the_floor_alone():
    written = policy("checks: {naming: {prefix: test-, most: 9}}")
    governing = govern(with_floor(written, floor("naming", naming={"most": 1})), MAIN)
    assert bind_options("naming", OPTIONS, options_for(governing, "naming")) == ({**DEFAULTS, "most": 1}, ())
    silent = govern(with_floor(written, floor("naming")), MAIN)
    assert bind_options("naming", OPTIONS, options_for(silent, "naming")) == (DEFAULTS, ())


def test_what_the_floor_does_not_ask_for_is_told_by_the_policy():
    written = policy("checks: {naming: {most: 9}}")
    governing = govern(with_floor(written, floor("yaml", naming={"most": 1})), MAIN)
    assert bind_options("naming", OPTIONS, options_for(governing, "naming")) == ({**DEFAULTS, "most": 9}, ())


def test_a_landing_records_what_the_floor_told_its_checks():
    given = floor("naming", naming={"most": 1, "words": ["a"]})
    recorded = parse_floor(given.text)
    bound = [bind_options("naming", OPTIONS, each.options[0])[0] for each in (given, recorded)]
    assert bound == [{**DEFAULTS, "most": 1, "words": ("a",)}] * 2


def test_faults_of_the_floors_options_come_with_the_server_files_line():
    with pytest.raises(PolicyError) as raised:
        floor("naming", naming={"most": 99})
    assert str(raised.value) == "server.toml:7: checks: naming: most: '99' is not a whole number from 1 to 9"
