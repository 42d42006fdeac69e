"""A fork that judged a whole push judges the next one, which finds nothing of it, and all that changed meanwhile."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_hooks.edge.warm_place import running
from tests.push.desk import Desk
from tests.push.test_one_fork_a_push import desk, edit, judged, state
from tests.push.test_signing_key import backwards
from tests.push.waiting_fork import children_of, is_free
from tests.push.warm_desk import warm_desk
from tests.waiting import wait_until
from tests.world import POLICY, Template, World

__all__ = ["desk"]  # the fixture


def free(world: World) -> list[int]:
    return [pid for judge in running(world.home) for pid in children_of(judge.pid) if is_free(pid)]


def propose(desk: Desk, topic: str, person: str = "alice") -> str:
    """What the pusher was told, of a push that is accepted."""
    commit = desk.commit(person, {f"{topic}.yml": "a: 1\n"})
    return desk.push(person, f"{commit}:refs/for/main/{topic}").must().err


def has_free(desk: Desk, topic: str) -> int:
    """The one that is free after a proposal."""
    propose(desk, topic)
    (fork,) = wait_until(lambda: free(desk.world))
    return fork


def test_proposals_and_landings_have_one_fork(desk: Desk) -> None:
    world = desk.world
    fork, before = has_free(desk, "first"), judged(world)
    propose(desk, "second")
    assert desk.push("bob", f"{desk.tip('refs/changes/2/head')}:refs/approve/2").must()
    propose(desk, "third", "bob")
    wait_until(lambda: free(world) == [fork])
    assert judged(world) >= before + 6
    assert list((state(world) / "pushes").iterdir()) == []


def test_at_rest_it_has_nothing_of_the_push(desk: Desk) -> None:
    fork = has_free(desk, "rest")
    folder = Path("/proc") / str(fork)
    assert (folder / "cwd").readlink() == Path("/")
    assert str(desk.world.repository) not in (folder / "maps").read_text()
    held = sorted(str(each.readlink())[:8] for each in (folder / "fd").iterdir())
    assert held == ["/dev/nul"] * 3 + ["socket:["] * 2


def test_the_servers_key_has_never_been_in_its_memory(desk: Desk) -> None:
    fork = has_free(desk, "key")
    propose(desk, "key-again")
    wait_until(lambda: free(desk.world) == [fork])
    wanted = [bytes.fromhex(each)[::-1] for each in backwards(desk.world.home.signing_key).split(",")]
    assert not holds(fork, wanted)
    # Who signs for it has it, which shows that what is looked for can be found.
    (signing,) = children_of(fork)
    assert holds(signing, wanted)


def holds(pid: int, wanted: list[bytes]) -> bool:
    folder = Path("/proc") / str(pid)
    with (folder / "mem").open("rb", buffering=0) as memory:
        for line in (folder / "maps").read_text().splitlines():
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if " rw" in line:
                memory.seek(begin)
                part = memory.read(end - begin)
                if any(each in part for each in wanted):
                    return True
    return False


ENDS: "dict[str, Callable[[World, int], object]]" = {
    "killed": lambda world, fork: os.kill(fork, signal.SIGKILL),
    "who signs killed": lambda world, fork: os.kill(children_of(fork)[0], signal.SIGKILL),
    "who signs stands still": lambda world, fork: os.kill(children_of(fork)[0], signal.SIGSTOP),
    "its parent killed": lambda world, fork: os.kill(running(world.home)[0].pid, signal.SIGKILL),
    "its parent asked to end": lambda world, fork: os.kill(running(world.home)[0].pid, signal.SIGTERM),
    "server file edited": lambda world, fork: edit(world.home.server_file),
}


@pytest.mark.parametrize("act", ENDS.values(), ids=ENDS)
def test_whatever_becomes_of_it_the_next_push_is_recorded(desk: Desk, act: "Callable[[World, int], object]") -> None:
    fork = has_free(desk, "before")
    ours = [fork, *children_of(fork)]
    act(desk.world, fork)
    assert "change 2, revision 1" in propose(desk, "after")
    wait_until(lambda: not any((Path("/proc") / str(pid)).exists() for pid in ours))
    assert list((state(desk.world) / "pushes").iterdir()) == []


def test_who_was_removed_meanwhile_is_refused(desk: Desk) -> None:
    has_free(desk, "removed")
    users = desk.world.home.users_file
    users.write_text(users.read_text().replace('name = "alice"', 'name = "alina"'))
    commit = desk.commit("alice", {"late.yml": "a: 1\n"})
    found = desk.push("alice", f"{commit}:refs/for/main/late")
    assert found.code != 0
    assert "this key is no longer known here" in found.err, found.err


def test_a_policy_that_landed_meanwhile_counts(desk: Desk) -> None:
    world = desk.world
    fork = has_free(desk, "policy")
    desk.land({".gitops/policy.yaml": POLICY.replace(", secrets", "").replace("['*']", "['@senior']")})
    # The one that landed it, and judges the next push too.
    wait_until(lambda: free(world) == [fork])
    commit = desk.commit("alice", {"late.yml": "a: 1\n"})
    found = desk.push("alice", f"{commit}:refs/for/main/late")
    assert found.code == 1
    assert "may propose" in found.err, found.err


def test_after_a_refusal_it_ends(desk: Desk) -> None:
    fork = has_free(desk, "refused")
    commit = desk.commit("alice", {"bad.yml": "a: [\n"})
    assert desk.push("alice", f"{commit}:refs/for/main/bad").code == 1
    wait_until(lambda: not (Path("/proc") / str(fork)).exists())


def test_where_a_plugin_is_somebody_elses_none_is_free(site: Template) -> None:
    with warm_desk(site) as warm:
        warm.warm_up()
        assert warm.propose("others")[0] == 0
        time.sleep(0.5)
        assert free(warm.world) == []
