"""Patterns over paths: what they cover, and that no pattern takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core import globs
from gitops_hooks.core.globs import matches, matches_any


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("main", "main"),
        ("*", "main"),
        ("**", "main"),
        ("**", "a/b/c"),
        ("*.yml", "site.yml"),
        ("**/*.yml", "site.yml"),
        ("**/*.yml", "roles/web/tasks/main.yml"),
        ("a/**", "a"),
        ("a/**", "a/b"),
        ("a/**", "a/b/c"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("a/**/**/z", "a/z"),
        ("**/a/**", "x/a/y"),
        ("v?.*", "v1.2"),
        ("release-*", "release-"),
        ("*a*b*", "xxaxxbxx"),
        ("inventories/production/**", "inventories/production/hosts.ini"),
        ("[a]", "[a]"),
        ("a.c", "a.c"),
    ],
)
def test_a_pattern_covers(pattern, path):
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("main", "mains"),
        ("main", "main/x"),
        ("*", "a/b"),
        ("?", "/"),
        ("?", ""),
        ("*.yml", "roles/site.yml"),
        ("a/**", "ab"),
        ("a/**", "b/a"),
        ("a/**/z", "a/b/zz"),
        ("**.yml", "a/b.yml"),
        ("a.c", "abc"),
        ("Main", "main"),
        ("", "a"),
        ("a", ""),
        ("[ab]", "a"),
        ("v?.*", "v12"),
    ],
)
def test_a_pattern_does_not_cover(pattern, path):
    assert not matches(pattern, path)


def test_one_of_several_patterns_is_enough_and_none_covers_nothing():
    assert matches_any(("*.tf", "*.yml"), "site.yml")
    assert not matches_any((), "site.yml")


def slowly(pattern: tuple[str, ...], text: tuple[str, ...], star: str, fits) -> bool:
    """The obvious matcher: a star is nothing, or one more item and the star again."""
    if not pattern:
        return not text
    if pattern[0] == star:
        return slowly(pattern[1:], text, star, fits) or (bool(text) and slowly(pattern, text[1:], star, fits))
    return bool(text) and fits(pattern[0], text[0]) and slowly(pattern[1:], text[1:], star, fits)


def slowly_matches(pattern: str, path: str) -> bool:
    def segment_fits(one: str, other: str) -> bool:
        return slowly(tuple(one), tuple(other), "*", lambda char, found: char in ("?", found))

    return slowly(tuple(pattern.split("/")), tuple(path.split("/")), "**", segment_fits)


@given(st.text(alphabet="ab*?/", max_size=10), st.text(alphabet="ab/", max_size=10))
def test_patterns_mean_what_the_obvious_matcher_says(pattern, path):
    assert matches(pattern, path) == slowly_matches(pattern, path)


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "?b"]), max_size=7),
    st.lists(st.sampled_from(["a", "b", "ab", "bb", ""]), max_size=7),
)
def test_segments_mean_what_the_obvious_matcher_says(pattern, path):
    assert matches("/".join(pattern), "/".join(path)) == slowly_matches("/".join(pattern), "/".join(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/" * 200 + "z", "/".join("a" * 400)),
        ("**/a/" * 100 + "z", "/".join("a" * 400)),
        ("*a" * 200 + "z", "a" * 400),
        ("**/*a*a*a*b/" * 50 + "z", "/".join(["aaaaaaaa"] * 100)),
    ],
)
def test_no_pattern_takes_longer_than_its_length_times_the_paths(pattern, path, monkeypatch):
    steps = 0

    def count(compare):
        def counted(*items):
            nonlocal steps
            steps += 1
            return compare(*items)

        return counted

    match = globs._match
    monkeypatch.setattr(globs, "_match", lambda p, t, star, fits: match(p, t, count(star), count(fits)))
    began = time.process_time()
    assert not matches(pattern, path)
    assert steps <= 4 * len(pattern) * len(path)
    assert time.process_time() - began < 10
