"""When an agent came last, and how often it may report."""

import os
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.edge.agent_notes import agent_notes


def test_an_agent_is_seen_when_it_comes(tmp_path: Path):
    notes = agent_notes(tmp_path, "web")
    assert notes.seen() is None
    notes.note_seen()
    os.utime(tmp_path / "agents" / "web.seen", (1000, 1000))
    assert notes.seen() == datetime.fromtimestamp(1000, UTC)
    before = datetime.now(UTC)
    notes.note_seen()
    assert (notes.seen() - before).total_seconds() > -1
    assert agent_notes(tmp_path, "db").seen() is None


def test_five_reports_may_come_at_once_and_then_one_in_two_seconds(tmp_path: Path):
    notes = agent_notes(tmp_path, "web")
    assert [notes.take_turn(1000.0) for _ in range(6)] == [0, 0, 0, 0, 0, 2.0]
    assert notes.take_turn(1001.5) == 0.5
    assert notes.take_turn(1002.0) == 0
    assert notes.take_turn(1002.0) == 2.0
    assert [notes.take_turn(2000.0) for _ in range(6)] == [0, 0, 0, 0, 0, 2.0]
    assert agent_notes(tmp_path, "db").take_turn(2000.0) == 0


def test_a_clock_that_was_set_back_closes_it_for_nobody(tmp_path: Path):
    notes = agent_notes(tmp_path, "web")
    assert [notes.take_turn(1000.0) for _ in range(5)] == [0] * 5
    assert notes.take_turn(10.0) == 2.0
    assert notes.take_turn(12.0) == 0


def test_notes_that_cannot_be_read_count_for_nothing(tmp_path: Path):
    notes = agent_notes(tmp_path, "web")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "web.turns").write_text("broken")
    assert notes.take_turn(1000.0) == 0
