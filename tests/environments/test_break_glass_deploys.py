"""What cannot wait lands by break-glass and reaches the hosts like any other landing; the record says how it came."""

from tests.answers import change_number
from tests.environments.conftest import ENVIRONMENT, Site
from tests.world import POLICY

GLASS = POLICY.replace("    checks:", "    break_glass: {by: [alice], settle: 24h}\n    checks:", 1) + ENVIRONMENT


def test_what_lands_by_break_glass_reaches_the_hosts_and_so_does_what_follows_once_it_is_paid(site: Site):
    site.land({".gitops/policy.yaml": GLASS})
    world = site.world
    number = change_number(world.propose("alice", {"page": "urgent\n"}, "Urgent").must())
    head = world.refs()[f"refs/changes/{number}/head"]
    words = ("-o", "break-glass", "-o", "reason=the page is wrong")
    pushed = world.git("alice", "push", *words, "origin", f"{head}:refs/land/{number}").must()
    assert f"gitops: change {number} landed by alice, by break-glass" in pushed.remote_lines
    assert site.pages() == ["urgent\n", "urgent\n"]
    assert site.ref("deployed") == site.tip() == head
    assert world.approve("bob", number).must().remote_lines[-1].endswith("; settled")
    site.land({"page": "calm\n"})
    assert site.pages() == ["calm\n", "calm\n"]
