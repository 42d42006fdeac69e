"""Which hosts a change can touch; whatever cannot be proven narrower is all of them."""

import pytest

from gitops_hooks.core.inventory import Inventory, read_inventory
from gitops_hooks.core.reach import Laid, LaidFile, Reached, reach_of, reaches
from gitops_hooks.model.policy import Environment, ReachLimit
from tests.core.laid import STAGING, usage_of

INI = b"""\
lonely
[web]
web[1:3] ansible_port=22   # three
[db]
db-[a:b].example.org:2222
[north:children]
web
[all:vars]
x = [not a host
"""
YAML = b"""\
all:
  hosts: {lonely: }
  children:
    web:
      hosts:
        web[1:3]: {ansible_port: 22}
    db:
      hosts: {'db-a.example.org': {}, 'db-b.example.org': !vault x}
    north:
      children: {web: }
      vars: {a: 1}
"""
WEB = {"web1", "web2", "web3"}
DB = {"db-a.example.org", "db-b.example.org"}
ALL = WEB | DB | {"lonely"}


@pytest.mark.parametrize(("path", "text"), [("hosts", INI), ("hosts.ini", INI), ("hosts.yml", YAML), ("hosts", YAML)])
def test_an_inventory_is_read_as_ansible_reads_it(path, text):
    found = read_inventory([(path, text)])
    assert found.hosts == ALL
    for groups, hosts in ((["web"], WEB), (["north"], WEB), (["db", "north"], WEB | DB), (["all"], ALL)):
        assert found.members(groups) == hosts
    assert found.members(["east"]) is None


def test_several_sources_are_one_inventory():
    found = read_inventory([("a", b"[web]\nw1\n"), ("b.yml", b"web: {hosts: {w2: }}\neast: {children: {web: }}\n")])
    assert found.members(["east"]) == {"w1", "w2"}


def test_groups_in_a_circle_end():
    assert read_inventory([("a", b"[a:children]\nb\n[b:children]\na\n[b]\nx\n")]).members(["a"]) == {"x"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("hosts.yml", b"plugin: aws_ec2\n"),
        ("hosts.yml", b"all: {hosts: [web1]}\n"),
        ("hosts.yml", b"all: {hosts: {12: }}\n"),
        ("hosts.yml", b"all: {<<: {hosts: {a: }}}\n"),
        ("hosts.yml", b"all: {hosts: {a: }}\n---\nall: {}\n"),
        ("hosts.yml", b"[web]\nweb1\n"),
        ("hosts.yml", b"a: [\n"),
        ("hosts.toml", b"[web.hosts]\nweb1 = {}\n"),
        ("hosts", b"#!/bin/sh\necho {}\n"),
        ("hosts", b"$ANSIBLE_VAULT;1.1;AES256\n61\n"),
        ("hosts", b"[web\nweb1\n"),
        ("hosts", b"[web:hosts:x]\n"),
        ("hosts", b"'web1\n"),
        ("hosts", b"web[1:]\n"),
        ("hosts", b"web[1:3\n"),
        ("hosts", b"web[3:1]\n"),
        ("hosts", b"web[1:100000]\n"),
        ("hosts", b"web[1:999][1:999]\n"),
        ("hosts", b"[2001:db8::1]:22\n"),
        ("hosts", "h\u00f6st\n".encode()),
        ("hosts", b"\xff\n"),
        ("hosts", "a\u2028[db]\u2028b\n".encode()),
        ("hosts", b"{{ hosts }}\n"),
        ("hosts", b"x\n" + b"# long\n" * 100_000),
    ],
)
def test_what_is_not_surely_known_is_unknown(path, text):
    assert read_inventory([(path, text)]) is None


USAGE = usage_of({"site.yml": "- {hosts: all, roles: [web]}\n", "roles/web/tasks/main.yml": "[]\n"})


def laid(text=INI, *more, path="inventories/staging/hosts", mode=0o100644):
    return Laid(True, (LaidFile(path, mode, text), *more), usage=USAGE)


def reached(*paths, trees=None, environment=STAGING):
    return reach_of(environment, trees or [laid()], paths)


@pytest.mark.parametrize(
    ("path", "hosts"),
    [
        ("inventories/staging/host_vars/web1.yml", {"web1"}),
        ("inventories/staging/host_vars/web1/vault.yml", {"web1"}),
        ("inventories/staging/host_vars/web1", {"web1"}),
        ("inventories/staging/host_vars/db-a.example.org", {"db-a.example.org"}),
        ("inventories/staging/host_vars/new9.yml", {"new9"}),
        ("inventories/staging/group_vars/web.yaml", WEB),
        ("inventories/staging/group_vars/north/a/b.yml", WEB),
        ("inventories/staging/group_vars/all.yml", ALL),
        ("inventories/staging/group_vars/unheard.yml", ALL),
        ("inventories/staging/hosts", ALL),
        ("inventories/staging/README.md", ALL),
        ("inventories/staging/sub/host_vars/web1.yml", ALL),
        ("host_vars/web1.yml", {"web1"}),
        ("group_vars/db.yml", DB),
        ("play/group_vars/db.yml", set()),
        ("site.yml", ALL),
        ("roles/web/tasks/main.yml", ALL),
        ("roles/web/host_vars/web1.yml", ALL),
        ("README.md", set()),
        (".gitops/policy.yaml", ALL),
        ("inventories/production/hosts", set()),
        ("inventories/production/host_vars/web1.yml", set()),
        ("inventories/production/group_vars/db.yml", set()),
        ("inventories/production/README.md", set()),
        ("inventories/Staging/host_vars/web1.yml", set()),
    ],
)
def test_the_reach_of_one_path(path, hosts):
    answer = reached(path)
    assert (answer.hosts, answer.bounded) == (hosts, True)


