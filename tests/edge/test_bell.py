"""Whoever comes by wakes the reconciler and starts it where it does not run; nobody ever waits for it."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.bell import ensure_reconciler, open_bell, reconcile_lock, ring, stop_reconciler
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.new_home import make_home
from tests.waiting import wait_until


@pytest.fixture(params=["short", "long" * 60])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    home = Home(tmp_path / request.param)
    make_home(home)
    return home


def rung(bell) -> bool:
    return bool(select.select([bell], [], [], 1.0)[0])


def test_a_ring_is_heard_wherever_home_lies(home):
    bell = open_bell(home)
    try:
        assert not select.select([bell], [], [], 0)[0]
        for _ in range(10):
            ring(home)
        assert rung(bell)
        bell.hush()
        assert not select.select([bell], [], [], 0)[0]
        assert (home.run / "bell").stat().st_mode & 0o777 == 0o600
    finally:
        bell.close()


def test_a_bell_that_nobody_hears_costs_nothing(home, tmp_path):
    ring(home)
    ring(Home(tmp_path / "absent"))
    bell = open_bell(home)
    bell.close()
    begun = time.monotonic()
    for _ in range(2000):
        ring(home)
    assert time.monotonic() - begun < 5


def test_a_full_bell_is_not_waited_for(home):
    bell = open_bell(home)
    try:
        begun = time.monotonic()
        for _ in range(5000):
            ring(home)
        assert time.monotonic() - begun < 10
        bell.hush()
    finally:
        bell.close()


def test_a_second_bell_takes_the_place_of_one_that_was_left(home):
    open_bell(home).close()
    bell = open_bell(home)
    ring(home)
    assert rung(bell)
    bell.close()


STAND_IN = """\
import os, sys, time
assert sys.argv[1] == "--lock" and os.path.samestat(os.fstat(int(sys.argv[2])), os.stat({lock!r}))
print("says", os.getpid(), os.getcwd(), sorted(os.environ), os.getsid(0) == os.getpid(), sys.stdin.read())
sys.stdout.flush()
time.sleep(60)
"""


def test_ensure_starts_it_once_and_stop_ends_it(home, monkeypatch):
    """The program that is started stands in for the reconciler; it is started as the real one is."""
    reconcile_launcher(home).write_text(STAND_IN.format(lock=str(reconcile_lock(home))))
    monkeypatch.setenv("SECRET", "x")
    for _ in range(3):
        # Also while the first one still loads.
        assert ensure_reconciler(home)
    pid = (home.run / "reconcile.pid").read_text().strip()
    wait_until(lambda: (home.run / "reconcile.log").read_text().endswith("\n"))
    assert ensure_reconciler(home)
    log = (home.run / "reconcile.log").read_text()
    assert log == f"says {pid} {home.path} ['GITOPS_HOOKS_HOME', 'HOME', 'LANG', 'PATH'] True \n"
    assert stop_reconciler(home)
    assert try_lock_is_free(home)
    assert stop_reconciler(home)


def test_stop_ends_nothing_but_the_reconciler(home):
    hold = try_lock(reconcile_lock(home))
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (home.run / "reconcile.pid").write_text(str(bystander.pid))
        assert not stop_reconciler(home)
        assert bystander.poll() is None
    finally:
        os.close(hold)
        bystander.send_signal(signal.SIGKILL)
        bystander.wait(10)


def test_a_reconciler_that_cannot_start_is_no_visitors_fault(home, tmp_path):
    reconcile_launcher(home).unlink()
    assert not ensure_reconciler(home)
    assert not ensure_reconciler(Home(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()


def test_the_log_is_bounded(home):
    log = home.run / "reconcile.log"
    log.write_bytes(b"x" * (1024 * 1024 + 1))
    reconcile_launcher(home).write_text("")
    assert ensure_reconciler(home)
    assert log.stat().st_size < 1000
    assert (home.run / "reconcile.log.1").stat().st_size == 1024 * 1024 + 1


def try_lock_is_free(home: Home) -> bool:
    hold = try_lock(reconcile_lock(home))
    if hold is not None:
        os.close(hold)
    return hold is not None
