"""Whom a playbook means, read from its tree."""

from dataclasses import replace

import pytest

from gitops_hooks.core.meant import Meant, meant_by
from tests.core.laid import STAGING, Files, lay

HOSTS = "web:\n  hosts: {web1: , web2: }\ndb:\n  hosts: {db1: }\nspare:\n  hosts: {old1: }\n"
ALL = ("db1", "old1", "web1", "web2")


def play(hosts: str) -> str:
    return f"- hosts: {hosts}\n  gather_facts: false\n  tasks: []\n"


def files(playbook: str, hosts: str | None = HOSTS, **more: str) -> Files:
    return {"site.yml": playbook, "inventories/staging/hosts.yml": hosts, **more}


@pytest.mark.parametrize(
    ("tree", "meant"),
    [
        (files(play("web")), ("web1", "web2")),
        (files(play("web") + play("db1")), ("db1", "web1", "web2")),
        (files(play("all")), ALL),
        (files(play("nobody")), ()),
        (files("- import_playbook: other.yml\n", **{"other.yml": play("db")}), ("db1",)),
        # Made at run time: everybody may be meant.
        (files(play("'{{ target }}'")), ALL),
    ],
)
def test_the_hosts_of_all_plays_are_meant(tree, meant):
    assert meant_by(STAGING, lay(tree)) == Meant(frozenset(ALL), meant)


def test_nobody_counts_the_hosts_of_an_inventory_that_is_linked_or_a_program():
    assert meant_by(STAGING, lay(files(play("web"), None))) is None
    laid = lay(files(play("web")))
    program = replace(laid, files=tuple(replace(file, mode=0o100755) for file in laid.files))
    assert meant_by(STAGING, program) is None
