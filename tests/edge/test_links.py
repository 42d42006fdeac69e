"""Symlinks of a tree, found where rules look and followed to what they lead to."""

from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest

from gitops_hooks.core.links import Links, beginning
from gitops_hooks.edge import links
from gitops_hooks.edge.links import find_links
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import Limits

Files = Mapping[str, str | tuple[str, str]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    pygit2.init_repository(str(tmp_path), bare=True)
    return open_repository(tmp_path, Limits())


def tree(repository: Repository, files: Files) -> str:
    """A tree of files; `("->", target)` is a symlink."""
    index = pygit2.Index()
    for path, content in files.items():
        mode = 0o120000 if isinstance(content, tuple) else 0o100644
        text = content[1] if isinstance(content, tuple) else content
        index.add(pygit2.IndexEntry(path, repository.git2.create_blob(text.encode()), mode))
    return str(index.write_tree(repository.git2))


def found(repository: Repository, files: Files, *globs: str, folded: bool = True) -> set[tuple[str, str]]:
    result = find_links(repository, (tree(repository, files),), [beginning(glob, folded) for glob in globs])
    assert result.complete
    return set(result.found)


@pytest.mark.parametrize(
    ("files", "glob", "expected"),
    [
        ({"prod": ("->", "envs/prod"), "envs/prod/x": ""}, "prod/**", {("prod", "envs/prod")}),
        ({"prod": ("->", "envs/prod"), "envs/prod/x": ""}, "prod/x", {("prod", "envs/prod")}),
        ({"prod": ("->", "./envs//prod/"), "envs/prod/x": ""}, "prod/*.yml", {("prod", "envs/prod")}),
        ({"PROD": ("->", "envs"), "envs/x": ""}, "prod/**", {("PROD", "envs")}),
        (
            {"prod/db.yml": ("->", "../shared/db.yml"), "shared/db.yml": ""},
            "prod/**",
            {("prod/db.yml", "shared/db.yml")},
        ),
        ({"prod/db.yml": ("->", "../not-yet/db.yml")}, "prod/db.yml", {("prod/db.yml", "not-yet/db.yml")}),
        ({"a": ("->", "b"), "b": ("->", "c"), "c/x": ""}, "a/**", {("a", "b"), ("a", "c")}),
        (
            {"prod": ("->", "envs/prod"), "envs/prod/db": ("->", "../../db"), "db": ""},
            "prod/**",
            {("prod", "envs/prod"), ("prod/db", "db")},
        ),
        (
            {"in/up": ("->", "now/../x"), "in/now": ("->", "../far/off"), "far/off/y": ""},
            "in/up",
            {
                ("in/up", "in/now"),
                ("in/up", "far/x"),
            },
        ),
        ({"all": ("->", "."), "x": ""}, "all/**", {("all", ""), ("all/all", "")}),
        # What leads nowhere, or out of the tree, is no name of anything in it.
        ({"a": ("->", "/etc"), "b": ("->", "../etc")}, "*", set()),
        ({"a": ("->", "a")}, "a/**", {("a", "a")}),
        # A glob that looks elsewhere pays for nothing, and none is followed that no rule meets.
        ({"prod": ("->", "envs/prod"), "envs/prod/x": ""}, "envs/**", set()),
        ({"deep/er/link": ("->", "../../x"), "x": ""}, "deep/**", set()),
    ],
)
def test_a_symlink_leads_where_the_kernel_would_go(repository: Repository, files: Files, glob: str, expected) -> None:
    assert found(repository, files, glob) == expected


def test_code_owners_patterns_are_met_as_they_are_written_only(repository: Repository) -> None:
    assert found(repository, {"PROD": ("->", "envs"), "envs/x": ""}, "prod/**", folded=False) == set()


def test_the_old_tree_counts_as_well_as_the_new_one(repository: Repository) -> None:
    old = tree(repository, {"prod": ("->", "one")})
    new = tree(repository, {"prod": ("->", "two")})
    assert find_links(repository, (old, new, NO_OID), [beginning("prod/**")]) == Links(
        (("prod", "one"), ("prod", "two"))
    )


def test_more_symlinks_than_are_followed_are_said_to_be(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_MOST_LINKS", 2)
    many = tree(repository, {f"prod/{number}": ("->", "../x") for number in range(3)})
    assert find_links(repository, (many,), [beginning("prod/**")]).complete is False
