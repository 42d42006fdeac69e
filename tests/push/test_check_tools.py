"""Stories of checks that run programs: of others over what is pushed, and pushed ones themselves, in a box."""

import socket
from collections.abc import Iterator

import pytest

from gitops_hooks.edge.living import list_living
from tests.push.desk import POLICY, Desk
from tests.push.with_guest import guest_server
from tests.world import World

TOOLS = POLICY.replace("checks: [yaml]", "checks: [yaml, shell, make]")
MARK = "34.00457"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with guest_server(TOOLS) as template:
        world = World.copied_from(template)
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, files: dict) -> list[str]:
    """What the checks say of a proposal that is refused; nothing runs on, and nothing stays on the server's disk."""
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/refused")
    assert done.code != 0 and "  checks" in done.remote, done.remote
    assert [one.argv for one in list_living() if MARK in one.argv] == []
    scratch = desk.world.seen(desk.world.home.path) / "state"
    assert [path for path in scratch.rglob("tools/*/*") if path.is_file()] == []
    found = [line.strip() for line in done.remote.split("\n")]
    return [line for line in found[found.index("checks") + 1 :] if line]


def test_what_a_tool_finds_is_told_with_path_and_line(desk: Desk):
    assert told(desk, {"a.sh": "if true\nthen echo (\nfi\n", "b.sh": "echo good\n"}) == [
        "a.sh:2: syntax error near unexpected token `newline'",
        "a.sh:2: `then echo ('",
    ]


def test_a_check_says_how_far_it_is_while_the_push_waits(desk: Desk):
    done = desk.push("alice", f"{desk.commit('alice', {'c.sh': 'echo good'})}:refs/for/main").must()
    assert "gitops: shell: 1 scripts" in done.remote


def test_a_pushed_program_runs_in_its_box_and_may_pass(desk: Desk):
    files = {"test.sh": "sh lib/add.sh > made && grep -q 3 made\n", "lib/add.sh": "echo $((1 + 2))\n"}
    desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/passes").must()


def test_a_pushed_program_reaches_nothing_of_the_server(desk: Desk):
    home, repository = desk.world.home.path, desk.world.repository
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        script = f"""\
cat {home}/server.toml {home}/*key* {repository}/config ~/.ssh/* 2>/dev/null
bash -c 'echo x > /dev/tcp/127.0.0.1/{port}' 2>/dev/null && echo network
touch {repository}/config {home}/x 2>/dev/null && echo wrote
env | grep -E 'GIT|KEY|TOKEN'
kill -9 $PPID -1 2>/dev/null
exit 9
"""
        assert told(desk, {"test.sh": script}) == ["test.sh: ended with 9:"]


def test_a_pushed_program_that_hangs_and_leaves_others_behind_is_ended_in_time(desk: Desk):
    script = f"setsid sleep {MARK} & \n(setsid sleep {MARK} &)\nsleep {MARK}\n"
    server = desk.world.home.server_file
    text = server.read_text()
    server.write_text(text.replace("[limits]\n", "[limits]\ncheck_seconds = 4\n", 1))
    (line,) = told(desk, {"test.sh": script})
    server.write_text(text)
    assert line.startswith("make: sh: took longer than ")


def test_a_pushed_program_that_prints_without_end_is_ended(desk: Desk):
    assert told(desk, {"test.sh": "yes\n"}) == ["make: sh: said more than 8388608 bytes"]
