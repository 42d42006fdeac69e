"""Stories of checks in other languages: a program of the administrator's, asked and answered in JSON."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World

RULES = POLICY.replace("checks: [yaml]", "checks: [names]") + "checks: {names: {prefix: house-}}\n"
PROGRAM = """\
#!/usr/bin/env python3
import json, os, sys
asked = json.load(sys.stdin)
excepted = open("/given/.names").read().split() if asked["target"]["paths"] else []
prefix, found = asked["options"]["prefix"], []
for path in asked["tree"]["paths"]:
    role = path.split("/")[1]
    if "break" in open(path).read():
        sys.exit("cannot read " + path)
    if "silent" in open(path).read():
        sys.exit(0)
    if not role.startswith(prefix) and role not in excepted:
        found.append({"path": path, "line": 0, "message": f"call the role {prefix}{role}"})
print(json.dumps({"version": 1, "findings": found}))
"""
TABLE = """
[[exec_check]]
name = "names"
command = ["check-names"]
paths = ["roles/**"]
target = [".names"]
options = {prefix = "acme-"}
"""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    template = Template.build(RULES, {".names": "old\n"})
    world = World.copied_from(template)
    template.remove()
    program = world.folder / "tools" / "check-names"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    for path, mode in ((program, 0o755), (program.parent, 0o755), (world.folder, 0o711)):
        path.chmod(mode)
    server = world.home.server_file
    server.write_text(f'tool_folders = ["{program.parent}"]\n{server.read_text()}{TABLE}')
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, files: dict) -> list[str]:
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/refused")
    assert done.code != 0, done.remote
    found = [line.strip() for line in done.remote.split("\n")]
    return [line for line in found[found.index("checks") + 1 :] if line]


def test_what_the_program_finds_is_told_by_the_policys_option_and_the_branchs_exceptions(desk: Desk):
    files = {"roles/web/a.yml": "a", "roles/old/a.yml": "a", ".names": "old web"}
    assert told(desk, files) == ["roles/web/a.yml: call the role house-web"]


def test_what_it_lets_pass_is_proposed(desk: Desk):
    desk.push("alice", f"{desk.commit('alice', {'roles/house-web/a.yml': 'a'})}:refs/for/main").must()


def test_a_program_that_breaks_or_says_nothing_refuses(desk: Desk):
    assert told(desk, {"roles/house-a/a.yml": "break"}) == [
        "names: check-names: ended with 1: cannot read roles/house-a/a.yml"
    ]
    assert told(desk, {"roles/house-a/a.yml": "silent"}) == [
        'names: check-names: answered nothing; where all is well it answers {"version": 1, "findings": []}',
    ]


def test_an_option_that_it_does_not_take_is_refused_with_the_policy(desk: Desk):
    policy = RULES.replace("prefix", "suffix")
    done = desk.push("alice", f"{desk.commit('alice', {'.gitops/policy.yaml': policy})}:refs/for/main/policy")
    assert "check names has no option 'suffix'; it takes: prefix" in done.remote


def test_doctor_and_the_list_of_plugins_know_it(desk: Desk):
    assert "names" in next(
        line for line in desk.world.admin("doctor").out.splitlines() if line.split()[1:2] == ["plugins:"]
    )
    assert desk.world.admin("plugin", "list").must().out.splitlines()[-1] == (
        "enabled    [[exec_check]]  names  (check-names)"
    )
