"""Where hosts stand, in a line that stays short however many there are."""

import pytest

from gitops_hooks.entry.hosts_words import Stands, hosts_facts, hosts_lines

NEW, OLD = "9" * 40, "8" * 40


@pytest.mark.parametrize(
    ("hosts", "lines"),
    [
        ((), []),
        ((("web1", NEW), ("web2", NEW)), ["  hosts      web1 web2 at 9999999"]),
        ((("db1", ""), ("web1", OLD), ("web2", NEW)), ["  hosts      web1 at 8888888, web2 at 9999999, db1 not known"]),
        (
            (*((f"web{number}", NEW) for number in range(9)), ("web9", OLD)),
            ["  hosts      9 hosts at 9999999, web9 at 8888888"],
        ),
    ],
)
def test_hosts_are_told_by_commit_and_named_where_they_are_few(hosts, lines):
    assert hosts_lines(Stands(hosts)) == lines


def test_programs_are_told_of_every_host():
    assert hosts_facts(Stands((("db1", ""), ("web1", NEW)))) == {"hosts": {"db1": None, "web1": NEW}}
