"""The conversation proved against the real git receive-pack, with real local pushes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
import json, os, subprocess, sys
sys.path.insert(0, ROOT)
from gitops_hooks.core.pktline import Conversation, Moved, Report, encode_report

NO = "0" * 40
talk = Conversation(most_refs=1000, most_options=32)
while not talk.done_reading:
    talk.feed(os.read(0, 65536))
    sys.stdout.buffer.write(talk.outgoing())
    sys.stdout.buffer.flush()
with open("heard.json", "w") as heard:
    json.dump({
        "commands": [[u.old, u.new, u.ref] for u in talk.commands], "options": talk.options,
        "atomic": talk.atomic, "refusal": talk.refusal and talk.refusal.reason,
    }, heard)
if talk.refusal:
    sys.exit("broken: " + talk.refusal.reason)


def tip(ref):
    asked = subprocess.run(["git", "rev-parse", "-q", "--verify", ref], capture_output=True, text=True)
    return asked.stdout.strip() or NO


def answer(update):
    _, space, rest = update.ref.split("/", 2)
    if space in ("heads", "tags"):
        return Report(update.ref, True, fall_through=True)
    if space == "reject":
        return Report(update.ref, False, "two\\nlines of reason")
    if space == "close":
        return Report(update.ref, True)
    moves = ["refs/heads/main"] if space == "approve" else ["refs/changes/1/head", "refs/heads/side"]
    moved = []
    for ref in moves if space in ("approve", "land") else [f"refs/changes/{rest.partition('%')[0]}/head"]:
        moved.append(Moved(ref, tip(ref), update.new))
        subprocess.run(["git", "update-ref", ref, update.new], check=True)
    return Report(update.ref, True, moved=tuple(moved))


sys.stdout.buffer.write(encode_report([answer(update) for update in talk.commands]))
sys.stdout.buffer.flush()
"""


@dataclass(frozen=True)
class World:
    server: Path
    client: Path

    def git(self, *words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        clean = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "HOME": str(self.client.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C",
        }
        who = ["-c", "user.name=alice", "-c", "user.email=alice@example.org"]
        return subprocess.run(
            ["git", *who, *words], cwd=at or self.client, env=clean, capture_output=True, text=True, timeout=60
        )

    def push(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.git("push", "origin", *words)

    def tip(self, ref: str) -> str:
        return self.git("rev-parse", "-q", "--verify", ref, at=self.server).stdout.strip()

    def heard(self) -> dict:
        return json.loads((self.server / "heard.json").read_text())


def configure(world: World, name: str, value: str) -> None:
    assert world.git("config", "--add", name, value, at=world.server).returncode == 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "server.git", tmp_path / "client")
    world.git("init", "-q", "--bare", "-b", "main", str(world.server), at=tmp_path)
    world.git("init", "-q", "-b", "main", str(world.client), at=tmp_path)
    world.git("remote", "add", "origin", str(world.server))
    world.git("commit", "-q", "--allow-empty", "-m", "first")
    assert world.push("HEAD:refs/heads/main").returncode == 0
    world.git("commit", "-q", "--allow-empty", "-m", "second")
    for space in ("for", "approve", "reject", "land", "close", "heads", "tags"):
        configure(world, "receive.procReceiveRefs", f"refs/{space}")
    configure(world, "receive.advertisePushOptions", "true")
    program = world.server / "proc_receive.py"
    program.write_text(f"ROOT = {str(ROOT)!r}\n{HOOK}")
    hook = world.server / "hooks" / "proc-receive"
    hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}"\n')
    hook.chmod(0o755)
    return world


def head(world: World) -> str:
    return world.git("rev-parse", "HEAD").stdout.strip()


def shown(pushed: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.strip() for line in pushed.stderr.splitlines() if line.startswith((" * ", " ! ", "   ", " + ", " - "))]


