"""An agent tells when its run was, what went wrong in it, and where on its host the rest can be read."""

import json
import re
from pathlib import Path

import pytest

from tests.agent.conftest import Site, open_site
from tests.world import Template

pytestmark = pytest.mark.timeout(600)


def log_of(site: Site, number: int) -> str:
    return site.world.ssh("bob", f"env log staging {number}").out


def test_the_server_shows_what_failed_and_where_the_whole_record_lies(pulled: Template) -> None:
    with open_site(pulled) as site:
        (site.agent.root / "full").touch()
        site.agent.start()
        site.let_reconciler()
        site.await_that(lambda: re.search(r"\nfailed: ", log_of(site, 1)) is not None, 120)
        head, released, failed, last = log_of(site, 1).splitlines()
        assert head == f"deployment 1 of {site.tip()[:12]} to staging, attempt 1"
        assert re.fullmatch(r" +[0-9.]+ s  web1             released     to its agent", released), released
        times = r"began 2\d{3}-\d\d-\d\d [:0-9]{8}, ended [:0-9]{8} by its clock \(\d+ s\)"
        words = r"0 changed; site\.yml:6: Disk: .*; each task is in (/.*/run_logs/staging/1\.jsonl) beside web-agent"
        found = re.fullmatch(rf"! +[0-9.]+ s  web1             failed       {times}: {words}", failed)
        assert found, failed
        assert re.fullmatch(r"failed: ok 0, changed 0, failed 1 \(\d+ s\)", last), last
        tasks = [json.loads(line) for line in Path(found[1]).read_text().splitlines()]
        assert [(task[1], task[2], task[3]) for task in tasks] == [("web1", "failed", "Disk")]
