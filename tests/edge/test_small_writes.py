"""What a push writes for itself waits for no disk, and a row that says so already is not written again."""

import os
from pathlib import Path

from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.store import hand_file
from gitops_hooks.edge.warm_code import look_at_loaded


def test_a_file_that_is_handed_on_is_whole_and_the_servers_own(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "handed", tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    path.symlink_to(elsewhere)
    hand_file(path, b"one")
    hand_file(path, b"two")
    assert (path.is_symlink(), path.read_bytes(), path.stat().st_mode & 0o777) == (False, b"two", 0o600)
    assert elsewhere.read_text() == "kept"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["elsewhere", "handed"]


def test_a_number_that_was_only_just_reserved_is_not_written_again(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    number = index.reserve("alice", "refs/heads/main", "t")
    written = index.connection.total_changes
    index.begin(number)
    assert (index.unfinished(), index.connection.total_changes) == ((number,), written)
    index.forget(number)
    assert index.unfinished() == ()
    index.begin(number)
    assert index.unfinished() == (number,)


def test_a_loaded_file_that_is_touched_is_seen(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    loaded = look_at_loaded(2**62)
    assert loaded is not None and loaded.is_current()
    sign = loaded.sign
    (tmp_path / "new.py").write_text("")
    os.utime(tmp_path, ns=(1, 1))
    again = look_at_loaded(2**62)
    assert again is not None and not loaded.is_current() and again.sign != sign
    assert look_at_loaded(0) is None
