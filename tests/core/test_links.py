"""The other names of changed paths, through symlinks that were found."""

import pytest

from gitops_hooks.core.links import NO_LINKS, UNKNOWN, Beginning, Links, beginning


@pytest.mark.parametrize(
    ("found", "path", "names"),
    [
        ((("prod", "envs/prod"),), "envs/prod/x.yml", ("prod/x.yml",)),
        ((("prod", "envs/prod"),), "envs/prod", ("prod",)),
        ((("prod", "envs/prod"),), "envs/production/x.yml", ()),
        ((("prod", "envs/prod"),), "envs", ()),
        ((("here", ""),), "a/b", ("here/a/b",)),
        ((("one", "a"), ("two", "a/b")), "a/b/c", ("one/b/c", "two/c")),
        ((), "a", ()),
    ],
)
def test_a_path_has_the_names_that_lead_to_it(found, path, names):
    assert Links(found).names_of((path,)) == names


def test_own_names_come_first_and_each_name_once():
    assert Links((("p", "a"), ("a", "b"))).with_names(("a/x", "b/x")) == ("a/x", "b/x", "p/x")
    assert NO_LINKS.with_names(("a",)) == ("a",)


def test_what_nobody_can_follow_meets_every_rule():
    assert Links((("p", "a"),), complete=False).names_of(("a/x",)) == ("p/x", UNKNOWN)
    many = Links(tuple((f"p{number}", "a") for number in range(60_000)))
    assert many.names_of(("a/x",)) == (UNKNOWN,)


@pytest.mark.parametrize(
    ("glob", "parts", "goes_on"),
    [
        ("prod/**", ("prod",), True),
        ("prod/db.yml", ("prod", "db.yml"), False),
        ("a/b*/c", ("a",), True),
        ("**/x", (), True),
    ],
)
def test_a_glob_begins_with_what_is_literal(glob, parts, goes_on):
    assert beginning(glob) == Beginning(parts, goes_on, True)