def test_a_proposal_with_options_in_its_name_and_beside_it_shows_the_change(world):
    pushed = world.push("-o", "title=größe", "-o", "x=1,2", "HEAD:refs/for/main/topic%m={base64}aGVsbG8=,help")
    assert pushed.returncode == 0, pushed.stderr
    assert shown(pushed) == ["* [new reference]   HEAD -> refs/changes/main/topic/head"]
    ref = "refs/for/main/topic%m={base64}aGVsbG8=,help"
    assert world.heard() == {
        "commands": [["0" * 40, head(world), ref]],
        "options": ["title=größe", "x=1,2"],
        "atomic": False,
        "refusal": None,
    }
    assert world.tip(ref) == ""


def test_a_landing_is_shown_and_tracked_as_the_branch(world):
    old = world.tip("refs/heads/main")
    world.git("push", "origin", "HEAD:refs/for/12")
    world.git("fetch", "-q", "origin", "refs/changes/12/head")
    pushed = world.push("FETCH_HEAD:refs/approve/12")
    assert pushed.returncode == 0, pushed.stderr
    assert shown(pushed) == [f"{old[:7]}..{head(world)[:7]}  FETCH_HEAD -> main"]
    assert world.tip("refs/heads/main") == head(world)
    assert world.git("rev-parse", "origin/main").stdout.strip() == head(world)


def test_one_command_may_report_several_refs(world):
    pushed = world.push("HEAD:refs/land/1")
    assert pushed.returncode == 0, pushed.stderr
    assert shown(pushed) == [
        "* [new reference]   HEAD -> refs/changes/1/head",
        "* [new branch]      HEAD -> side",
    ]


def test_fall_through_leaves_the_move_to_git(world):
    pushed = world.push("HEAD:refs/heads/main", "HEAD:refs/heads/größe", "HEAD:refs/tags/v1")
    assert pushed.returncode == 0, pushed.stderr
    assert {world.tip(ref) for ref in ("refs/heads/main", "refs/heads/größe", "refs/tags/v1")} == {head(world)}
    assert [ref for _, _, ref in world.heard()["commands"]] == ["refs/heads/main", "refs/heads/größe", "refs/tags/v1"]


def test_a_refusal_gives_its_reason_on_one_line_and_spares_the_others(world):
    pushed = world.push("HEAD:refs/reject/1", "HEAD:refs/heads/other")
    assert pushed.returncode == 1
    assert "! [remote rejected] HEAD -> refs/reject/1 (two lines of reason)" in shown(pushed)
    assert world.tip("refs/heads/other") == head(world)


def test_an_atomic_push_says_so(world):
    pushed = world.push("--atomic", "HEAD:refs/heads/a", "HEAD:refs/heads/b")
    assert pushed.returncode == 0, pushed.stderr
    assert world.heard()["atomic"] is True


def test_a_delete_of_a_magic_ref_arrives(world):
    pushed = world.push(":refs/close/12")
    assert pushed.returncode == 0, pushed.stderr
    assert world.heard()["commands"] == [["0" * 40, "0" * 40, "refs/close/12"]]


def test_four_hundred_refs_of_both_kinds_are_answered_one_by_one(world):
    refs = [f"refs/heads/b{n}" if n % 2 else f"refs/for/c{n}" for n in range(400)]
    pushed = world.push("-o", "x", *(f"HEAD:{ref}" for ref in refs))
    assert pushed.returncode == 0, pushed.stderr
    assert sorted(ref for _, _, ref in world.heard()["commands"]) == sorted(refs)
    assert {world.tip("refs/heads/b399"), world.tip("refs/changes/c398/head")} == {head(world)}
    assert len(shown(pushed)) == 400


def test_a_broken_conversation_moves_nothing(world):
    pushed = world.push("HEAD:refs/heads/-x")
    assert pushed.returncode == 1
    reason = "refs/heads/-x: a name that starts with - could be taken for an option"
    assert f"remote: broken: {reason}" in [line.strip() for line in pushed.stderr.splitlines()]
    assert "! [remote rejected] HEAD -> -x (fail to run proc-receive hook)" in shown(pushed)
    assert world.tip("refs/heads/-x") == ""
