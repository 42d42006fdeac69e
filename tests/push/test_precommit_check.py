"""Stories of the check `pre-commit` in a push: hooks of the branch, prepared by the administrator."""

from collections.abc import Iterator

import pytest

from tests.plugins.test_precommit_check import FILE, LOCAL, prepare
from tests.push.desk import POLICY, Desk
from tests.world import Template, World


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    template = Template.build(POLICY.replace("checks: [yaml]", "checks: [pre-commit]"))
    world = World.copied_from(template)
    template.remove()
    configuration = prepare(world.folder / "prepared", LOCAL)
    server = world.home.path / "server.toml"
    server.write_text(f'tool_folders = ["{world.folder}/prepared/tools"]\n' + server.read_text())
    desk = Desk.beside(world)
    desk.land({FILE: configuration})
    yield desk
    world.close()


def told(desk: Desk, files: dict) -> str:
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/refused")
    assert done.code != 0 and "  checks" in done.remote, done.remote
    lines = [line.strip() for line in done.remote.split("\n")]
    return " ".join(line for line in lines[lines.index("checks") + 1 :] if line)


def test_what_hooks_find_and_would_change_is_refused(desk: Desk):
    assert told(desk, {"a.txt": "x\ny  \nfoo\n"}) == (
        "a.txt:3: no-foo: foo is not said here a.txt:2: trim would change this; run: pre-commit run --files a.txt"
    )


def test_what_hooks_pass_lands(desk: Desk):
    desk.land({"b.txt": "bar\n"})


def test_hooks_that_nobody_prepared_do_not_reach_the_branch(desk: Desk):
    brought = "repos:\n- repo: https://hooks.example/x\n  rev: v1\n  hooks: [{id: x}]\n"
    assert told(desk, {FILE: brought}).startswith(
        ".pre-commit-config.yaml:2: the environment of https://hooks.example/x is not prepared on the server"
    )
