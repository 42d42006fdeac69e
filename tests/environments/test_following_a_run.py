"""What each task does on each host is seen while it happens, by whoever may read."""

import re
from concurrent.futures import ThreadPoolExecutor

from gitops_hooks.entry.follow import Watched, follow
from gitops_hooks.entry.sitting import open_sitting
from tests.environments.conftest import SITE, Site
from tests.faults.failpoints import no_reconciler
from tests.world import REPOSITORY

HELD = (
    SITE
    + """\
    - name: Held
      ansible.builtin.command: sh -c 'while [ ! -e {{ root }}/go ]; do sleep 0.1; done'
      changed_when: false
"""
)


def test_a_run_is_followed_to_its_end_while_it_goes_on(site: Site):
    with ThreadPoolExecutor() as background:
        landed = background.submit(site.land, {"site.yml": HELD, "page": "second\n"})
        site.await_that(lambda: site.pages() == ["second\n", "second\n"])
        so_far = site.world.ssh("dave", "env log staging --json").must().out
        assert '"kind": "started"' in so_far
        followed = background.submit(site.world.ssh, "dave", "env log staging --follow")
        for host in site.hosts:
            (host.root / "go").touch()
        lines = followed.result(60).must().out.splitlines()
        landed.result(60)
    assert lines[0].startswith("deployment ") and lines[0].endswith(" to staging, attempt 1")
    seen = sorted(re.sub(r"^(.) +[\d.]+ s", r"\1", line) for line in lines[1:-1])
    assert seen == [
        f"   {host}             {state}      {where}"
        for host in ("web1", "web2")
        for state, where in (
            ("changed", "site.yml:9: Page"),
            ("ok     ", "site.yml:14: Held"),
            ("ok     ", "site.yml:6: Disk"),
        )
    ]
    assert lines[-1].startswith("successful: ok 2, changed 2, failed 0 (")


def test_a_success_is_told_once_it_stands_in_the_ref_too(site: Site):
    """The record comes first, and a reconciler may be killed before the ref: the next one moves it."""
    before = site.tip()
    site.land({"page": "second\n"})
    site.world.stop_reconciler()
    with no_reconciler(site.world):
        site.world.server_git("update-ref", "refs/environments/staging/deployed", before)
        assert followed(site, 1.0) == (
            False,
            "  staging    not at its end yet; follow it:  ssh <host> env show staging",
        )
    site.world.reconcile_once().must()
    well, line = followed(site, 60.0)
    assert well and line.startswith("  staging    ok 2, changed 2, failed 0 (")
    assert site.ref("deployed") == site.tip()


def followed(site: Site, seconds: float) -> tuple[bool, str]:
    """Whether all ended well, and the last line that was said."""
    told: list[str] = []
    sitting = open_sitting(site.world.home, REPOSITORY)
    well = follow(sitting, [Watched("staging", site.tip())], seconds, lambda lines: told.extend(lines) is None)
    return well, told[-1]