def test_paths_add_up_and_one_wide_one_is_all():
    both = reached("inventories/staging/host_vars/lonely.yml", "inventories/staging/group_vars/db.yml")
    assert both.hosts == {"lonely"} | DB
    assert reached("inventories/staging/host_vars/lonely.yml", "site.yml").hosts == ALL


def test_old_tip_and_result_both_count():
    trees = [laid(b"[web]\nold1\n"), laid(b"[web]\nnew1\n")]
    assert reached("inventories/staging/group_vars/web.yml", trees=trees).hosts == {"old1", "new1"}
    assert reached("site.yml", trees=trees).hosts == {"old1", "new1"}


@pytest.mark.parametrize(
    "trees",
    [
        [],
        [Laid(True, ())],
        [laid(None)],
        [laid(INI, mode=0o100755)],
        [laid(INI, mode=0o120000)],
        [laid(INI), laid(b"plugin: x\n", path="inventories/staging/hosts.yml")],
        [Laid(True, (LaidFile("inventories/staging/hosts", 0o100644, INI),), complete=False)],
    ],
)
def test_where_an_inventory_is_not_known_nobody_can_say_how_many_hosts(trees):
    answer = reach_of(STAGING, trees, ["inventories/staging/host_vars/web1.yml"])
    assert not answer.bounded
    assert reaches(ReachLimit(10_000), [answer]) and reaches(ReachLimit(None, ("east",)), [answer])


@pytest.mark.parametrize("mode", [0o120000, 0o160000])
def test_what_may_stand_elsewhere_is_all_hosts_for_any_path(mode):
    linked = laid(INI, LaidFile("inventories/staging/group_vars", mode))
    assert reached("inventories/production/group_vars/web.yml", trees=[linked]).hosts == ALL


def test_another_deployer_reads_nobody_knows_what():
    other = Environment("k8s", "refs/heads/main", "helm", "site.yml", "inventories/staging", None, "")
    assert not reach_of(other, [laid()], ["inventories/staging/host_vars/web1.yml"]).bounded


def test_an_inventory_that_is_a_file_has_its_variables_beside_it():
    flat = Environment("flat", "refs/heads/main", "ansible", "plays/site.yml", "env/hosts.ini", None, "")
    usage = usage_of({"plays/site.yml": "- {hosts: all, tasks: []}\n"}, "plays/site.yml")
    tree = Laid(False, (LaidFile("env/hosts.ini", 0o100644, INI),), usage=usage)
    for path, hosts in (
        ("env/host_vars/web1.yml", {"web1"}),
        ("plays/group_vars/db.yml", DB),
        ("env/hosts.ini", ALL),
        ("env/other.ini", set()),
        ("group_vars/db.yml", set()),
    ):
        assert reach_of(flat, [tree], [path]).hosts == hosts


def test_an_environment_inside_anothers_inventory_reads_nothing_there():
    inner = Environment("inner", "refs/heads/main", "ansible", "site.yml", "inventories/production/inner", None, "")
    tree = laid(INI, path="inventories/production/inner/hosts")
    assert reach_of(inner, [tree], ["inventories/production/group_vars/web.yml"]).hosts == set()


def test_a_playbook_that_was_not_read_reaches_all():
    unread = Laid(True, (LaidFile("inventories/staging/hosts", 0o100644, INI),))
    assert reached("inventories/staging/host_vars/web1.yml", trees=[unread]).hosts == ALL


INVENTORY = read_inventory([("hosts", INI)])
EMPTY = Inventory(frozenset(), {}, {})


def one(*hosts, bounded=True, inventory=INVENTORY):
    return Reached("staging", frozenset(hosts), bounded, (inventory,))


@pytest.mark.parametrize(
    ("limit", "found", "answer"),
    [
        (ReachLimit(2), [one("a", "b")], False),
        (ReachLimit(1), [one("a", "b")], True),
        (ReachLimit(2), [one("a", "b"), one("a")], True),
        (ReachLimit(0), [one()], False),
        (ReachLimit(0), [], False),
        (ReachLimit(9), [one(bounded=False)], True),
        (ReachLimit(9), None, True),
        (ReachLimit(None, ("web",)), [one("web1")], True),
        (ReachLimit(None, ("north",)), [one("web1")], True),
        (ReachLimit(None, ("db",)), [one("web1")], False),
        (ReachLimit(None, ("db", "web")), [one("web1")], True),
        (ReachLimit(None, ("db",)), [one("web1"), one(bounded=False)], True),
        (ReachLimit(None, ("misspelt",)), [one("web1")], True),
        (ReachLimit(None, ("misspelt",)), [one()], False),
        (ReachLimit(None, ("db",)), [one(), one("x", inventory=EMPTY)], False),
        (ReachLimit(1, ("web",)), [one("web1")], True),
    ],
)
def test_whether_it_reaches_so_far(limit, found, answer):
    assert reaches(limit, found) is answer
