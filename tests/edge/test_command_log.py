"""Logs of commands: one a change and command, bounded, and gone where nothing of them may stay."""

import os
from pathlib import Path

import pytest

from gitops_hooks.edge import command_log
from gitops_hooks.edge.command_log import (
    Kept,
    forget_logs,
    kept_runs,
    log_path,
    note_run,
    open_log,
    read_log,
    stop_all,
    trim_logs,
)


def write(state: Path, number: int, text: bytes, name: str = "test") -> Kept:
    kept = Kept("r" * 16, "command", name, "b" * 40, "7" * 40, float(number))
    note_run(state, number, kept)
    log = open_log(log_path(state, number, "command", name))
    os.write(log, text)
    os.close(log)
    os.utime(log_path(state, number, "command", name).parent, (number, number))
    return kept


def test_the_log_of_the_newest_run_is_kept(tmp_path: Path) -> None:
    write(tmp_path, 1, b"first\n")
    kept = write(tmp_path, 1, b"second\n")
    path = log_path(tmp_path, 1, "command", "test")
    assert (kept_runs(tmp_path, 1), read_log(path, 0, 100), read_log(path, 3, 3)) == ((kept,), b"second\n", b"ond")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert read_log(log_path(tmp_path, 2, "command", "test"), 0, 100) == b""


def test_a_reconciler_that_begins_finds_no_run_that_goes_on(tmp_path: Path) -> None:
    write(tmp_path, 1, b"begun\n")
    stop_all(tmp_path)
    assert [(kept.running, kept.name) for kept in kept_runs(tmp_path, 1)] == [(False, "test")]


def test_a_purged_change_leaves_none(tmp_path: Path) -> None:
    write(tmp_path, 1, b"a secret\n")
    forget_logs(tmp_path, 1)
    assert not command_log.log_folder(tmp_path, 1).exists() and kept_runs(tmp_path, 1) == ()


def test_the_oldest_go_first_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_log, "MOST_CHANGES", 20)
    for number in range(1, 24):
        write(tmp_path, number, b"x\n")
    trim_logs(tmp_path)
    left = sorted(int(folder.name) for folder in (tmp_path / "commands").iterdir())
    assert left == list(range(4, 24))
