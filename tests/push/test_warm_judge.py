"""The warm judge: the same verdicts sooner, nothing of one push in the next, and whatever changes counts at once."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gitops_hooks.edge import living, warm_client
from gitops_hooks.edge.warm_place import running, stop_programs
from tests.push.desk import MAIN, Desk
from tests.push.warm_desk import PLUGIN, WarmDesk, lay_release, warm_desk
from tests.waiting import wait_until
from tests.world import Template, World

AT_ONCE = 40
MOST = 128  # guests of one warm judge


@pytest.fixture
def warm(site: Template) -> Iterator[WarmDesk]:
    with warm_desk(site) as warm:
        yield warm


def open_descriptors(pid: int) -> list[int]:
    return [int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()]


def set_limits(world: World, *lines: str) -> None:
    server = world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", "\n".join(["[limits]", *lines, ""]), 1))


def test_it_begins_with_the_first_push_and_judges_those_that_follow(warm: WarmDesk) -> None:
    assert running(warm.world.home) == ()
    warm.propose("first")
    first = warm.warm_up()
    assert warm.propose("second")[0] == 0
    assert warm.seen()[-1].parent == first
    assert len({seen.judge for seen in warm.seen()}) == len(warm.seen())


def tell_a_story(desk: Desk) -> list[str]:
    """Everything that pushers read, of a day on which much goes wrong; commits are the same wherever it is told."""
    said = []
    dates = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    files = {"a.yml": "a: 1\n", "b.yml": "b: [\n", "c.yml": "c: 1\nc: 2\n"}
    good, bad, twice = (
        desk.commit("alice", {name: text}, onto=desk.tip(MAIN), **dates) for name, text in files.items()
    )
    for who, word in (
        ("alice", f"{good}:{MAIN}"),
        ("alice", f"{good}:refs/for/main"),
        ("alice", f"{bad}:refs/for/main/bad"),
        ("alice", f"{twice}:refs/for/main/twice"),
        ("alice", f"{good}:refs/approve/1"),
        ("alice", f"{good}:refs/approve/7"),
        ("carol", f"{good}:refs/changes/1/head"),
        ("alice", f"{good}:refs/heads/free"),
        ("bob", f"{good}:refs/approve/1"),
        ("bob", f"{good}:refs/approve/1"),
        ("alice", ":refs/heads/free"),
    ):
        done = desk.push(who, "-q", word)
        said += [f"{who} {word.partition(':')[2]} {done.code}", *done.remote_lines]
    said += [event.fact("Event") or "" for event in desk.log()]
    return said


def test_what_pushers_read_is_the_same_without_it(site: Template) -> None:
    told = []
    for seconds in (0, 600):
        world = World.copied_from(site)
        try:
            set_limits(world, f"warm_seconds = {seconds}")
            desk = Desk.beside(world)
            if seconds:
                desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/begin").must()
                wait_until((world.home.judge / "socket").exists)
            told.append(tell_a_story(desk))
            assert bool(running(world.home)) == bool(seconds)
        finally:
            world.close()
    assert told[0] == told[1]
    assert "bob refs/approve/1 0" in told[0]


def test_nothing_of_one_push_is_left_to_the_next(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    before = len(warm.seen())
    warm.be("leak")
    for number in range(3):
        assert warm.propose(f"leaking-{number}")[0] == 0
    leaking = warm.seen()[before:]
    assert [(seen.parent, seen.left, seen.environ) for seen in leaking] == [(judge, 0, "None")] * 3
    assert len({seen.umask for seen in warm.seen()}) == 1
    assert 150 not in open_descriptors(judge)


def waiting_forks(judge: int) -> list[int]:
    """The forks of a warm judge that judge nobody yet."""
    return [int(pid) for pid in Path(f"/proc/{judge}/task/{judge}/children").read_text().split()]


def have_forks_wait(warm: WarmDesk, judge: int) -> set[int]:
    """A push that ends with its first hook, so that the fork for its second one goes on waiting."""
    commit = warm.desk.commit("carol", {"a.yml": "a: 1\n"})
    assert warm.desk.push("carol", f"{commit}:refs/changes/1/head").code == 1
    return wait_until(lambda: set(waiting_forks(judge)))


def ages(warm: WarmDesk, topic: str) -> tuple[int, int]:
    """When the judge of a first hook began, and when that hook did, in clock ticks."""
    warm.be("wait")
    before = len(warm.seen())
    push = warm.start_pushing(topic)
    wait_until(lambda: len(warm.seen()) > before)
    judge = living.look_at(warm.seen()[-1].judge)
    mine = f"{warm.world.home.path}/state/"
    hooks = [one for one in living.list_living() if any(word.startswith(mine) for word in one.argv[1:])]
    (hook,) = hooks
    warm.be("calm")
    push.communicate(timeout=60)
    assert judge is not None and push.returncode == 0
    return judge.started, hook.started


def test_a_fork_waits_for_the_hook_that_comes(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    tries = 0
    # On a busy machine one may still prepare itself when its hook has come.
    while True:
        began, asked = ages(warm, f"next-{tries}")
        if began < asked:
            break
        tries += 1
        assert tries < 20
    taken = warm.seen()[-1]
    assert taken.parent == judge
    wait_until(lambda: taken.judge not in waiting_forks(judge))


def test_one_waits_for_the_login_of_the_next_push_too(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    waiting = wait_until(lambda: set(waiting_forks(judge)))
    commit = warm.desk.commit("carol", {"a.yml": "a: 1\n"})
    assert warm.desk.push("carol", f"{commit}:refs/changes/1/head").code == 1
    assert not waiting & set(waiting_forks(judge))


def test_one_that_waits_holds_nothing_of_a_repository(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    warm.world.server_git("repack", "-adq")
    assert warm.propose("packed")[0] == 0
    (waiting,) = wait_until(lambda: waiting_forks(judge))
    repository = str(warm.world.repository)

    def held() -> bool:
        links = [str(each.readlink()) for each in Path(f"/proc/{waiting}/fd").iterdir()]
        return any(repository in words for words in (*links, Path(f"/proc/{waiting}/maps").read_text()))

    # While it prepares itself it reads there.
    wait_until(lambda: not held())
    assert waiting in waiting_forks(judge)


def test_a_fork_that_was_killed_while_it_waited_is_missed_by_nobody(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    killed = have_forks_wait(warm, judge)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert warm.propose("next")[0] == 0
    assert (warm.seen()[-1].judge in killed, warm.seen()[-1].parent) == (False, judge)
    assert not killed & set(waiting_forks(judge))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_forks_that_wait_end_with_it(warm: WarmDesk, number: signal.Signals) -> None:
    judge = warm.warm_up()
    waiting = have_forks_wait(warm, judge)
    os.kill(judge, number)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in waiting))


def test_an_edited_plugin_counts_at_once(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    warm.write_plugin("2")
    assert warm.propose("edited")[0] == 0
    assert (warm.seen()[-1].version, warm.seen()[-1].parent == judge) == ("2", False)
    wait_until(lambda: not any(one.pid == judge for one in running(warm.world.home)))
    assert warm.warm_up() != judge
    assert warm.seen()[-1].version == "2"


def test_an_edited_server_file_counts_at_once(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    server = warm.world.home.server_file
    text = server.read_text()
    server.write_text(text.replace('"told_plugin"', '"no_such_plugin"'))
    code, said = warm.propose("edited")
    assert code == 1
    assert said == [
        "gitops: no_such_plugin: this plugin does not load: ModuleNotFoundError: No module named 'no_such_plugin'"
    ]
    wait_until(lambda: not any(one.pid == judge for one in running(warm.world.home)))
    server.write_text(text.replace(', "told_plugin"', ""))
    before = len(warm.seen())
    assert warm.propose("without")[0] == 0
    assert len(warm.seen()) == before


def test_an_edited_release_counts_at_once(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    path = warm.release / "gitops_hooks" / "core" / "report.py"
    path.write_text(path.read_text() + "\n")
    assert warm.propose("edited")[0] == 0
    assert warm.seen()[-1].parent != judge
    wait_until(lambda: not any(one.pid == judge for one in running(warm.world.home)))


def test_a_push_of_another_release_is_judged_by_that_release(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    other = warm.world.folder / "other"
    lay_release(warm.world, other)
    (other / "told_plugin.py").write_text(PLUGIN.replace("VERSION", "other"))
    assert warm.propose("other")[0] == 0
    assert (warm.seen()[-1].version, warm.seen()[-1].parent == judge) == ("other", False)
    wait_until(lambda: not any(one.pid == judge for one in running(warm.world.home)))
    assert warm.warm_up() != judge
    assert warm.seen()[-1].version == "other"


def test_it_ends_when_nobody_has_pushed_for_a_while(warm: WarmDesk) -> None:
    set_limits(warm.world, "warm_seconds = 2")
    judge = warm.warm_up()
    wait_until(lambda: not any(one.pid == judge for one in running(warm.world.home)))
    assert not (warm.world.home.judge / "socket").exists()
    assert warm.propose("later")[0] == 0


def test_a_server_that_wants_none_has_none(warm: WarmDesk) -> None:
    set_limits(warm.world, "warm_seconds = 0")
    for number in range(2):
        assert warm.propose(f"cold-{number}")[0] == 0
    assert running(warm.world.home) == ()
    assert not warm.world.home.judge.exists()


def test_the_administrators_stop_ends_it_too(warm: WarmDesk) -> None:
    warm.warm_up()
    assert stop_programs(warm.world.home)
    assert running(warm.world.home) == ()
    assert not (warm.world.home.judge / "socket").exists()


@pytest.mark.parametrize(
    "deed",
    [
        "import threading\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        "KEPT = open(os.devnull)\n",
        "os.environ['FROM_IMPORT'] = 'x'\n",
        "signal.signal(signal.SIGTERM, lambda *_: None)\n",
        "import subprocess\nsubprocess.Popen(['sleep', '5'])\n",
    ],
    ids=["thread", "file", "environment", "signal", "child"],
)
def test_a_plugin_whose_import_does_what_cannot_be_shared_is_loaded_by_each_hook(warm: WarmDesk, deed: str) -> None:
    warm.write_plugin("1", PLUGIN + deed)
    assert warm.propose("first")[0] == 0
    wait_until(lambda: not running(warm.world.home))
    log = (warm.world.home.judge / "log").read_text()
    assert log == (
        "gitops-hooks, warm judge: a plugin's import started, opened or changed something that cannot be shared; "
        "each hook loads it itself\n"
    )
    assert not (warm.world.home.judge / "socket").exists()


@pytest.mark.timeout(400)
def test_many_who_push_at_once_are_each_judged_for_themselves(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    before = len(warm.seen())
    people = ("alice", "bob", "carol", "dave")
    heads = [warm.desk.commit("alice", {f"{number}.yml": "a: 1\n"}) for number in range(AT_ONCE)]

    def push(number: int) -> int:
        word = f"{heads[number]}:refs/for/main/many-{number}"
        return warm.desk.git(people[number % 4], "push", "-q", "host:site", word, seconds=300).code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(push, range(AT_ONCE)))
    assert codes == [0] * AT_ONCE
    refs = warm.desk.refs()
    assert set(heads) <= {refs[name] for name in refs if name.endswith("/head")}
    assert sum(seen.parent == judge for seen in warm.seen()[before:]) > AT_ONCE // 2
    assert {seen.left for seen in warm.seen()} == {0}
    wait_until(lambda: len(open_descriptors(judge)) < 12)


def is_held(caller: socket.socket) -> bool:
    """Whether nothing has come from the other end, not even its end."""
    return not select.select([caller], [], [], 0)[0]


def test_who_says_nothing_is_sent_away_and_keeps_no_push_from_being_judged(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    home = str(warm.world.home.path)
    callers: list[socket.socket] = []
    # Until a push is over before the first of them is sent away.
    while not callers or not is_held(callers[0]):
        callers = [warm_client.connect(home) for _ in range(MOST + 1)]
        assert callers[-1].recv(1) == b""
        assert warm.propose(f"full-{time.monotonic_ns()}")[0] == 0
    assert warm.seen()[-1].parent != judge
    for caller in callers:
        caller.settimeout(30)
        assert caller.recv(1) == b""
        caller.close()
    assert warm.propose("free")[0] == 0
    assert warm.seen()[-1].parent == judge


@pytest.mark.parametrize("said", [b"x" * 8, b"00000000", b"ffffffff", b"00000003a\0b"])
def test_who_says_what_no_hook_says_is_sent_away_at_once(warm: WarmDesk, said: bytes) -> None:
    warm.warm_up()
    with suppress(ConnectionResetError), closing(warm_client.connect(str(warm.world.home.path))) as caller:
        caller.sendall(said)
        assert caller.recv(100) == b""


def test_a_new_push_soon_after_its_end_judges_by_itself(warm: WarmDesk) -> None:
    started = warm.world.home.judge / "log"
    was = 0
    # Until a push is over while the next start is not due yet.
    while not was or started.stat().st_mtime_ns != was:
        warm.warm_up()
        assert stop_programs(warm.world.home)
        os.utime(started)
        was, begun = started.stat().st_mtime_ns, time.monotonic()
        assert warm.propose(f"soon-{was}")[0] == 0
        assert time.monotonic() - begun < 30
    assert running(warm.world.home) == ()
