"""Whom a deployment visits, from where the hosts stand and what reaches them."""

import pytest

from gitops_hooks.core.applied import Applied
from gitops_hooks.core.limit import Limit, limit_of
from gitops_hooks.core.reach import Reached
from tests.core.laid import STAGING, lay, reach
from tests.core.test_reach_of_plays import SITE

# What differs from each commit to the one that is deployed.
TREES = {
    "now": SITE,
    "web1": {**SITE, "inventories/staging/host_vars/web1.yml": "weight: 0\nansible_host: 10.0.0.1\n"},
    "db": {**SITE, "files/backup.sh": "old\n"},
    "docs": {**SITE, "README.md": "old\n"},
    "inventory": {**SITE, "inventories/staging/hosts": "[web]\nweb1\n"},
}
CROSSING = {**SITE, "site.yml": "- hosts: all\n  tasks:\n    - debug: {msg: '{{ hostvars }}'}\n"}


def limit(applied, trees=TREES, to="now"):
    return limit_of(applied, lambda old: reach(trees[old], trees[to]))


@pytest.mark.parametrize(
    ("applied", "found"),
    [
        (Applied("now"), Limit((), 4, "nothing concerns its hosts")),
        (Applied("docs"), Limit((), 4, "nothing concerns its hosts")),
        (Applied("web1"), Limit(("web1",), 3, "inventories/staging/host_vars/web1.yml")),
        (Applied("db", at=(("db1", "now"),)), Limit((), 4, "nothing concerns its hosts")),
        (Applied("now", at=(("db1", "db"),)), Limit(("db1",), 3, "files/backup.sh → tasks/backup.yml → hosts: db")),
        (Applied("db", at=(("web1", "web1"), ("lb1", "docs"))),
         Limit(("db1", "web1"), 2, "files/backup.sh → tasks/backup.yml → hosts: db and 1 more")),
        (Applied("now", doubtful=frozenset({"web2"})), Limit(("web2",), 3, "they missed something")),
        (Applied("db", doubtful=frozenset({"web2", "gone"})),
         Limit(("db1", "web2"), 2, "files/backup.sh → tasks/backup.yml → hosts: db")),
        (Applied("now", asked=True), Limit(None, 0, "it was asked for")),
        (Applied("now", doubtful=frozenset({"web2"}), asked=True), Limit(("web2",), 3, "they missed something")),
        (Applied("inventory"), Limit(None, 0, "inventories/staging/hosts is a part of the inventory")),
        (Applied("now", at=tuple((f"web{n}", f"c{n}") for n in range(20))),
         Limit(None, 0, "its hosts stand at too many commits")),
    ],
)  # fmt: skip
def test_who_is_visited_and_who_is_left_alone(applied, found):
    assert limit(applied) == found


def test_hosts_that_may_see_each_other_are_visited_together_or_not_at_all():
    trees = {"now": CROSSING, "docs": {**CROSSING, "README.md": "old\n"}}
    assert limit(Applied("docs"), trees) == Limit((), 4, "nothing concerns its hosts")
    one = Applied("docs", doubtful=frozenset({"web2"}))
    assert limit(one, trees) == Limit(None, 0, "site.yml:3 uses hostvars")


def test_where_the_inventory_cannot_be_counted_everybody_is_visited():
    uncounted = Reached("staging", frozenset(), False)
    assert limit_of(Applied("now"), lambda _: uncounted).hosts is None
    assert lay(SITE, STAGING).usage.wide == ""
