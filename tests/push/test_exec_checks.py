"""Stories of checks in other languages: a program of the administrator's, asked and answered in JSON."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World

RULES = POLICY.replace("checks: [yaml]", "checks: [names, dice, kept-dice]") + "checks: {names: {prefix: house-}}\n"
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
# Tells another thing each time that it runs, so that one sees whether it ran.
DICE = """\
#!/bin/sh
thrown=$(cat /proc/sys/kernel/random/uuid)
echo "{\\"version\\": 1, \\"findings\\": [{\\"path\\": \\"dice\\", \\"line\\": 0, \\"message\\": \\"$thrown\\"}]}"
"""
TABLE = """
[[exec_check]]
name = "dice"
command = ["throw"]
paths = ["dice/**"]

[[exec_check]]
name = "kept-dice"
command = ["throw"]
paths = ["kept/**"]
kept = true
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
    dice = program.with_name("throw")
    dice.write_text(DICE)
    for path, mode in ((program, 0o755), (dice, 0o755), (program.parent, 0o755), (world.folder, 0o711)):
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


def test_it_runs_each_time_unless_the_administrator_says_that_its_verdicts_may_be_kept(desk: Desk):
    thrown = [told(desk, {"dice/a": "a", "b": str(number)}) for number in range(2)]
    kept = [told(desk, {"kept/a": "a", "b": str(number)}) for number in range(2)]
    assert thrown[0] != thrown[1]
    assert kept[0] == kept[1]
    server = desk.world.home.server_file
    server.write_text(
        server.read_text().replace('command = ["throw"]\npaths = ["kept', 'command = ["throw", "x"]\npaths = ["kept')
    )
    assert told(desk, {"kept/a": "a"}) != kept[0]


def test_doctor_and_the_list_of_plugins_know_it(desk: Desk):
    assert "names" in next(
        line for line in desk.world.admin("doctor").out.splitlines() if line.split()[1:2] == ["plugins:"]
    )
    assert desk.world.admin("plugin", "list").must().out.splitlines()[-1] == (
        "enabled    [[exec_check]]  names  (check-names)"
    )
