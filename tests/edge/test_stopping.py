"""That the file is there is what counts, whatever it says."""

import os
from pathlib import Path

import pytest

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.stopping import Stop, lay_stop, read_stop, take_stop_away


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_what_is_laid_is_read_until_it_is_taken_away(home):
    assert read_stop(home) is None
    laid = lay_stop(home, "the key\nleaked")
    assert read_stop(home) == laid
    assert laid.words == f"by the administrator since {laid.since}: the key leaked"
    assert (take_stop_away(home), take_stop_away(home)) == (True, False)
    assert read_stop(home) is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[]", b'{"reason": "x"}', b"[" * 60_000])
def test_a_file_that_says_nothing_readable_is_obeyed(home, content):
    home.stop_file.write_bytes(content)
    assert read_stop(home) == Stop()
    assert Stop().words == "by the administrator"


def test_what_is_no_file_is_obeyed_too_and_nobody_waits_for_it(home):
    home.stop_file.mkdir()
    assert read_stop(home) == Stop()
    home.stop_file.rmdir()
    home.stop_file.symlink_to("nowhere")
    assert read_stop(home) == Stop()
    home.stop_file.unlink()
    os.mkfifo(home.stop_file)
    assert read_stop(home) == Stop()
