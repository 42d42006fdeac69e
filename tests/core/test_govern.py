"""What the rules that match one branch say together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.govern import BUILT_IN, Governing, govern
from gitops_hooks.model.policy import ApprovalRule, BranchRule, LandMethod, Names, Policy
from gitops_hooks.model.verdict import Requirement, Status

MAIN = "refs/heads/main"


def rule(match: str = "main", line: int = 7, **said) -> BranchRule:
    nobody = Names()
    plain = {
        "push": nobody,
        "propose": nobody,
        "land": nobody,
        "create": nobody,
        "approvals": (approval(line),),
        "checks": (),
        "land_method": LandMethod.MERGE,
        "any_author": False,
    }
    return BranchRule(match=match, place=f"policy.yaml:{line}", **{**plain, **said})


def approval(line: int, *paths: str, count: int = 1, by: str = "*") -> ApprovalRule:
    return ApprovalRule(count, Names((by,)), paths, f"policy.yaml:{line}")


def policy(*rules: BranchRule) -> Policy:
    groups = (("ops", ("alice", "bob")), ("senior", ("bob", "carol")))
    return Policy("c" * 40, groups, rules, ())


def governing(*rules: BranchRule) -> Governing:
    found = govern(policy(*rules), MAIN)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("match", "ref", "governs"),
    [
        ("main", "refs/heads/main", True),
        ("main", "refs/heads/Main", False),
        ("main", "refs/heads/main/x", False),
        ("main", "refs/tags/main", False),
        ("**", "refs/tags/main", False),
        ("**", "refs/heads/main", True),
        ("*", "refs/heads/feature/x", False),
        ("release/**", "refs/heads/release/1/2", True),
        ("release/**", "refs/heads/release", True),
        ("v?", "refs/heads/v1", True),
        ("refs/heads/main", "refs/heads/main", False),
        ("größe", "refs/heads/größe", True),
    ],
)
def test_a_rule_governs_the_branches_that_its_pattern_matches(match, ref, governs):
    assert (govern(policy(rule(match)), ref) is not None) is governs


def test_all_rules_that_match_govern_in_their_order():
    first, other, last = rule("**", 3), rule("next", 5), rule("main", 7)
    found = govern(policy(first, other, last), MAIN)
    assert found == Governing(MAIN, (first, last), policy(first, other, last))


def test_a_right_is_given_by_name_by_group_and_by_star():
    given_to = rule(push=Names(("carol",)), propose=Names(("*",)), land=Names(("@ops",)))
    assert governing(given_to).may("push", "carol") == Requirement(
        "push", Status.SATISFIED, "carol may push to main.", "policy.yaml:7"
    )
    assert governing(given_to).may("propose", "zoe").holds
    assert governing(given_to).may("land", "bob").holds


@pytest.mark.parametrize(
    ("right", "reason"),
    [
        ("push", "Only @ops, carol may push to main; zoe is not among them."),
        ("propose", "Nobody may propose for main."),
        ("land", "Nobody may land on main."),
        ("create", "Nobody may create main."),
    ],
)
def test_an_absent_right_is_nobody(right, reason):
    found = governing(rule(push=Names(("@ops", "carol"))))
    assert found.may(right, "zoe") == Requirement(right, Status.UNSATISFIED, reason, "policy.yaml:7")


def test_allow_lists_intersect_and_the_rule_that_decides_is_named():
    found = governing(rule("**", 3, land=Names(("@ops",))), rule("main", 9, land=Names(("@senior",))))
    assert found.may("land", "bob") == Requirement("land", Status.SATISFIED, "bob may land on main.", "policy.yaml:3")
    assert found.may("land", "alice") == Requirement(
        "land", Status.UNSATISFIED, "Only @senior may land on main; alice is not among them.", "policy.yaml:9"
    )
    assert found.may("land", "carol") == Requirement(
        "land", Status.UNSATISFIED, "Only @ops may land on main; carol is not among them.", "policy.yaml:3"
    )


def test_a_group_that_is_not_there_has_no_members():
    assert not governing(rule(land=Names(("@nobody",)))).may("land", "nobody").holds


def test_no_rule_at_all_allows_nothing():
    found = Governing(MAIN, (), policy())
    assert found.may("push", "alice") == Requirement("push", Status.ERROR, "No rule says who may push to main.")
    assert found.approval_rules(["a"]) == (BUILT_IN,)
    assert found.known_authors is True


def test_requirements_unite():
    first, second, third = approval(4), approval(9), approval(10, count=2)
    found = governing(rule("**", 3, approvals=(first,)), rule("main", 8, approvals=(second, third)))
    assert found.approval_rules(["site.yml"]) == (first, second, third)


ALWAYS = approval(8, by="@senior")
INVENTORY = approval(9, "inventories/production/**", "site.yml")
CAFE = approval(9, "caf\u00e9/*.yml")
SHARP = approval(9, "stra?e/**")


@pytest.mark.parametrize(
    ("bound", "path", "applies"),
    [
        (INVENTORY, "inventories/production/hosts", True),
        (INVENTORY, "inventories/production", True),
        (INVENTORY, "Inventories/PRODUCTION/a/b", True),
        (INVENTORY, "inventories/staging/hosts", False),
        (INVENTORY, "x/inventories/production/hosts", False),
        (INVENTORY, "site.yml", True),
        (INVENTORY, "site.yml.bak", False),
        (CAFE, "cafe\u0301/a.yml", True),
        (CAFE, "CAFE\u0301/A.YML", True),
        (CAFE, "cafe/a.yml", False),
        (SHARP, "stra\u00dfe/x", True),
        (SHARP, "STRA\u00dfE/x", True),
        (INVENTORY, "a/\udcff", True),
        (CAFE, "\udcff", True),
    ],
)
def test_a_requirement_for_paths_holds_where_one_of_them_changed(bound, path, applies):
    found = governing(rule(approvals=(ALWAYS, bound)))
    assert found.approval_rules(["README.md", path]) == ((ALWAYS, bound) if applies else (ALWAYS,))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".gitops/policy.yaml", (BUILT_IN,)),
        (".GitOps/policy.yaml", (BUILT_IN,)),
        (".gitops", (BUILT_IN,)),
        ("README.md", (BUILT_IN,)),
        ("\udcff", (INVENTORY,)),
        ("site.yml", (INVENTORY,)),
    ],
)
def test_where_no_rule_applies_one_approval_is_needed(path, found):
    assert governing(rule(approvals=(INVENTORY,))).approval_rules([path]) == found


def test_the_built_in_requirement_is_one_approval_by_anybody():
    assert ApprovalRule(1, Names(("*",)), (), "built in") == BUILT_IN
    assert governing(rule()).approval_rules([".gitops/policy.yaml"]) == (approval(7),)


def test_checks_unite_in_the_order_of_the_policy():
    found = governing(rule("**", 3, checks=("secrets", "yaml")), rule("main", 9, checks=("yaml", "ansible")))
    assert found.checks == ("secrets", "yaml", "ansible")


M, F, A = LandMethod.MERGE, LandMethod.FAST_FORWARD, LandMethod.ALWAYS_MERGE
S, R = LandMethod.SQUASH, LandMethod.REBASE


@pytest.mark.parametrize(
    ("methods", "method"),
    [
        ((M,), M),
        ((F,), F),
        ((A,), A),
        ((M, M), M),
        ((M, F), F),
        ((F, M, F), F),
        ((A, M), A),
        ((A, A), A),
        ((M, S), S),
        ((R, M), R),
    ],
)
def test_the_stricter_way_to_land_wins(methods, method):
    assert governing(*(rule(land_method=each) for each in methods)).land_method is method


@pytest.mark.parametrize("methods", [(S, F), (R, A), (S, R), (M, R, F)])
def test_no_two_ways_to_land_beside_merge_go_together(methods):
    found = governing(*(rule(land_method=each) for each in methods)).land_method
    assert isinstance(found, Requirement) and found.status is Status.ERROR


def test_two_ways_to_land_that_exclude_each_other_are_an_error():
    found = governing(rule("**", 3, land_method=F), rule("main", 9, land_method=A), rule(line=12))
    assert found.land_method == Requirement(
        "land_method",
        Status.ERROR,
        "policy.yaml:3 asks for fast-forward and policy.yaml:9 for always-merge: "
        "nothing can land on this branch until one of them gives way.",
        "policy.yaml:9",
    )


@pytest.mark.parametrize(
    ("any_author", "known"), [((True,), False), ((False,), True), ((True, False), True), ((True, True), False)]
)
def test_authors_must_be_known_if_any_rule_says_so(any_author, known):
    assert governing(*(rule(any_author=each) for each in any_author)).known_authors is known


LISTS = st.lists(st.sampled_from(["*", "@ops", "@senior", "alice", "zoe"]), max_size=3).map(
    lambda items: Names(tuple(items))
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LISTS, min_size=1, max_size=3), st.sampled_from(["alice", "bob", "carol", "zoe"]))
def test_one_more_rule_never_gives_a_right(lists, actor):
    rules = [rule(line=number, land=names) for number, names in enumerate(lists, 1)]
    fewer, all_of_them = governing(*rules[:-1] or rules), governing(*rules)
    if all_of_them.may("land", actor).holds:
        assert fewer.may("land", actor).holds


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=10), st.sampled_from(["**", "*", "?", "a/**", "é*"]))
def test_no_path_makes_the_requirements_raise(path, glob):
    bound = approval(9, glob)
    assert set(governing(rule(approvals=(bound,))).approval_rules([path])) <= {bound, BUILT_IN}
