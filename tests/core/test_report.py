"""Values → what a person reads, whole."""

import pytest

from gitops_hooks.core.report import escape, field, findings, landed, needs, proposed, refused, verdict_line
from gitops_hooks.model.verdict import CheckOutcome, Decision, Finding, Requirement, Severity, Status, Verdict

MAIN = "refs/heads/main"
OK = Verdict("yaml", "t", CheckOutcome.OK)
ONE = Verdict("ansible", "t", CheckOutcome.FINDINGS, (Finding("roles/web/tasks/main.yml", 14, "mode: write '0644'"),))


def unmet(rule, reason, place=""):
    return Requirement(rule, Status.UNSATISFIED, reason, place)


def test_a_refusal_groups_its_reasons_by_rule_and_ends_with_what_to_do():
    requirements = (
        unmet("approvals", "0 of 1 approval by @senior.", "policy.yaml:11"),
        Requirement("land", Status.SATISFIED, "alice may land"),
        unmet("authors", "Nobody knows x."),
        unmet("approvals", "0 of 2 approvals by @ops."),
    )
    lines = refused(Decision(MAIN, requirements, (OK, ONE), ("Propose it instead:  git push …",)))
    assert lines == [
        "gitops: refused refs/heads/main",
        "",
        "  approvals",
        "    0 of 1 approval by @senior. (policy.yaml:11)",
        "    0 of 2 approvals by @ops.",
        "  authors",
        "    Nobody knows x.",
        "  checks",
        "    roles/web/tasks/main.yml:14: mode: write '0644'",
        "",
        "Propose it instead:  git push …",
    ]


def test_a_proposal_is_told_with_its_checks_and_what_it_still_needs():
    lines = proposed(12, 2, MAIN, (OK, ONE), [unmet("approvals", "0 of 1 approval by @senior. The author …")])
    assert lines == [
        "gitops: change 12, revision 2 for main",
        "  checks     yaml ok · ansible 1 finding",
        "  roles/web/tasks/main.yml:14: mode: write '0644'",
        "  needs      1 approval by @senior",
    ]
    assert proposed(1, 1, MAIN, (), []) == [
        "gitops: change 1, revision 1 for main",
        "  checks     none",
        "  needs      nothing more; it can land",
    ]


def test_needs_say_how_many_are_there_already():
    assert needs([unmet("approvals", "1 of 2 approvals by @ops. x")]) == ["  needs      1 of 2 approvals by @ops"]
    assert needs([unmet("land", "Only bob may land on main.")]) == ["  needs      Only bob may land on main."]


def test_a_name_with_a_dot_is_not_cut_from_what_is_needed():
    reason = "0 of 1 approval by jane.doe for roles/web.d/**. The author (alice) does not count."
    assert needs([unmet("approvals", reason)]) == ["  needs      1 approval by jane.doe for roles/web.d/**"]


def test_a_landing_says_how():
    old, new = "a" * 40, "b" * 40
    assert landed(MAIN, old, new, "fast-forward") == ["  main       aaaaaaa..bbbbbbb (fast-forward)"]
    assert landed(MAIN, old, new, "merge") == [
        "  main       aaaaaaa..bbbbbbb (merge made by the server; git fetch brings it)"
    ]


def test_verdicts_in_one_line():
    two = Verdict("secrets", "t", CheckOutcome.FINDINGS, (Finding("a", 1, "x"), Finding("b", 2, "y")))
    broken = Verdict("ansible", "t", CheckOutcome.ERROR, detail="took too long")
    assert verdict_line((OK, two, broken)) == "yaml ok · secrets 2 findings · ansible ERROR"
    assert findings((broken,)) == ["  ansible: took too long"]


def test_findings_are_bounded_and_a_whole_file_has_no_line():
    many = tuple(Finding("a.yml", number, "x", Severity.WARNING) for number in range(60))
    lines = findings((Verdict("yaml", "t", CheckOutcome.FINDINGS, many),))
    assert (len(lines), lines[0], lines[-1]) == (51, "  a.yml: x", "  yaml: … and 10 more findings")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü ✓", "plain ü ✓"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u2028\u202e", "\\u2028\\u202e"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text, shown):
    assert escape(text) == shown


def test_long_words_stay_whole_and_long_reasons_are_wrapped_under_themselves():
    lines = field("land it", "git push origin " + "a" * 40 + ":refs/land/1 " + "b" * 80)
    assert lines == [
        "  land it    git push origin " + "a" * 40 + ":refs/land/1",
        " " * 13 + "b" * 80,
    ]
    assert all(len(line) <= 100 for line in refused(Decision(MAIN, (unmet("x", "word " * 60),))))
    assert field("title", "") == ["  title"]


def test_what_two_checks_found_alike_is_told_once():
    fault = Finding("hosts.yml", 3, "mapping values are not allowed in this context")
    both = tuple(Verdict(name, "t", CheckOutcome.FINDINGS, (fault,)) for name in ("yaml", "ansible"))
    assert findings(both) == ["  hosts.yml:3: mapping values are not allowed in this context"]
    assert verdict_line(both) == "yaml 1 finding · ansible 1 finding"


def test_in_a_refusal_what_is_only_told_says_so():
    found = (Finding("a.yml", 1, "no YAML"), Finding("a.yml", 2, "mode 644", Severity.WARNING))
    lines = refused(Decision("refs/for/main", (), (Verdict("ansible", "7" * 40, CheckOutcome.FINDINGS, found),)))
    assert lines[2:] == ["  checks", "    a.yml:1: no YAML", "    a.yml:2: mode 644 (only a warning)"]


def test_a_place_never_stands_behind_a_command_that_people_copy():
    told = unmet("plan", "There is none.\nLook at it:  ssh <host> change plan 2", "policy.yaml:6")
    below = unmet("base", "It was closed. Rebase it:\ngit rebase main", "policy.yaml:7")
    words = unmet("commits", "d888a09: lacks a line\nMend them.", "policy.yaml:8")
    assert refused(Decision("refs/land/2", (told, below, words)))[2:] == [
        "  plan",
        "    There is none. (policy.yaml:6)",
        "    Look at it:  ssh <host> change plan 2",
        "  base",
        "    It was closed. Rebase it: (policy.yaml:7)",
        "    git rebase main",
        "  commits",
        "    d888a09: lacks a line",
        "    Mend them. (policy.yaml:8)",
    ]
