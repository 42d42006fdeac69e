"""What lands reaches the hosts, and the push that landed it shows how."""

import re

from tests.environments.conftest import Site


def seconds_away(text: str) -> str:
    return re.sub(r"\(\d+ s\)", "(N s)", text)


def test_the_push_that_lands_shows_the_deployment_to_its_end(site: Site):
    shown = site.land({"page": "second\n"})
    assert site.pages() == ["second\n", "second\n"]
    lines = [seconds_away(line) for line in shown.remote_lines if "…" not in line]
    assert lines[-2:] == [
        f"  staging    deploying {site.tip()[:7]} to web1 web2",
        "  staging    ok 2, changed 2, failed 0 (N s)",
    ]
    assert re.sub(r"deployment \d+", "deployment N", site.show()) == (
        "staging: Synced, Healthy\n"
        "  branch     main\n"
        f"  desired    {site.tip()}\n"
        f"  attempted  {site.tip()}\n"
        f"  deployed   {site.tip()}\n"
        f"  hosts      web1 web2 at {site.tip()[:7]}\n"
        f"  last       deployment N of {site.tip()[:7]} successful: ok 2, changed 2, failed 0\n"
        "             web1: changed\n"
        "             web2: changed\n"
    )


def test_a_revert_that_lands_brings_the_hosts_back(site: Site):
    site.land({"page": "second\n"})
    world = site.world
    world.start_over("alice")
    world.git("alice", "revert", "--no-edit", "HEAD").must()
    world.git("alice", "push", "origin", "HEAD:refs/for/main").must()
    world.approve("bob", 3).must()
    assert site.pages() == ["first\n", "first\n"]
    assert site.ref("deployed") == site.tip()
