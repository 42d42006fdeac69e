"""The server's journal: bounded, one line a fact, never in a hook's way."""

import fcntl
import json
from pathlib import Path

import pytest

from gitops_hooks.edge import journal
from gitops_hooks.edge.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def lines(home: Home) -> list[dict[str, object]]:
    return [json.loads(line) for line in home.journal.read_text(encoding="ascii").splitlines()]


def test_an_entry_is_one_line_with_time_and_kind_first(home):
    journal.append(home, "refused", {"ref": "refs/heads/main", "count": 2})
    (entry,) = lines(home)
    assert list(entry) == ["time", "kind", "ref", "count"]
    assert (entry["kind"], entry["ref"], entry["count"]) == ("refused", "refs/heads/main", 2)
    assert str(entry["time"]).endswith("+00:00")


@pytest.mark.parametrize("text", ["two\nlines", "next\u2028line", "nel\x85", "\x1b[31mred", "\udcff"])
def test_pusher_text_stays_inside_its_value_and_is_ascii(home, text):
    journal.append(home, "refused", {"option": text})
    assert home.journal.read_bytes().count(b"\n") == 1
    assert home.journal.read_bytes().isascii()
    assert b"\x1b" not in home.journal.read_bytes()
    assert lines(home)[0]["option"] == text


def test_a_fact_cannot_stand_in_for_the_time_or_the_kind(home):
    journal.append(home, "refused", {"kind": "accepted", "time": "never"})
    assert lines(home)[0]["kind"] == "refused"
    assert lines(home)[0]["time"] != "never"


def test_the_file_is_bounded_by_one_old_file(home):
    for number in range(200):
        journal.append(home, "refused", {"number": number}, 2000)
    assert home.journal.stat().st_size <= 2000
    assert (home.path / "journal.jsonl.1").stat().st_size <= 2000
    assert sorted(path.name for path in home.path.iterdir()) == ["journal.jsonl", "journal.jsonl.1", "journal.lock"]
    assert lines(home)[-1]["number"] == 199


def test_one_huge_value_is_cut(home):
    journal.append(home, "refused", {"option": "x" * 1_000_000})
    assert home.journal.stat().st_size < 20_000


def test_the_file_is_the_server_users_own(home):
    journal.append(home, "refused", {})
    assert home.journal.stat().st_mode & 0o777 == 0o600


def test_a_missing_folder_a_full_disk_and_a_symlink_raise_nothing(tmp_path):
    journal.append(Home(tmp_path / "absent"), "refused", {})
    full = Home(tmp_path / "full")
    full.path.mkdir()
    full.journal.symlink_to("/dev/full")
    journal.append(full, "refused", {})
    assert str(full.journal.readlink()) == "/dev/full"


def test_a_lock_that_is_never_released_loses_the_line_and_not_the_push(home):
    with (home.path / "journal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        journal.append(home, "refused", {})
    assert not home.journal.exists()
    journal.append(home, "refused", {})
    assert len(lines(home)) == 1
