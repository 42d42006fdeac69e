"""Stories of checks that are not run again: what was found is kept, and counts wherever everything is the same."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers import Result
from tests.push.desk import MAIN, POLICY, Desk
from tests.push.with_guest import guest_server
from tests.world import Template, World

KEPT = POLICY.replace("match: main", "match: '*'\n    create: ['@ops']")
KEPT = KEPT.replace("checks: [yaml]", "checks: [yaml, shell, naming]")
RUN = "gitops: shell: 1 scripts"  # the check says so while it runs
GOOD = {"a.sh": "echo good\n"}


@pytest.fixture(scope="module")
def guest() -> Iterator[Template]:
    with guest_server(KEPT) as template:
        yield template


@pytest.fixture
def desk(guest: Template) -> Iterator[Desk]:
    world = World.copied_from(guest)
    yield Desk.beside(world)
    world.close()


def propose(desk: Desk, files: dict, to: str = "main", **more: str) -> Result:
    return desk.push("alice", f"{desk.commit('alice', files, **more)}:refs/for/{to}")


def folder(desk: Desk) -> Path:
    (state,) = (desk.world.home.path / "state").iterdir()
    return state / "verdicts"


def recorded(desk: Desk) -> list[str]:
    """Every value of every event in the log."""
    return [value for event in desk.log() for _, value in event.facts]


def test_neither_the_next_revision_nor_the_landing_runs_it_again(desk: Desk):
    assert RUN in propose(desk, GOOD, "main/one").must().remote
    assert RUN not in propose(desk, {**GOOD, "b.md": "words\n"}, "main/one").must().remote
    # Another change lands first, so that a tree lands that nobody has seen yet.
    desk.land({"c.md": "words\n"})
    number = min(int(name.split("/")[2]) for name in desk.refs() if name.endswith("/head"))
    landed = desk.push("bob", f"{desk.tip(f'refs/changes/{number}/head')}:refs/approve/{number}").must()
    assert RUN not in landed.remote
    assert f"gitops: change {number} revision 2 approved by bob; landing" in landed.remote
    assert "merge made by the server" in landed.remote
    tree = desk.tip(f"{MAIN}^{{tree}}")
    assert any(f"shell:ok:{tree}" in value for value in recorded(desk))


def test_what_was_found_is_told_again_without_looking(desk: Desk):
    first = propose(desk, {"a.sh": "echo (\n"})
    again = propose(desk, {"a.sh": "echo (\n", "b.md": "words\n"})
    for done, ran in ((first, True), (again, False)):
        assert done.code != 0
        assert "a.sh:1: syntax error near unexpected token" in done.remote
        assert (RUN in done.remote) is ran


def test_another_branch_asks_for_nothing_that_is_known(desk: Desk):
    tip = desk.tip(MAIN)
    desk.push("bob", f"{tip}:refs/heads/release").must()
    desk.land({"main.md": "words\n"})
    assert RUN in propose(desk, GOOD).must().remote
    assert RUN not in propose(desk, GOOD, "release", onto=tip).must().remote


def test_another_file_another_policy_and_other_exceptions_are_looked_at_anew(desk: Desk):
    roles = {"roles/acme-web/a.yml": "[]\n"}
    assert RUN in propose(desk, GOOD, "main/one").must().remote
    assert RUN in propose(desk, {"a.sh": "echo better\n"}, "main/one").must().remote
    propose(desk, roles, "main/two").must()
    desk.land({".gitops/policy.yaml": KEPT + "checks: {naming: {prefix: house-}}\n"})
    refused = propose(desk, {**roles, "b.md": "words\n"}, "main/two")
    assert "roles/acme-web/a.yml: call it house-acme-web" in refused.remote
    desk.land({".naming": "acme-web\n"})
    propose(desk, {**roles, "b.md": "words\n"}, "main/two").must()


def test_the_folder_may_go_at_any_time_and_torn_files_count_for_nothing(desk: Desk):
    propose(desk, GOOD, "main/one").must()
    for path in folder(desk).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    assert RUN in propose(desk, {**GOOD, "b.md": "1\n"}, "main/one").must().remote
    shutil.rmtree(folder(desk))
    assert RUN in propose(desk, {**GOOD, "b.md": "2\n"}, "main/one").must().remote
    assert RUN not in propose(desk, {**GOOD, "b.md": "3\n"}, "main/one").must().remote


def test_a_server_may_keep_none(desk: Desk):
    propose(desk, GOOD, "main/one").must()
    server = desk.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", "[limits]\nverdicts = 0\n", 1))
    assert RUN in propose(desk, {**GOOD, "b.md": "1\n"}, "main/one").must().remote
    desk.world.stop_reconciler()
    desk.world.reconcile_once()
    assert [path for path in folder(desk).rglob("*") if path.is_file()] == []
    assert "verdicts of site: are not kept: every push runs every check" in desk.world.admin("doctor").out


def test_a_purge_forgets_them_too(desk: Desk):
    propose(desk, GOOD).must()
    assert folder(desk).exists()
    desk.world.stop_reconciler()
    desk.world.admin("change", "purge", str(desk.newest()), "--reason", "a secret").must()
    assert not folder(desk).exists()


def test_doctor_says_where_they_are_and_how_large(desk: Desk):
    propose(desk, GOOD).must()
    said = desk.world.admin("doctor").out
    (line,) = (line for line in said.split("\n") if "verdicts of site" in line)
    assert line.startswith("ok    verdicts of site: ")
    assert line.endswith(f" MiB in {folder(desk)}; it may be removed at any time")
