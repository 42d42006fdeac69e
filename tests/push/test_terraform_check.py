"""Stories of the check `terraform` in a push; Terraform stands in a folder of tools."""

from collections.abc import Iterator

import pytest

from tests.plugins.terraform_program import make_program
from tests.plugins.test_terraform_check import CROOKED, INVALID, PROVIDER
from tests.push.desk import POLICY, Desk
from tests.world import Template, World

CHECKED = POLICY.replace("checks: [yaml]", "checks: [terraform]")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    template = Template.build(CHECKED)
    world = World.copied_from(template)
    template.remove()
    tools = world.folder / "tools"
    tools.mkdir()
    make_program(tools)
    server = world.home.path / "server.toml"
    server.write_text(f'tool_folders = ["{tools}"]\n' + server.read_text())
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, remote: str) -> list[str]:
    lines = [line.strip() for line in remote.split("\n")]
    return [line for line in lines if ".tf" in line]


def test_a_module_that_is_not_valid_is_refused_where_it_is_wrong(desk: Desk):
    done = desk.push("alice", f"{desk.commit('alice', INVALID)}:refs/for/main/refused")
    assert done.code != 0
    assert told(desk, done.remote) == [
        'net/main.tf:2: Reference to undeclared input variable: An input variable with the name "y" has not',
    ]


def test_what_is_only_told_lets_the_change_in(desk: Desk):
    done = desk.push("alice", f"{desk.commit('alice', CROOKED)}:refs/for/main/crooked").must()
    assert told(desk, done.remote) == [
        "main.tf:3: terraform fmt writes this in another way; run: terraform fmt main.tf",
    ]
    done = desk.push("alice", f"{desk.commit('alice', PROVIDER)}:refs/for/main/unseen").must()
    assert "did not see this module" in done.remote


def test_the_policy_says_how_severe_it_is(desk: Desk):
    desk.land({".gitops/policy.yaml": CHECKED + "checks: {terraform: {format: error}}\n"})
    done = desk.push("alice", f"{desk.commit('alice', CROOKED)}:refs/for/main/no")
    assert done.code != 0 and "  checks" in done.remote
