"""Stories of OPA policies: the branch's own are asked, and those that are pushed have to be proven by their tests."""

from collections.abc import Iterator

import pytest

from tests.plugins.opa_program import make_program
from tests.push.desk import POLICY, Desk
from tests.world import Template, World

REGO = POLICY.replace("checks: [yaml]", "checks: [rego]") + "checks:\n  rego: {paths: ['apps/**'], engine: regorus}\n"
RULE = """package main

import rego.v1

deny contains msg if {
  some c in input.spec.containers
  endswith(c.image, ":latest")
  msg := sprintf("%s runs %s; name a version", [c.name, c.image])
}
"""
TEST = """package main

import rego.v1

test_latest if {
  count(deny) == 1 with input as {"spec": {"containers": [{"name": "a", "image": "web:latest"}]}}
}
"""
POD = "spec: {containers: [{name: web, image: 'web:latest'}]}\n"


@pytest.fixture(scope="module")
def policed() -> Iterator[Template]:
    template = Template.build(REGO)
    server = template.folder / "home" / "server.toml"
    checks = 'checks = ["gitops_hooks.plugins.rego_check"]'
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\n{checks}\n", 1))
    yield template
    template.remove()


@pytest.fixture
def desk(policed: Template) -> Iterator[Desk]:
    world = World.copied_from(policed)
    yield Desk.beside(world)
    world.close()


def refused(desk: Desk, files: dict, to: str = "main") -> str:
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/{to}")
    assert done.code == 1
    return done.remote.removeprefix(f"gitops: refused refs/for/{to}\n\n  checks\n")


def test_policies_land_with_their_tests_and_are_asked_from_then_on(desk: Desk):
    assert refused(desk, {"apps/web.yaml": POD}) == (
        "    rego: policy/: there is no policy on main; land one first, or take rego out of the checks"
    )
    assert refused(desk, {"policy/main.rego": RULE}) == (
        "    policy/main.rego:5: no test fails without this deny; write one in which it fires"
    )
    desk.land({"policy/main.rego": RULE, "policy/main_test.rego": TEST})
    assert refused(desk, {"apps/web.yaml": POD}) == (
        "    apps/web.yaml:1: web runs web:latest; name a version (main.deny)"
    )
    desk.propose("alice", {"apps/web.yaml": POD.replace("latest", "1.2")})
    silent = {"apps/web.yaml": POD, "policy/main.rego": RULE.replace(":latest", ":newest")}
    assert refused(desk, silent, "main/silent") == (
        "    policy/main_test.rego:5: test_latest fails\n"
        "    apps/web.yaml:1: web runs web:latest; name a version (main.deny)"
    )


def test_a_server_with_opa_takes_what_opa_takes(desk: Desk):
    rule = RULE.replace('endswith(c.image, ":latest")', 'not startswith(c.image, "registry/")')
    said = "'c.image' may be missing, and 'not' then never holds in OPA; set it on a line above: x := c.image"
    assert said in " ".join(refused(desk, {"policy/main.rego": rule, "policy/main_test.rego": TEST}).split())
    desk.land({".gitops/policy.yaml": REGO.replace("regorus", "opa")})
    tools = desk.world.folder / "opa"
    tools.mkdir()
    make_program(tools)
    server = desk.world.home.path / "server.toml"
    server.write_text(f'tool_folders = ["{tools}"]\n' + server.read_text())
    desk.land({"policy/main.rego": rule, "policy/main_test.rego": TEST})
    assert refused(desk, {"apps/web.yaml": POD}, "main/asked") == (
        "    apps/web.yaml:1: web runs web:latest; name a version (main.deny)"
    )
