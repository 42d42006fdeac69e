"""What plans found is kept for who may read it, bounded, and only as what its event says."""

import os
from datetime import UTC, datetime

import pytest

from gitops_hooks.edge import plan_notes
from gitops_hooks.edge.plan_notes import PlanNotes, digest_key, forget_plan, read_plan, write_plan
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOST = HostPlan("web1", Prospect.CHANGES, (Difference("site.yml:4", "Page", "-a\n+b"),), 1, 1, "ended early")
NOTES = PlanNotes(AT, "d" * 64, {"staging": Plan((HOST,)), "production": Plan(detail="no host")})


def test_it_is_read_as_it_was_written_and_by_nobody_else(tmp_path):
    write_plan(tmp_path, 3, NOTES)
    assert read_plan(tmp_path, 3, NOTES.digest) == NOTES
    assert (tmp_path / "plans").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "plans" / "3.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"at": "2026-11-26T09:00:00+00:00", "digest": "d", "plans": {"a": 1}}']
)
def test_what_cannot_be_read_or_is_of_another_digest_is_not_there(tmp_path, text):
    write_plan(tmp_path, 3, NOTES)
    assert read_plan(tmp_path, 3, "e" * 64) is None and read_plan(tmp_path, 4, NOTES.digest) is None
    (tmp_path / "plans" / "3.json").write_text(text)
    assert read_plan(tmp_path, 3, "d") is None


def test_old_ones_go_and_a_purged_one_goes_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(plan_notes, "MOST_CHANGES", 2)
    for number in (1, 2, 3):
        write_plan(tmp_path, number, NOTES)
        # Some file systems tell no two writes of a moment apart.
        os.utime(tmp_path / "plans" / f"{number}.json", (number, number))
    assert sorted(path.stem for path in (tmp_path / "plans").glob("*.json")) == ["2", "3"]
    monkeypatch.setattr(plan_notes, "MOST_BYTES", 10)
    write_plan(tmp_path, 3, NOTES)
    assert [path.stem for path in (tmp_path / "plans").glob("*.json")] == ["3"]
    forget_plan(tmp_path, 3)
    forget_plan(tmp_path, 3)
    assert read_plan(tmp_path, 3, NOTES.digest) is None


def test_the_key_stays_and_one_that_is_cut_short_is_made_anew(tmp_path):
    first = digest_key(tmp_path)
    assert len(first) == 32 and digest_key(tmp_path) == first
    (tmp_path / "plans" / "key").write_bytes(first[:5])
    assert digest_key(tmp_path) not in (first, first[:5])
