"""What the tasks of a run did is kept in one file a run, bounded, and read from where one stopped."""

from pathlib import Path

from gitops_hooks.edge.run_log import RunLog, run_log
from gitops_hooks.model.deployment import HostState, Step

STEP = Step(1.5, "web1", HostState.CHANGED, "Page", "site.yml:9", "")


def test_what_was_appended_is_read_and_read_on_from_there(tmp_path: Path):
    log = run_log(tmp_path, "staging")
    log.append(7, [STEP])
    steps, end, cut = log.read(7)
    assert (steps, cut) == ((STEP,), False)
    other = Step(2.0, "web2", HostState.FAILED, "Disk", "site.yml:6", 'full "\n')
    log.append(7, [other])
    assert log.read(7, end)[0] == (other,)
    assert log.read(8)[0] == ()


def test_a_line_that_is_not_whole_yet_is_left_for_later(tmp_path: Path):
    log = RunLog(tmp_path)
    log.append(7, [STEP])
    with (tmp_path / "7.jsonl").open("ab") as file:
        file.write(b'[2,"web2"')
    steps, end, _ = log.read(7)
    assert steps == (STEP,)
    assert end == (tmp_path / "7.jsonl").read_bytes().rfind(b"\n") + 1


def test_the_newest_thirty_runs_are_kept(tmp_path: Path):
    log = RunLog(tmp_path)
    for generation in range(95, 130):
        log.append(generation, [STEP])
    assert sorted(int(path.stem) for path in tmp_path.iterdir()) == list(range(100, 130))


def test_a_run_that_says_too_much_is_cut_and_says_so(tmp_path: Path):
    log = RunLog(tmp_path)
    long = Step(1.0, "web1", HostState.OK, "x" * 1024 * 1024, "", "")
    for _ in range(12):
        log.append(7, [long])
    steps, _, cut = log.read(7)
    assert (len(steps), cut) == (7, True)
    assert (tmp_path / "7.jsonl").stat().st_size < 9 * 1024 * 1024


def test_a_folder_that_cannot_be_written_loses_the_news_and_no_more(tmp_path: Path):
    (tmp_path / "file").touch()
    log = RunLog(tmp_path / "file" / "below")
    log.append(7, [STEP])
    assert log.read(7) == ((), 0, False)
